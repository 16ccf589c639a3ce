import assert from "node:assert/strict";
import type { Condition, KubeObject } from "../../api/object.ts";
import { PROJECT } from "../../api/project.ts";
import { ENVIRONMENT } from "../../api/environment.ts";
import { CONFIG_MAP, DEPLOYMENT, INGRESS, SECRET, SERVICE } from "../../api/resources.ts";
import { RENDERED } from "../../deploy/fake_deployment.ts";
import { RenderError } from "../../render/render_error.ts";
import { RENDER_LIMITS } from "../../render/bounds.ts";
import { renderingOf } from "../../render/fake_renderer.ts";
import type { ControllerDefinition } from "../../runtime/definition.ts";
import { projectController } from "../project/mod.ts";
import { type EnvironmentWorld, FakeEnvironments } from "./fake_environments.ts";
import { COMMIT, project } from "./test_objects.ts";

const SHOP: KubeObject[] = [RENDERED.config, RENDERED.service, RENDERED.app];

/** With the controller of Projects beside. */
function open(world?: EnvironmentWorld): FakeEnvironments {
  return new FakeEnvironments({ world, others: [projectController() as ControllerDefinition] });
}

async function ready(bench: FakeEnvironments): Promise<void> {
  bench.renderer.onRender = () => renderingOf(SHOP);
  bench.project();
  bench.environment();
  await bench.idle();
  await bench.rollOut();
}

Deno.test("a commit is fetched, rendered, deployed and reached", async () => {
  await using bench = await open().start();
  bench.renderer.onRender = () => renderingOf(SHOP);
  bench.project();
  bench.environment();
  await bench.idle();
  assert.equal(bench.look()!.status!.phase, "Deploying", JSON.stringify(bench.look()!.status, null, 1));
  assert.deepEqual(bench.names(DEPLOYMENT), ["shop"]);
  await bench.rollOut();
  const { status } = bench.look()!;
  assert.equal(status!.phase, "Ready", JSON.stringify(status, null, 1));
  assert.equal(status!.url, "http://dev.preview.example.com");
  assert.equal(status!.deployedCommit, COMMIT);
  assert.deepEqual(bench.names(INGRESS), ["maquette"]);
  for (const type of ["NamespaceReady", "SourceReady", "BuildReady", "DeploymentReady", "IngressReady"]) {
    assert.equal(bench.condition(type)?.status, "True", type);
  }
  assert.deepEqual(bench.broken, []);
});

Deno.test("a restart writes nothing, and asks for each thing once", async () => {
  const first = await open().start();
  await ready(first);
  await first.stop();
  first.writes();
  await using bench = open(first);
  bench.renderer.onRender = () => renderingOf(SHOP);
  await bench.start();
  assert.deepEqual(bench.writes(), []);
  assert.deepEqual([bench.renderer.fetches.length, bench.renderer.renders.length], [1, 1]);
  assert.equal(bench.look()!.status!.phase, "Ready");
});

Deno.test("a rendering is read once in a look", async () => {
  await using bench = await open().start();
  await ready(bench);
  const { parse } = JSON;
  let reads = 0;
  JSON.parse = (text, ...more) => {
    if (text.includes('"refused":[]')) reads++;
    return parse(text, ...more);
  };
  await bench.edit(ENVIRONMENT.resource, "acme/dev", ({ metadata }) => metadata.annotations = { touched: "yes" })
    .finally(() => JSON.parse = parse);
  assert.equal(reads, 1);
});

Deno.test("a second commit rolls, and what left the source goes", async () => {
  await using bench = await open().start();
  await ready(bench);
  bench.renderer.onRender = () => renderingOf([RENDERED.service, RENDERED.app]);
  const commit = "b".repeat(40);
  await bench.edit(ENVIRONMENT.resource, "acme/dev", ({ spec }) => spec.source.commitSha = commit);
  assert.deepEqual(bench.names(CONFIG_MAP), []);
  assert.equal(bench.look()!.status!.deployedCommit, commit);
  assert.deepEqual(bench.renderer.forgets.map(({ paths }) => paths), [[`/cache/${COMMIT}`]]);
});

Deno.test("environments of one commit fetch it once; a change of the Project rolls them", async () => {
  await using bench = await open().start();
  bench.renderer.onRender = () => renderingOf([RENDERED.service]);
  bench.project();
  for (const name of ["a", "b", "c"]) bench.environment(name);
  await bench.idle();
  assert.equal(bench.renderer.fetches.length, 1);
  assert.equal(bench.renderer.renders.length, 3);
  assert.deepEqual(bench.renderer.renders.map(({ limits }) => limits), Array(3).fill(RENDER_LIMITS));
  await bench.edit(PROJECT.resource, "acme/shop", ({ spec }) => spec.deployment.values = { replicas: 2 });
  assert.equal(bench.renderer.renders.length, 6);
  assert.equal(bench.renderer.fetches.length, 1);
});

