import assert from "node:assert/strict";
import { ANNOTATION_GIT_HOST, ANNOTATION_PAUSED, ANNOTATION_SECRETS } from "../../api/names.ts";
import { ENVIRONMENT } from "../../api/environment.ts";
import type { KubeObject } from "../../api/object.ts";
import { PROJECT } from "../../api/project.ts";
import { DEPLOYMENT, SECRET } from "../../api/resources.ts";
import { RENDERED } from "../../deploy/fake_deployment.ts";
import { renderingOf } from "../../render/fake_renderer.ts";
import type { ControllerDefinition } from "../../runtime/definition.ts";
import { projectController } from "../project/mod.ts";
import { type EnvironmentWorld, FakeEnvironments } from "./fake_environments.ts";

const NAMESPACE = "acme-shop-dev";

/** The Deployment of the shop, under another name, with variables from a Secret. */
function reading(name: string, secret: string): KubeObject {
  const app = structuredClone(RENDERED.app) as KubeObject;
  app.metadata.name = name;
  app.spec.template.spec.containers[0].envFrom = [{ secretRef: { name: secret } }];
  return app;
}

const OBJECTS = [RENDERED.service, RENDERED.app, reading("worker", "database"), reading("mailer", "mail")];

/** With the controller of Projects beside. */
function open(world?: EnvironmentWorld): FakeEnvironments {
  return new FakeEnvironments({ world, others: [projectController() as ControllerDefinition] });
}

async function started(world?: EnvironmentWorld): Promise<FakeEnvironments> {
  const bench = open(world);
  bench.renderer.onRender = () => renderingOf(OBJECTS);
  await bench.start();
  if (world) return bench;
  for (const name of ["database", "mail"]) bench.secret(name);
  bench.project({ secrets: ["database", "mail"] });
  bench.environment();
  await bench.idle();
  for (const name of ["shop", "worker", "mailer"]) await bench.rollOut(name);
  return bench;
}

function digests(bench: FakeEnvironments): Record<string, string | undefined> {
  const all = bench.server.store.list(DEPLOYMENT);
  return Object.fromEntries(
    all.map(({ metadata, spec }) => [metadata.name, spec.template.metadata.annotations?.[ANNOTATION_SECRETS]]),
  );
}

Deno.test("another content of a Secret rolls what uses it and nothing else, without a look at git or a rendering", async () => {
  await using bench = await started();
  const before = digests(bench);
  assert.equal(before.shop, undefined);
  assert.ok(before.worker && before.mailer && before.worker !== before.mailer);
  const { fetches, renders } = bench.renderer;
  const looked = [fetches.length, renders.length];
  bench.writes();
  await bench.edit(SECRET, "acme/database", (secret) => secret.data = { key: "bmV3ZXI=" });
  const written = bench.writes().filter((write) => !/ (environments|projects) /.test(write));
  assert.deepEqual(written, ["apply secrets database", "apply deployments worker"]);
  assert.notEqual(digests(bench).worker, before.worker);
  assert.equal(digests(bench).mailer, before.mailer);
  assert.deepEqual([fetches.length, renders.length], looked);
  assert.equal(bench.look()!.status!.phase, "Deploying");
  await bench.rollOut("worker");
  assert.equal(bench.look()!.status!.phase, "Ready");
  assert.deepEqual(bench.broken, []);
});

const NO_NEWS: Record<string, (bench: FakeEnvironments) => Promise<void>> = {
  "a label on the source": (bench) =>
    bench.edit(SECRET, "acme/database", ({ metadata }) => metadata.labels = { a: "b" }),
  "a copy that is changed by hand": (bench) =>
    bench.edit(SECRET, `${NAMESPACE}/database`, (secret) => secret.data = { key: "YmFk" }),
  "a copy that is deleted by hand": async (bench) => {
    bench.server.store.remove(SECRET, `${NAMESPACE}/database`);
    await bench.idle();
  },
};

for (const [name, happen] of Object.entries(NO_NEWS)) {
  Deno.test(`nothing is rolled by ${name}`, async () => {
    await using bench = await started();
    bench.writes();
    await happen(bench);
    assert.deepEqual(bench.writes().filter((write) => !/ (environments|projects) /.test(write)), [
      "apply secrets database",
    ]);
    assert.deepEqual(bench.server.store.get(SECRET, `${NAMESPACE}/database`).data, { key: "dmFsdWU=" });
    assert.equal(bench.look()!.status!.phase, "Ready");
  });
}

Deno.test("a restart with Secrets writes nothing and reads none of them", async () => {
  const first = await started();
  await first.stop();
  first.writes();
  await using bench = await started(first);
  const read = bench.server.requests.filter(({ verb, resource }) => verb === "get" && resource === "secrets");
  assert.deepEqual([bench.writes(), read], [[], []]);
});

