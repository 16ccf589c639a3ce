import assert from "node:assert/strict";
import { injectImage } from "./inject_image.ts";
import { podSpecOf } from "./pod_templates.ts";
import type { InjectedImage } from "./renderer.ts";
import { deployment, object, rendered } from "./test_objects.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;
const SHOP: InjectedImage = { repository: "registry.example.com:5000/acme/shop", tag: "v2", digest: DIGEST };
const PINNED = `registry.example.com:5000/acme/shop:v2@${DIGEST}`;

const CASES: Record<string, [images: string[], image: InjectedImage, want: string[]]> = {
  "the same repository is pinned, whatever its tag": [
    ["registry.example.com:5000/acme/shop:1", "nginx"],
    SHOP,
    [PINNED, "nginx"],
  ],
  "a digest alone": [["acme/shop"], { repository: "acme/shop", digest: DIGEST }, [`acme/shop@${DIGEST}`]],
  "Docker Hub is the registry where none is said": [
    ["docker.io/library/nginx:1"],
    { repository: "nginx", tag: "2" },
    ["nginx:2"],
  ],
  "the end of the path is a placeholder": [["shop", "acme/shop:dev", "workshop"], SHOP, [PINNED, PINNED, "workshop"]],
  "a namesake is taken where nothing is nearer": [["ghcr.io/other/shop:1", "envoy"], SHOP, [PINNED, "envoy"]],
  "and is not where something is": [["ghcr.io/other/shop:1", "shop"], SHOP, ["ghcr.io/other/shop:1", PINNED]],
};

for (const [name, [images, image, want]] of Object.entries(CASES)) {
  Deno.test(`injectImage(): ${name}`, () => {
    const containers = Object.fromEntries(images.map((each, index) => [`c${index}`, each]));
    const { items, injected } = injectImage(rendered(deployment("web", containers)), image);
    assert.deepEqual(podSpecOf(items[0]!.object)!.containers!.map((container) => container.image), want);
    assert.equal(injected.length, want.filter((each, index) => each !== images[index]).length);
  });
}

Deno.test("injectImage() says which images there are when none fits", () => {
  const items = rendered(deployment("web", { a: "nginx:1", b: "envoy", c: "nginx:1" }), object("v1", "Service", "x"));
  assert.deepEqual(injectImage(items, SHOP).warnings, [{
    reason: "ImageNotInjected",
    message: "No container has the image registry.example.com:5000/acme/shop, there are: envoy, nginx:1",
  }]);
  assert.match(injectImage([], SHOP).warnings[0]!.message, /no workload is rendered/);
});

Deno.test("injectImage() says where it put the image", () => {
  const { injected } = injectImage(rendered(deployment("web", { app: "shop" })), SHOP);
  assert.deepEqual(injected, [{ what: "image", where: "Deployment/web container app", value: PINNED }]);
});
