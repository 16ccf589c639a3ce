import assert from "node:assert/strict";
import { FINALIZER } from "../../api/names.ts";
import { ENVIRONMENT } from "../../api/environment.ts";
import type { Condition, KubeObject } from "../../api/object.ts";
import { PREVIEW_ENVIRONMENT } from "../../api/preview_environment.ts";
import { INGRESS } from "../../api/resources.ts";
import { RENDERED } from "../../deploy/fake_deployment.ts";
import { renderingOf } from "../../render/fake_renderer.ts";
import type { ControllerDefinition } from "../../runtime/definition.ts";
import { previewEnvironmentController } from "../preview_environment/mod.ts";
import { preview } from "../preview_environment/test_objects.ts";
import { FakeEnvironments } from "./fake_environments.ts";
import { SETTINGS } from "./test_objects.ts";

const HOST = "pr-7.preview.example.com";
const OTHER = "pr-7-shop-acme.preview.example.com";

/** With the controller of previews beside. */
async function open(): Promise<FakeEnvironments> {
  const previews = previewEnvironmentController({ ...SETTINGS, progressDeadlineSeconds: 120 });
  const bench = await new FakeEnvironments({ others: [previews as ControllerDefinition] }).start();
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
