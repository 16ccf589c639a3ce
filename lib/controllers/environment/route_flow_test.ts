import assert from "node:assert/strict";
import { ENVIRONMENT } from "../../api/environment.ts";
import type { KubeObject } from "../../api/object.ts";
import { INGRESS } from "../../api/resources.ts";
import { RENDERED } from "../../deploy/fake_deployment.ts";
import { renderingOf } from "../../render/fake_renderer.ts";
import { FakeEnvironments } from "./fake_environments.ts";

const WEB: KubeObject = { ...RENDERED.service, metadata: { name: "web" } };
const CLUSTER_ROLE = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", metadata: { name: "all" } };

/** Deploys and rolls out a commit that serves by Service `shop`. */
async function served(bench: FakeEnvironments): Promise<void> {
  await bench.start();
  bench.renderer.onRender = () => renderingOf([RENDERED.service, RENDERED.app]);
  bench.project();
  bench.environment();
  await bench.idle();
  await bench.rollOut();
  assert.equal(route(bench), "shop");
}

/** The next commit renders to these. @param digit What its name is made of. */
async function push(bench: FakeEnvironments, objects: KubeObject[], digit = "b"): Promise<void> {
  bench.renderer.onRender = () => renderingOf(objects);
  await bench.edit(ENVIRONMENT.resource, "acme/dev", ({ spec }) => spec.source.commitSha = digit.repeat(40));
}

/** The Service that our Ingress leads to. */
function route(bench: FakeEnvironments): string | undefined {
  const ingress = bench.server.store.find(INGRESS, "acme-shop-dev/maquette");
  return ingress?.spec.rules[0].http.paths[0].backend.service.name;
}

/** With another template, so that it rolls. */
function newApp(): KubeObject {
  const app = structuredClone(RENDERED.app);
  app.spec.template.spec.containers[0]!.image = "shop:v2";
  return app;
}

Deno.test("the way in goes over to another Service when the commit that brings it is rolled out", async () => {
  await using bench = new FakeEnvironments();
  await served(bench);
  await push(bench, [WEB, newApp()]);
  assert.equal(bench.look()!.status!.phase, "Deploying");
  assert.equal(route(bench), "shop");
  assert.equal(bench.look()!.status!.url, "http://dev.preview.example.com");
  await bench.rollOut();
  await bench.clock.advance(1_000);
  await bench.idle();
  assert.equal(route(bench), "web");
  assert.equal(bench.look()!.status!.phase, "Ready", JSON.stringify(bench.look()!.status, null, 1));
  assert.equal(bench.look()!.status!.service, "web");
  assert.deepEqual(bench.broken, []);
});

Deno.test("a commit that is refused takes no way in from the one before", async () => {
  await using bench = new FakeEnvironments();
  await served(bench);
  for (const [digit, objects] of Object.entries({ b: [WEB, CLUSTER_ROLE], c: [CLUSTER_ROLE] })) {
    await push(bench, objects, digit);
    assert.equal(bench.look()!.status!.phase, "Failed");
    assert.equal(route(bench), "shop");
    assert.equal(bench.look()!.status!.url, "http://dev.preview.example.com");
  }
});

Deno.test("the way in goes when a commit without Services is rolled out", async () => {
  await using bench = new FakeEnvironments();
  await served(bench);
  await push(bench, [newApp()]);
  assert.equal(route(bench), "shop");
  await bench.rollOut();
  await bench.clock.advance(1_000);
  await bench.idle();
  assert.equal(route(bench), undefined);
  assert.equal(bench.look()!.status!.phase, "Ready", JSON.stringify(bench.look()!.status, null, 1));
  assert.equal(bench.look()!.status!.url, undefined);
});