Deno.test("an Environment without its Project waits, and goes on when it comes", async () => {
  await using bench = await open().start();
  bench.environment();
  await bench.idle();
  assert.equal(bench.condition("Ready")!.reason, "ProjectMissing");
  assert.deepEqual(bench.namespaces, ["acme", "default"]);
  bench.renderer.onRender = () => renderingOf([RENDERED.service]);
  bench.project();
  await bench.idle();
  assert.equal(bench.look()!.status!.phase, "Ready");
});

Deno.test("what no environment may have is refused with its reason, and nothing of it is made", async () => {
  await using bench = await open().start();
  const role = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", metadata: { name: "all" } };
  const nested = { apiVersion: "catalyst.catalyst.dev/v1alpha1", kind: "Environment", metadata: { name: "more" } };
  bench.renderer.onRender = () => renderingOf([...SHOP, role, nested]);
  bench.project();
  bench.environment();
  await bench.idle();
  assert.equal(bench.look()!.status!.phase, "Failed");
  assert.match(bench.condition("DeploymentReady")!.message, /ClusterRole\/all.*Environment\/more/s);
  assert.deepEqual(bench.names(SERVICE), []);
});

Deno.test("a source that cannot be had says why, is tried again, and keeps what is deployed", async () => {
  await using bench = await open().start();
  await ready(bench);
  bench.renderer.onFetch = () => Promise.reject(new RenderError("CommitNotFound", "There is no such commit"));
  await bench.edit(ENVIRONMENT.resource, "acme/dev", ({ spec }) => spec.source.commitSha = "c".repeat(40));
  assert.equal(bench.condition("SourceReady")!.reason, "CommitNotFound");
  assert.match(bench.condition("Ready")!.message, /keeps serving/);
  assert.deepEqual(bench.names(DEPLOYMENT), ["shop"]);
  assert.deepEqual(bench.names(INGRESS), ["maquette"]);
  const asked = bench.renderer.fetches.length;
  bench.writes();
  await bench.clock.advance(30_000);
  await bench.idle();
  assert.ok(bench.renderer.fetches.length > asked);
  assert.deepEqual(bench.writes(), []);
});

Deno.test("the tip of a branch is looked up again, and a new commit rolls", async () => {
  await using bench = await open().start();
  bench.renderer.onRender = () => renderingOf([RENDERED.service]);
  let tip = "1".repeat(40);
  bench.renderer.onFetch = ({ cacheDir }) => (
    { commit: tip, path: `${cacheDir}/${tip}`, branch: "main", cached: false, files: 1, bytes: 1, warnings: [] }
  );
  bench.project();
  bench.environment("dev", { source: { branch: "main" } });
  await bench.idle();
  assert.equal(bench.look()!.status!.deployedCommit, tip);
  bench.writes();
  await bench.clock.advance(61_000);
  await bench.idle();
  assert.deepEqual(bench.writes(), []);
  tip = "2".repeat(40);
  await bench.clock.advance(61_000);
  await bench.idle();
  assert.equal(bench.look()!.status!.deployedCommit, tip);
});

Deno.test("Secrets of the Project are copied, kept in step, and removed when they are named no more", async () => {
  await using bench = await open().start();
  bench.renderer.onRender = () => renderingOf([RENDERED.service]);
  bench.secret("database");
  bench.project({ secrets: ["database"] });
  bench.environment();
  await bench.idle();
  const copy = (): KubeObject | undefined => bench.server.store.find(SECRET, "acme-shop-dev/database");
  assert.deepEqual(copy()!.data, { key: "dmFsdWU=" });
  await bench.edit(SECRET, "acme/database", (secret) => secret.data = { key: "bmV3ZXI=" });
  assert.deepEqual(copy()!.data, { key: "bmV3ZXI=" });
  await bench.edit(SECRET, "acme-shop-dev/database", (secret) => secret.data = { key: "YmFk" });
  assert.deepEqual(copy()!.data, { key: "bmV3ZXI=" });
  assert.doesNotMatch(JSON.stringify([bench.look(), bench.events]), /dmFsdWU=|bmV3ZXI=|YmFk/);
  await bench.edit(PROJECT.resource, "acme/shop", ({ spec }) => spec.secrets = []);
  assert.equal(copy(), undefined);
});

Deno.test("a Secret that is missing stops what is new, and its coming goes on", async () => {
  await using bench = await open().start();
  bench.renderer.onRender = () => renderingOf([RENDERED.service]);
  bench.project({ secrets: ["database"] });
  bench.environment();
  await bench.idle();
  assert.equal(bench.condition("Stalled")!.reason, "SecretMissing");
  bench.secret("database");
  await bench.idle();
  assert.equal(bench.look()!.status!.phase, "Ready");
});

