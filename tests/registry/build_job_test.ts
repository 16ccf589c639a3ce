/** The objects of builds at a real API server, whose Pod Security admission is the one that decides. */
import assert from "node:assert/strict";
import type { KubeObject } from "../../lib/api/object.ts";
import { buildEgressPolicy, buildJob } from "../../lib/build/job.ts";
import type { BuildOptions, BuildRequest } from "../../lib/build/request.ts";
import { options, request } from "../../lib/build/test_builds.ts";
import { difference, withDigest } from "../../lib/runtime/differs.ts";
import { type ControlPlane, startControlPlane } from "../control_plane/control_plane.ts";

const NAMESPACE = "builds";
const LABELS = { "app.kubernetes.io/managed-by": "maquette" };
const SECRETS: Partial<BuildRequest> = {
  gitSecret: { name: "git" },
  pushSecret: { name: "push", key: ".dockerconfigjson" },
};

/** Builds of every kind, each with what makes its Pod another one. */
const BUILDS: Record<string, [over: Partial<BuildRequest>, other: Partial<BuildOptions>]> = {
  "BuildKit": [SECRETS, {}],
  "BuildKit with profiles of the node": [{}, { seccompProfile: "build.json", appArmorProfile: "build" }],
  "BuildKit with authorities and mirrors": [{ commit: "a".repeat(64) }, {
    caCertificates: "-----BEGIN CERTIFICATE-----\n$(HOME)\n-----END CERTIFICATE-----\n",
    mirrors: new Map([["docker.io", ["mirror.example"]]]),
    insecureRegistries: ["localhost:5000"],
  }],
  "Kaniko": [{ ...SECRETS, builder: "kaniko" }, {}],
};

function jobs(): [name: string, job: KubeObject][] {
  return Object.entries(BUILDS).map(([name, [over, other]]) => {
    return [name, buildJob(request(over), options(other), { namespace: NAMESPACE, labels: LABELS })];
  });
}

/** The Pod that the Job controller would make. */
function podOf(job: KubeObject): KubeObject {
  const { metadata, spec } = job.spec.template;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { ...metadata, name: job.metadata.name, namespace: NAMESPACE },
    spec,
  };
}

/** Creates an object, and says what the server made of it. */
async function created(plane: ControlPlane, object: KubeObject, ...args: string[]): Promise<KubeObject> {
  const command = ["create", "--validate=strict", "-o", "json", "-f", "-", ...args];
  return JSON.parse((await plane.kubectl(command, { stdin: JSON.stringify(object) })).stdout);
}

async function refusal(plane: ControlPlane, object: KubeObject): Promise<string> {
  const command = ["create", "--dry-run=server", "-f", "-"];
  return (await plane.kubectl(command, { stdin: JSON.stringify(object), check: false })).stderr;
}

Deno.test("the API server takes builds under Pod Security baseline, and keeps them as they are desired", async (t) => {
  await using plane = await startControlPlane({ nodes: 0 });
  const labels = { "pod-security.kubernetes.io/enforce": "baseline" };
  await created(plane, { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE, labels } });

  for (const [name, job] of jobs()) {
    await t.step(`${name}: its Pod is admitted`, async () => {
      assert.equal(await refusal(plane, podOf(job)), "");
    });
    await t.step(`${name}: its Job stays as it is desired`, async () => {
      const desired = withDigest(job);
      assert.equal(difference(desired, await created(plane, desired)), undefined);
    });
  }

  await t.step("a Pod with privileges would not be", async () => {
    const [, job] = jobs()[0]!;
    const pod = podOf(job);
    pod.spec.containers[0].securityContext = { privileged: true };
    assert.match(await refusal(plane, pod), /violates PodSecurity "baseline/);
  });

  await t.step("what builds may talk to stays as it is desired", async () => {
    const ranges = { denied: ["10.0.0.0/8", "fc00::/7"], allowed: ["10.9.0.0/16"] };
    const desired = withDigest(buildEgressPolicy({ name: "build", namespace: NAMESPACE }, ranges));
    assert.equal(difference(desired, await created(plane, desired)), undefined);
  });
});
