import assert from "node:assert/strict";
import { renderingOf } from "./fake_renderer.ts";
import { inject } from "./inject.ts";
import { podSpecOf } from "./pod_templates.ts";
import { deployment, hook } from "./test_objects.ts";

const IMAGE = { repository: "acme/shop", tag: "v2" };
const NOT_IN_VALUES = { reason: "ImageNotInjected", message: "no value takes it" };

Deno.test("inject() reaches objects and hooks, and keeps them apart", () => {
  const migration = { ...deployment("migrate", { m: "shop" }), apiVersion: "batch/v1", kind: "Job" };
  const rendering = renderingOf([deployment("web", { app: "shop" })], { hooks: [hook(migration)] });
  const { objects, hooks, injected } = inject(rendering, { image: IMAGE, env: [{ name: "A", value: "b" }] });
  assert.deepEqual([objects.length, hooks.length, hooks[0]!.events], [1, 1, ["pre-install", "pre-upgrade"]]);
  for (const item of [...objects, ...hooks]) {
    const [container] = podSpecOf(item.object)!.containers!;
    assert.deepEqual([container!.image, container!.env], ["acme/shop:v2", [{ name: "A", value: "b" }]]);
  }
  assert.deepEqual(injected.map(({ what }) => what), ["image", "image", "env", "env"]);
});

Deno.test("inject() drops the renderer's warning where a container took the image", () => {
  const found = renderingOf([deployment("web", { app: "shop" })], { warnings: [NOT_IN_VALUES] });
  assert.deepEqual(inject(found, { image: IMAGE }).warnings, []);
  const missed = renderingOf([deployment("web", { app: "nginx" })], { warnings: [NOT_IN_VALUES] });
  assert.match(inject(missed, { image: IMAGE }).warnings[0]!.message, /there are: nginx$/);
  assert.deepEqual(inject(missed, {}), missed);
});
