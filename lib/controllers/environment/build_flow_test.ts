import assert from "node:assert/strict";
import { ENVIRONMENT } from "../../api/environment.ts";
import type { KubeObject } from "../../api/object.ts";
import { PROJECT, type ProjectSpec } from "../../api/project.ts";
import { DEPLOYMENT, JOB, POD } from "../../api/resources.ts";
import { BUILD_LABEL } from "../../build/names.ts";
import { RENDERED } from "../../deploy/fake_deployment.ts";
import { renderingOf } from "../../render/fake_renderer.ts";
import type { ControllerDefinition } from "../../runtime/definition.ts";
import { projectController } from "../project/mod.ts";
import { type EnvironmentWorld, FakeEnvironments } from "./fake_environments.ts";
import { COMMIT } from "./test_objects.ts";

const DIGEST = `sha256:${"0f".repeat(32)}`;
const OTHER = "b".repeat(40);
const IMAGE = "registry.example.com/acme/shop";
const NAMESPACE = "acme-shop-dev";
const BUILD: NonNullable<ProjectSpec["build"]> = {
  dockerfile: "Dockerfile",
  context: ".",
  builder: "buildkit",
  image: IMAGE,
  timeoutSeconds: 600,
};
const LOGIN = {
  ".dockerconfigjson": btoa(JSON.stringify({ auths: { "registry.example.com": { auth: btoa("a:b") } } })),
};

/** With the controller of Projects beside. */
function open(world?: EnvironmentWorld): FakeEnvironments {
  return new FakeEnvironments({ world, others: [projectController() as ControllerDefinition] });
}

async function started(): Promise<FakeEnvironments> {
  const bench = await open().start();
  bench.renderer.onRender = () => renderingOf([RENDERED.service, RENDERED.app]);
  bench.secret("push", LOGIN);
  bench.project({ build: { ...BUILD, pushSecretRef: { name: "push" } } });
  bench.environment();
  await bench.idle();
  return bench;
}

function job(bench: FakeEnvironments): KubeObject | undefined {
  return bench.server.store.list(JOB).find(({ metadata }) => metadata.namespace === NAMESPACE);
}

/** The Job controller and a kubelet have ended the build. */
async function ended(bench: FakeEnvironments, exitCode: number, message: string): Promise<void> {
  const { metadata } = job(bench)!;
  const { name, uid = "", labels } = metadata;
  const owner = { apiVersion: "batch/v1", kind: "Job", name, uid, controller: true };
  bench.server.store.create(POD, {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: `${name}-x`,
      namespace: NAMESPACE,
      labels: { ...labels, [BUILD_LABEL]: name },
      ownerReferences: [owner],
    },
    spec: { restartPolicy: "Never" },
  });
  await bench.edit(POD, `${NAMESPACE}/${name}-x`, (pod) =>
    pod.status = {
      phase: exitCode === 0 ? "Succeeded" : "Failed",
      containerStatuses: [{ name: "build", state: { terminated: { reason: "Error", exitCode, message } } }],
    });
  const type = exitCode === 0 ? "Complete" : "Failed";
  const conditions = [{ type, status: "True", reason: "x", lastTransitionTime: "2026-01-01T00:00:05Z" }];
  await bench.edit(JOB, `${NAMESPACE}/${name}`, (object) => object.status = { conditions });
}

Deno.test("an image that is missing is built, and deployed by its digest with the login that pulls it", async () => {
  await using bench = await started();
  assert.equal(bench.look()!.status!.phase, "Building");
  assert.equal(bench.look()!.status!.buildJob, job(bench)!.metadata.name);
  assert.deepEqual(bench.registry.asked.map(({ image }) => image), [`acme/shop:${COMMIT}`]);
  assert.equal(bench.renderer.renders.length, 0, "nothing is rendered before there is an image");
  await ended(bench, 0, DIGEST);
  const status = bench.look()!.status!;
  assert.equal(status.image, `${IMAGE}@${DIGEST}`, JSON.stringify(status, null, 1));
  assert.equal(status.buildJob, undefined);
  const [{ spec }] = bench.server.store.list(DEPLOYMENT) as [KubeObject];
  assert.equal(spec.template.spec.containers[0].image, `${IMAGE}:${COMMIT}@${DIGEST}`);
  assert.deepEqual(spec.template.spec.imagePullSecrets, [{ name: "push" }]);
  await bench.rollOut();
  assert.equal(bench.look()!.status!.phase, "Ready");
});

