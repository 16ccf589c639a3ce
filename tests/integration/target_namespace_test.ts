/**
 * The namespace of an Environment is what the API server takes and keeps, and gives those who deploy what it should.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { KubeObject } from "../../lib/api/object.ts";
import { ownIngress } from "../../lib/controllers/environment/ingress.ts";
import { DEPLOYER, targetNamespaceObjects } from "../../lib/controllers/environment/target_namespace.ts";
import { environment, project, SETTINGS } from "../../lib/controllers/environment/test_objects.ts";
import { childKey } from "../../lib/runtime/changes.ts";
import { difference, withDigest } from "../../lib/runtime/differs.ts";
import { stamp } from "../../lib/runtime/ownership.ts";
import { type ControlPlane, startControlPlane } from "../control_plane/control_plane.ts";
import { waitFor } from "../wait.ts";

const APPLY = ["apply", "--server-side", "--field-manager=maquette", "--validate=strict", "-f", "-"];
const BUILD = { dockerfile: "Dockerfile", context: ".", builder: "buildkit", timeoutSeconds: 600 } as const;
const NAMESPACE = "acme-shop-dev";

const PROJECTS = {
  "with a quota": project(),
  "with builds": project({ build: { ...BUILD, image: "ghcr.io/acme/shop" } }),
  "with a quota of numbers": project({ resources: { defaultQuota: { cpu: 2, memory: 4_000_000_000 } } }),
  "without a quota": project({ resources: undefined }),
};

/** As the operator sends them. */
function sent(of: (typeof PROJECTS)[keyof typeof PROJECTS]): KubeObject[] {
  const owner = environment();
  const settings = { ...SETTINGS, reachableRanges: ["10.1.2.3/32"] };
  const to = { host: "dev.preview.example.com", backend: { service: "web", port: "http" } };
  const own = targetNamespaceObjects(owner, of, { settings, host: to.host, secrets: [] });
  const objects = [...own, ownIngress(owner, to, settings)];
  return objects.map((object) => withDigest(stamp(object, owner)));
}

async function apply(plane: ControlPlane, items: readonly KubeObject[]): Promise<KubeObject[]> {
  const stdin = JSON.stringify({ apiVersion: "v1", kind: "List", items });
  return JSON.parse((await plane.kubectl([...APPLY, "-o", "json"], { stdin })).stdout).items;
}

function podOf(name: string, spec: Record<string, unknown> = {}): string {
  const containers = [{ name: "app", image: "app" }];
  return JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name }, spec: { containers, ...spec } });
}

function createPod(plane: ControlPlane, pod: string): ReturnType<ControlPlane["kubectl"]> {
  return plane.kubectl(["create", "-n", NAMESPACE, "-f", "-"], { stdin: pod, check: false });
}

async function mayDo(plane: ControlPlane, question: string): Promise<boolean> {
  const as = `--as=system:serviceaccount:${NAMESPACE}:${DEPLOYER}`;
  const { stdout } = await plane.kubectl(["auth", "can-i", ...question.split(" "), as], { check: false });
  return stdout.trim() === "yes";
}

Deno.test("the namespace of an Environment holds against a real API server", async (t) => {
  await using plane = await startControlPlane({ nodes: 1 });

  for (const [sentence, of] of Object.entries(PROJECTS)) {
    await t.step(`all objects are taken, strictly validated, and kept as they are desired: ${sentence}`, async () => {
      const desired = sent(of);
      const stored = new Map((await apply(plane, desired)).map((object) => [childKey(object), object]));
      for (const object of desired) assert.equal(difference(object, stored.get(childKey(object))!), undefined);
    });
  }

  await t.step("a Pod that names no amounts starts within the quota, and one beyond it is refused", async () => {
    await apply(plane, sent(PROJECTS["with a quota"]));
    // Nobody admits Pods before the quota was counted and the service account made.
    await waitFor("a Pod to be admitted", async () => (await createPod(plane, podOf("bare"))).code === 0);
    const { stderr } = await createPod(
      plane,
      podOf("huge", {
        containers: [{ name: "app", image: "app", resources: { limits: { cpu: "1", memory: "3Gi" } } }],
      }),
    );
    assert.match(stderr, /exceeded quota: maquette-(compute|serving)/);
  });

  await t.step("a privileged Pod is refused", async () => {
    const containers = [{ name: "app", image: "app", securityContext: { privileged: true } }];
    const { stderr } = await createPod(plane, podOf("privileged", { containers }));
    assert.match(stderr, /violates PodSecurity "baseline/);
  });

  await t.step("who deploys runs its namespace, and nothing else", async () => {
    for (const may of ["create deployments.apps", "patch services", "delete secrets", "create ingresses"]) {
      assert.ok(await mayDo(plane, `${may} -n ${NAMESPACE}`), may);
    }
    const refused = [
      `create deployments.apps -n default`,
      `get secrets -n kube-system`,
      `create clusterroles`,
      `create clusterrolebindings`,
      `create namespaces`,
      `patch namespaces -n ${NAMESPACE}`,
      `patch resourcequotas -n ${NAMESPACE}`,
      `delete limitranges -n ${NAMESPACE}`,
      `create customresourcedefinitions`,
    ];
    for (const question of refused) assert.ok(!await mayDo(plane, question), question);
  });

  await t.step("builds count apart from what serves", async () => {
    const compute = sent(PROJECTS["with a quota"]).find(({ metadata }) => metadata.name === "maquette-compute")!;
    await plane.kubectl(["delete", "resourcequota", compute.metadata.name, "-n", NAMESPACE]);
    await apply(plane, sent(PROJECTS["with builds"]));
    const resources = { requests: { cpu: "1", memory: "2Gi" }, limits: { memory: "4Gi" } };
    const spec = { containers: [{ name: "app", image: "app", resources }] };
    await waitFor("a build to be admitted", async () => {
      const build = podOf("build", { ...spec, activeDeadlineSeconds: 600 });
      return (await createPod(plane, build)).code === 0;
    });
    const { stderr } = await createPod(plane, podOf("serves", spec));
    assert.match(stderr, /exceeded quota: maquette-serving/);
  });
});
