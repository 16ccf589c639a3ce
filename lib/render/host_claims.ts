/**
 * Takes annotations from a rendering that claim hosts beside the environment's own, write into the configuration of an
 * ingress controller, which serves others, too, or have it send traffic elsewhere: {@link LEFT_OUT}. Pure.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";
import { isIngress } from "./inject_host.ts";
import { groupOf, titleOf } from "./pod_templates.ts";
import type { RenderedObject, Rendering, RenderWarning } from "./renderer.ts";
import { LEFT_OUT } from "./route_rules.ts";

/** Annotations were left out that claim hosts, write configuration or send traffic elsewhere. */
export const ANNOTATIONS_LEFT_OUT = "AnnotationsLeftOut";

const CLAIM = new RegExp(LEFT_OUT, "i");

/** The rendering without such annotations on Ingresses and Services, each object with a warning that names them. */
export function withoutHostClaims(rendering: Rendering): Rendering {
  const warnings: RenderWarning[] = [];
  const objects = rendering.objects.map((item) => {
    const claims = claimsOf(item.object);
    if (claims.length === 0) return item;
    warnings.push(warningOf(item, claims));
    return { ...item, object: without(item.object, claims) };
  });
  return warnings.length === 0 ? rendering : { ...rendering, objects, warnings: [...rendering.warnings, ...warnings] };
}

function claimsOf(object: KubeObject): string[] {
  const isService = object.kind === "Service" && groupOf(object) === "";
  if (!isService && !isIngress(object)) return [];
  return Object.keys(object.metadata.annotations ?? {}).filter((name) => CLAIM.test(name));
}

function without(object: KubeObject, names: readonly string[]): KubeObject {
  const kept = Object.entries(object.metadata.annotations ?? {}).filter(([name]) => !names.includes(name));
  return { ...object, metadata: { ...object.metadata, annotations: Object.fromEntries(kept) } };
}

function warningOf({ source, object }: RenderedObject, names: readonly string[]): RenderWarning {
  const message = `${titleOf(object)}: Left out ${names.join(", ")}: an environment has one host, and may neither ` +
    "change how an ingress controller or a DNS zone is configured nor have requests sent elsewhere";
  return { reason: ANNOTATIONS_LEFT_OUT, message, file: source };
}
