import assert from "node:assert/strict";
import { DATABASE_MIGRATION } from "../../api/database_migration.ts";
import { FINALIZER } from "../../api/names.ts";
import { ENVIRONMENT } from "../../api/environment.ts";
import type { Condition, KubeObject } from "../../api/object.ts";
import { PORTFOLIO_APP } from "../../api/portfolio_app.ts";
import { PREVIEW_ENVIRONMENT } from "../../api/preview_environment.ts";
import { INGRESS } from "../../api/resources.ts";
import { RENDERED } from "../../deploy/fake_deployment.ts";
import { renderingOf } from "../../render/fake_renderer.ts";
import type { ControllerDefinition } from "../../runtime/definition.ts";
import { portfolioAppController } from "../portfolio_app/mod.ts";
import { app, SETTINGS as APP_SETTINGS } from "../portfolio_app/test_objects.ts";
import { previewEnvironmentController } from "../preview_environment/mod.ts";
import { preview } from "../preview_environment/test_objects.ts";
import { FakeEnvironments } from "./fake_environments.ts";
import { SETTINGS } from "./test_objects.ts";

const HOST = "pr-7.preview.example.com";
const OTHER = "pr-7-shop-acme.preview.example.com";

/** With the controllers of previews and applications beside. */
async function open(): Promise<FakeEnvironments> {
  const previews = previewEnvironmentController({ ...SETTINGS, progressDeadlineSeconds: 120 });
  const { domain } = SETTINGS;
  const apps = portfolioAppController({ ...APP_SETTINGS, domain, migrations: DATABASE_MIGRATION.resource });
  const others = [previews as ControllerDefinition, apps as ControllerDefinition];
  const bench = await new FakeEnvironments({ others }).start();
  bench.renderer.onRender = () => renderingOf([RENDERED.service]);
  bench.project();
  return bench;
}

/** Makes an Environment that would be called as the preview is, some seconds after all that is there. */
async function environment(bench: FakeEnvironments): Promise<void> {
  await bench.clock.advance(2_000);
  bench.environment("pr-7");
  await bench.idle();
}

/** Likewise. */
async function previewed(bench: FakeEnvironments): Promise<void> {
  await bench.clock.advance(2_000);
  const metadata = { name: "p", namespace: "acme", uid: undefined, finalizers: [FINALIZER] };
  bench.server.store.create(PREVIEW_ENVIRONMENT.resource, preview({}, { metadata }));
  await bench.idle();
}

function ready(bench: FakeEnvironments): Condition {
  const found = bench.server.store.find(PREVIEW_ENVIRONMENT.resource, "acme/p");
  return found!.status.conditions.find(({ type }: Condition) => type === "Ready");
}

function hosts(bench: FakeEnvironments): string[] {
  return bench.server.store.list(INGRESS).map(({ spec }: KubeObject) => spec.rules[0].host).sort();
}

Deno.test("a preview does not take the host that an older Environment has, and gets it when that goes", async () => {
  await using bench = await open();
  await environment(bench);
  await previewed(bench);
  assert.equal(ready(bench).reason, "HostTaken");
  assert.equal(ready(bench).message, `Host "${HOST}" belongs to Environment "acme/pr-7"`);
  assert.deepEqual(hosts(bench), [HOST]);
  bench.server.store.remove(ENVIRONMENT.resource, "acme/pr-7");
  await bench.idle();
  await bench.collectGarbage();
  await bench.clock.advance(60_000);
  await bench.collectGarbage();
  assert.equal(bench.look("pr-7"), undefined);
  assert.equal(ready(bench).reason, "RollingOut");
  assert.deepEqual(hosts(bench), [HOST]);
});

Deno.test("an Environment takes another host than that of a preview", async () => {
  await using bench = await open();
  await previewed(bench);
  await environment(bench);
  assert.equal(bench.look("pr-7")!.status!.url, `http://${OTHER}`);
  assert.equal(ready(bench).reason, "RollingOut");
  assert.deepEqual(hosts(bench), [OTHER, HOST]);
});

/** By which the source brings its own way in. */
const INGRESS_OF_SOURCE = {
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { name: "web" },
  spec: { rules: [{ http: { paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: "shop" } } }] } }] },
};

/** An application that lives beside. */
function application(spec: Record<string, unknown>): KubeObject {
  return app(spec, { metadata: { name: "old", namespace: "acme", uid: undefined, finalizers: [FINALIZER] } });
}

Deno.test("a source's own Ingress goes at once where an older application takes its host, and comes back at another", async () => {
  await using bench = await open();
  bench.server.store.create(PORTFOLIO_APP.resource, application({}));
  bench.renderer.onRender = () => renderingOf([RENDERED.service, INGRESS_OF_SOURCE]);
  await environment(bench);
  assert.deepEqual(bench.names(INGRESS, "acme-shop-pr-7"), ["web"]);
  bench.renderer.onRender = () => {
    throw new Error("It cannot be rendered now");
  };
  const ingress = { enabled: true, host: HOST };
  await bench.edit(PORTFOLIO_APP.resource, "acme/old", ({ spec }) => spec.ingress = ingress);
  assert.deepEqual(bench.names(INGRESS, "acme-shop-pr-7"), []);
  assert.deepEqual(hosts(bench), [HOST]);
  bench.renderer.onRender = () => renderingOf([RENDERED.service, INGRESS_OF_SOURCE]);
  await bench.clock.advance(600_000);
  await bench.idle();
  assert.deepEqual(hosts(bench), [OTHER, HOST]);
});

Deno.test("an Environment takes another host than that of an application, and a preview waits for it", async () => {
  await using bench = await open();
  bench.server.store.create(PORTFOLIO_APP.resource, application({ ingress: { enabled: true, host: HOST } }));
  await environment(bench);
  await previewed(bench);
  assert.equal(ready(bench).message, `Host "${HOST}" belongs to PortfolioApp "acme/old"`);
  assert.deepEqual(hosts(bench), [OTHER, HOST]);
  await bench.edit(PORTFOLIO_APP.resource, "acme/old", ({ spec }) => spec.ingress.enabled = false);
  assert.equal(ready(bench).reason, "RollingOut");
  assert.deepEqual(hosts(bench), [OTHER, HOST]);
});