Deno.test("of two that name one namespace the second is told who has it, and takes nothing", async () => {
  await using bench = await open().start();
  bench.renderer.onRender = () => renderingOf([RENDERED.service]);
  bench.project();
  bench.environment();
  await bench.idle();
  bench.environment("other", { namespace: "acme-shop-dev" });
  await bench.idle();
  assert.equal(bench.condition("Stalled", "other")!.reason, "NotOwned");
  assert.equal(bench.look()!.status!.phase, "Ready");
  bench.server.store.remove(ENVIRONMENT.resource, "acme/other");
  await bench.idle();
  assert.equal(bench.look("other"), undefined);
  assert.ok(bench.namespaces.includes("acme-shop-dev"));
});

Deno.test("an environment's namespace opens no Project, whatever its name is", async () => {
  await using bench = await open().start();
  bench.renderer.onRender = () => renderingOf([RENDERED.service]);
  bench.project({ maxEnvironments: 1 });
  bench.namespace("evil");
  bench.server.store.create(PROJECT.resource, { ...project(), metadata: { name: "trap", namespace: "evil" } });
  const squatting = { projectRef: { name: "trap" }, namespace: "acme-shop" };
  bench.environment("squatter", squatting, { namespace: "evil" });
  await bench.idle();
  bench.environment("inside", { projectRef: { name: "shop", namespace: "acme" } }, { namespace: "acme-shop" });
  await bench.idle();
  const inside = bench.server.store.find(ENVIRONMENT.resource, "acme-shop/inside")!;
  assert.equal(inside.status.conditions.find(({ type }: Condition) => type === "Stalled").reason, "NestedEnvironment");
  assert.deepEqual(bench.namespaces.filter((name) => name.includes("inside")), []);
  bench.environment();
  await bench.idle();
  assert.equal(bench.look()!.status!.phase, "Ready", "it takes no place under the cap");
  assert.equal(bench.server.store.find(PROJECT.resource, "acme/shop")!.status.environments, 1);
});

Deno.test("an older one that may not use its Project keeps no host from anybody", async () => {
  await using bench = await open().start();
  bench.renderer.onRender = () => renderingOf([RENDERED.service]);
  bench.project();
  for (const name of ["evil", "mallory"]) bench.namespace(name);
  const creationTimestamp = "2020-01-01T00:00:00Z";
  bench.environment("dev", { projectRef: { name: "none" } }, { namespace: "evil", creationTimestamp });
  bench.environment("dev", { projectRef: { name: "shop", namespace: "acme" } }, {
    ...{ namespace: "mallory", creationTimestamp },
  });
  bench.environment();
  await bench.idle();
  assert.equal(bench.look()!.status!.url, "http://dev.preview.example.com");
});

Deno.test("what is legal but unwise is a condition, and an Event of type Warning when it comes", async () => {
  await using bench = await open().start();
  const warnings = [{ reason: "ImageNotInjected", message: "No container has the image" }];
  bench.renderer.onRender = () => renderingOf([RENDERED.service], { warnings });
  bench.project();
  bench.environment();
  await bench.idle();
  assert.equal(bench.condition("HasWarnings")!.reason, "ImageNotInjected");
  assert.equal(bench.look()!.status!.phase, "Ready");
  const told = bench.events.filter((event) => event.startsWith("Warning ImageNotInjected"));
  assert.equal(told.length, 1);
});

Deno.test("an Environment whose time is over goes", async () => {
  await using bench = await open().start();
  bench.renderer.onRender = () => renderingOf([RENDERED.service]);
  bench.project();
  const creationTimestamp = new Date(bench.clock.now()).toISOString().replace(/\.\d+Z/, "Z");
  bench.environment("dev", { ttlSeconds: 600 }, { creationTimestamp });
  await bench.idle();
  assert.equal(bench.condition("Expiring"), undefined);
  await bench.clock.advance(545_000);
  await bench.idle();
  assert.equal(bench.condition("Expiring")?.status, "True");
  await bench.clock.advance(60_000);
  await bench.idle();
  assert.ok(bench.look() === undefined || bench.look()!.metadata.deletionTimestamp);
});

Deno.test("a deleted Environment takes its namespace along and lets go of its checkout, whatever is missing", async () => {
  await using bench = await open().start();
  await ready(bench);
  bench.server.store.remove(PROJECT.resource, "acme/shop");
  bench.server.store.remove(ENVIRONMENT.resource, "acme/dev");
  await bench.idle();
  await bench.collectGarbage();
  await bench.clock.advance(60_000);
  await bench.collectGarbage();
  assert.equal(bench.look(), undefined);
  assert.deepEqual(bench.namespaces, ["acme", "default"]);
  assert.deepEqual(bench.renderer.forgets.map(({ paths }) => paths), [[`/cache/${COMMIT}`]]);
});
