/**
 * Keeps what is deployed from widening the environment's isolation: policies of a namespace add up, so that one that
 * comes with a chart could open what ours close. Pure.
 *
 * @module
 */
import type { KubeObject } from "../../api/object.ts";
import type { Rendering, RenderWarning } from "../../render/renderer.ts";

/** The rendering without its NetworkPolicies, each of which is warned of: charts have them by default. */
export function withoutPolicies(rendering: Rendering): Rendering {
  const left = rendering.objects.filter(({ object }) => isPolicy(object));
  if (left.length === 0) return rendering;
  const objects = rendering.objects.filter(({ object }) => !isPolicy(object));
  return { ...rendering, objects, warnings: [...rendering.warnings, ...left.map(warningOf)] };
}

function isPolicy({ apiVersion, kind }: KubeObject): boolean {
  return kind === "NetworkPolicy" && apiVersion.split("/")[0] === "networking.k8s.io";
}

function warningOf({ source, object }: Rendering["objects"][number]): RenderWarning {
  const message = `NetworkPolicy "${object.metadata.name}" is left out: the environment is isolated by policies of ` +
    "its own, and others could only widen it";
  return { reason: "NetworkPolicyLeftOut", message, file: source };
}
