/**
 * What a PreviewEnvironment asks for is what the API server takes, for specs of every shape.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { KubeObject } from "../../lib/api/object.ts";
import type { PreviewEnvironment } from "../../lib/api/preview_environment.ts";
import { desiredObjects } from "../../lib/controllers/preview_environment/desired.ts";
import type { Amounts } from "../../lib/controllers/preview_environment/limits.ts";
import type { PreviewSettings } from "../../lib/controllers/preview_environment/settings.ts";
import { sourcesOf } from "../../lib/controllers/preview_environment/sources.ts";
import { preview, SETTINGS } from "../../lib/controllers/preview_environment/test_objects.ts";
import { previews, settings } from "../../lib/controllers/preview_environment/test_specs.ts";
import { targetNamespace } from "../../lib/preview_names.ts";
import { childKey } from "../../lib/runtime/changes.ts";
import { difference, withDigest } from "../../lib/runtime/differs.ts";
import { stamp } from "../../lib/runtime/ownership.ts";
import { type ControlPlane, startControlPlane } from "../control_plane/control_plane.ts";
import { waitFor } from "../wait.ts";

/** As the operator does it. */
const APPLY = ["apply", "--server-side", "--field-manager=maquette", "--validate=strict", "-f", "-"];

/** The objects as the operator sends them, copies without content. */
function sent(owner: PreviewEnvironment, given: PreviewSettings, held?: Amounts): KubeObject[] {
  const sources = sourcesOf(owner, given).map(({ kind, namespace, name }): KubeObject => ({
    apiVersion: "v1",
    kind,
    metadata: { namespace, name, uid: "uid-of-source", resourceVersion: "1" },
  }));
  return desiredObjects(owner, given, { sources, held }).map((object) => withDigest(stamp(object, owner)));
}

function listOf(items: readonly KubeObject[]): string {
  return JSON.stringify({ apiVersion: "v1", kind: "List", items });
}

function isNamespace({ kind }: KubeObject): boolean {
  return kind === "Namespace";
}

async function applied(plane: ControlPlane, objects: readonly KubeObject[], ...args: string[]): Promise<KubeObject[]> {
  const { stdout } = await plane.kubectl([...APPLY, "-o", "json", ...args], { stdin: listOf(objects) });
  return JSON.parse(stdout).items;
}

Deno.test("the API server takes all desired objects of specs of every shape, and keeps them as they are desired", async (t) => {
  await using plane = await startControlPlane({ nodes: 1 });

  await t.step("strictly validated, twenty of them", async () => {
    const inOwnNamespaces = fc.uniqueArray(fc.tuple(previews, settings), {
      selector: ([{ spec }]) => targetNamespace(spec),
      minLength: 20,
      maxLength: 20,
    });
    const [samples = []] = fc.sample(inOwnNamespaces, { numRuns: 1, seed: 6 });
    const objects = samples.flatMap(([owner, given]) => sent(owner, given));
    await applied(plane, objects.filter(isNamespace));
    const others = objects.filter((object) => !isNamespace(object));
    const taken = new Map(
      (await applied(plane, others, "--dry-run=server")).map((object) => [childKey(object), object]),
    );
    assert.equal(taken.size, others.length);
    for (const object of others) {
      assert.equal(difference(object, taken.get(childKey(object))), undefined, childKey(object));
    }
  });

  await t.step("for each way of TLS", async () => {
    const owner = preview({ pr_number: 999_998 });
    const ways: PreviewSettings["tls"][] = [
      { mode: "cert-manager", clusterIssuer: "letsencrypt" },
      { mode: "wildcard", secret: "wild" },
      { mode: "none" },
    ];
    await applied(plane, sent(owner, SETTINGS).filter(isNamespace));
    for (const tls of ways) await applied(plane, sent(owner, { ...SETTINGS, tls }), "--dry-run=server");
  });

  const namespace = "preview-pr-999999";
  const rolledOut = ["rollout", "status", "deployment/pr-999999-app", "-n", namespace, "--timeout=180s"];

  await t.step("and under quota and limits all Pods start, and one that names no requests", async () => {
    const owner = preview({ pr_number: 999_999, replicas: 2, resources: { limits: { cpu: "20m", memory: "32Mi" } } });
    const objects = sent(owner, SETTINGS);
    await applied(plane, objects.filter(isNamespace));
    await applied(plane, objects.filter((object) => !isNamespace(object)));
    await plane.kubectl(rolledOut);
    await plane.kubectl(["run", "bare", "-n", namespace, "--image=busybox:1.37", "--restart=Never"]);
    await waitFor("the Pod without requests", async () => {
      const { stdout } = await plane.kubectl(["get", "pod", "bare", "-n", namespace, "-o", "json"]);
      return JSON.parse(stdout).status.phase !== "Pending";
    });
  });

  await t.step("and a smaller spec takes the place of a larger one under the quota that is held", async () => {
    const large = preview({ pr_number: 999_999, replicas: 2, resources: { limits: { memory: "8Gi" } } });
    await applied(plane, sent(large, SETTINGS), "--force-conflicts");
    await plane.kubectl(rolledOut);
    const { stdout } = await plane.kubectl(["get", "resourcequota", "preview", "-n", namespace, "-o", "json"]);
    const small = preview({ pr_number: 999_999, resources: { limits: { memory: "32Mi" } } });
    await applied(plane, sent(small, SETTINGS, JSON.parse(stdout).spec.hard));
    await plane.kubectl(rolledOut);
  });
});