/** An Environment in a namespace that the Project lets in. */
async function guest(): Promise<FakeEnvironments> {
  const bench = open();
  bench.renderer.onRender = () => renderingOf(OBJECTS);
  await bench.start();
  bench.namespace("guests");
  for (const name of ["database", "mail"]) bench.secret(name);
  bench.project({ secrets: ["database", "mail"], allowedNamespaces: ["guests"] });
  bench.environment("dev", { projectRef: { name: "shop", namespace: "acme" } }, { namespace: "guests" });
  await bench.idle();
  assert.deepEqual(bench.names(SECRET), ["database", "mail"]);
  bench.writes();
  return bench;
}

async function allow(bench: FakeEnvironments, namespaces: string[]): Promise<void> {
  await bench.edit(PROJECT.resource, "acme/shop", ({ spec }) => spec.allowedNamespaces = namespaces);
}

Deno.test("a Project that withdraws its leave takes its Secrets back and nothing else, and gives them again", async () => {
  await using bench = await guest();
  await allow(bench, []);
  const written = bench.writes().filter((write) => !/ (environments|projects) /.test(write));
  // The deletion of one is shown while the watch has not shown that of the other yet.
  assert.deepEqual([...new Set(written)], ["delete secrets database", "delete secrets mail"]);
  assert.deepEqual(bench.names(DEPLOYMENT), ["mailer", "shop", "worker"]);
  const { status } = bench.server.store.get(ENVIRONMENT.resource, "guests/dev");
  assert.doesNotMatch(JSON.stringify(status.inventory), /Secret/);
  assert.match(status.conditions[0].message, /must list it; what is deployed serves on, without/);
  await allow(bench, ["guests"]);
  assert.deepEqual(bench.names(SECRET), ["database", "mail"]);
  assert.deepEqual(bench.broken, []);
});

Deno.test("an Environment that is paused keeps no Secret that was taken back", async () => {
  await using bench = await guest();
  const annotations = { [ANNOTATION_PAUSED]: "true" };
  await bench.edit(ENVIRONMENT.resource, "guests/dev", ({ metadata }) => metadata.annotations = annotations);
  await allow(bench, []);
  assert.deepEqual(bench.names(SECRET), []);
  await allow(bench, ["guests"]);
  assert.deepEqual(bench.names(SECRET), []);
  const { status } = bench.server.store.get(ENVIRONMENT.resource, "guests/dev");
  assert.match(status.conditions[0].message, /: 2 changes wait$/);
});

Deno.test("a login that is pinned elsewhere stops the fetch and what follows, and what is deployed serves on", async () => {
  await using bench = await started();
  bench.secret("git", { token: "dG9rZW4=" });
  const pinned = (hosts: string): Promise<void> =>
    bench.edit(SECRET, "acme/git", ({ metadata }) => metadata.annotations = { [ANNOTATION_GIT_HOST]: hosts });
  await pinned("github.com");
  await bench.edit(PROJECT.resource, "acme/shop", ({ spec }) => spec.source.secretRef = { name: "git" });
  assert.equal(bench.renderer.fetches.at(-1)!.credentials!.token, "token");
  const asked = bench.renderer.fetches.length;
  await bench.edit(PROJECT.resource, "acme/shop", ({ spec }) => spec.source.repositoryUrl = "https://evil.example/x");
  assert.equal(bench.condition("SourceReady")!.reason, "LoginRefused");
  assert.match(
    bench.condition("SourceReady")!.message,
    /"acme\/git" is for git at "github\.com" only .*"evil\.example"/,
  );
  assert.equal(bench.renderer.fetches.length, asked);
  assert.deepEqual(bench.names(DEPLOYMENT), ["mailer", "shop", "worker"]);
  await pinned("github.com, evil.example");
  assert.equal(bench.renderer.fetches.at(-1)!.credentials!.host, "evil.example");
});

Deno.test("a build is given a pinned login that its Secret lets go to the repository's host, while it runs", async () => {
  await using bench = await started();
  bench.secret("git", { token: "dG9rZW4=" });
  await bench.edit(
    SECRET,
    "acme/git",
    ({ metadata }) => metadata.annotations = { [ANNOTATION_GIT_HOST]: "github.com" },
  );
  const build = { image: "ghcr.io/acme/shop", builder: "buildkit", dockerfile: "Dockerfile", context: "." };
  await bench.edit(PROJECT.resource, "acme/shop", ({ spec }) => {
    spec.source.secretRef = { name: "git" };
    spec.build = { ...build, timeoutSeconds: 600 };
  });
  assert.equal(bench.look()!.status!.phase, "Building");
  const copy = bench.server.store.get(SECRET, `${NAMESPACE}/git`);
  assert.deepEqual([copy.data, copy.metadata.annotations![ANNOTATION_GIT_HOST]], [{ token: "dG9rZW4=" }, "github.com"]);
  await bench.edit(PROJECT.resource, "acme/shop", ({ spec }) => spec.build = undefined);
  assert.deepEqual(bench.names(SECRET), ["database", "mail"]);
});