Deno.test("an image that is there is not built", async () => {
  const bench = open();
  bench.registry.answer = { exists: true, digest: DIGEST, mediaType: "" };
  bench.renderer.onRender = () => renderingOf([RENDERED.service]);
  await using _ = await bench.start();
  bench.project({ build: BUILD });
  bench.environment();
  await bench.idle();
  assert.equal(job(bench), undefined);
  assert.equal(bench.look()!.status!.image, `${IMAGE}@${DIGEST}`);
  assert.equal(bench.look()!.status!.phase, "Ready");
});

Deno.test("a build that failed says why, also when its Job is gone, and is tried again for another commit", async () => {
  await using bench = await started();
  await ended(bench, 1, "COPY failed: no such file");
  assert.equal(bench.look()!.status!.phase, "Failed");
  assert.match(bench.condition("BuildReady")!.message, /COPY failed/);
  const { name } = job(bench)!.metadata;
  bench.server.store.remove(POD, `${NAMESPACE}/${name}-x`);
  bench.server.store.remove(JOB, `${NAMESPACE}/${name}`);
  await bench.idle();
  assert.equal(job(bench), undefined, "it is not started again");
  assert.match(bench.condition("BuildReady")!.message, /COPY failed/);
  await bench.edit(ENVIRONMENT.resource, "acme/dev", ({ spec }) => spec.source.commitSha = OTHER);
  assert.ok(job(bench));
  assert.equal(bench.look()!.status!.phase, "Building");
});

Deno.test("a build is cancelled when its environment moves on", async () => {
  await using bench = await started();
  const before = job(bench)!.metadata.name;
  await bench.edit(ENVIRONMENT.resource, "acme/dev", ({ spec }) => spec.source.commitSha = OTHER);
  const jobs = bench.names(JOB, NAMESPACE);
  assert.equal(jobs.length, 1);
  assert.notEqual(jobs[0], before);
});

Deno.test("an image that was missing once is asked for again before it is built", async () => {
  await using bench = await started();
  await ended(bench, 0, DIGEST);
  bench.registry.answer = { exists: true, digest: DIGEST, mediaType: "" };
  await bench.edit(PROJECT.resource, "acme/shop", ({ spec }) => spec.build.timeoutSeconds = 700);
  assert.equal(job(bench), undefined);
  assert.equal(bench.look()!.status!.image, `${IMAGE}@${DIGEST}`);
});

Deno.test("a Job that only looks like a build of the same image keeps nobody from building it", async () => {
  await using bench = await started();
  const { apiVersion, kind, metadata, spec } = job(bench)!;
  bench.namespace("evil");
  const forged = { name: metadata.name, namespace: "evil", labels: metadata.labels };
  bench.server.store.create(JOB, { apiVersion, kind, metadata: forged, spec });
  bench.server.store.remove(JOB, `${NAMESPACE}/${metadata.name}`);
  await bench.idle();
  assert.equal(bench.condition("BuildReady")!.reason, "Building");
  assert.ok(job(bench), "it is started anew");
  assert.ok(bench.server.store.find(JOB, `evil/${metadata.name}`), "what is elsewhere is not touched");
});

Deno.test("two environments of one commit build it once", async () => {
  await using bench = await started();
  bench.environment("other");
  await bench.idle();
  assert.equal(bench.condition("BuildReady", "other")!.reason, "BuildingElsewhere");
  assert.equal(bench.server.store.list(JOB).length, 1);
  await ended(bench, 0, DIGEST);
  bench.registry.answer = { exists: true, digest: DIGEST, mediaType: "" };
  await bench.clock.advance(30_000);
  await bench.idle();
  assert.equal(bench.look("other")!.status!.image, `${IMAGE}@${DIGEST}`);
  assert.equal(bench.server.store.list(JOB).length, 1);
});
