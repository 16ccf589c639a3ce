import assert from "node:assert/strict";
import { inject } from "../../lib/render/inject.ts";
import { podSpecOf } from "../../lib/render/pod_templates.ts";
import { ProcessRenderer } from "../../lib/render/process_renderer.ts";
import { refusedOf } from "../../lib/render/refuse.ts";
import { RenderError } from "../../lib/render/render_error.ts";
import type { RenderRequest } from "../../lib/render/renderer.ts";
import { systemClock } from "../../lib/runtime/clock.ts";
import { ensureRenderer } from "../../render/build.ts";

const CHART = "apiVersion: v2\nname: shop\nversion: 1.0.0\n";
const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata: { name: {{ .Release.Name }} }
spec: { template: { spec: { containers: [{ name: app, image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}" }] } } }
`;
const INGRESS = `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web }
spec: { rules: [{ host: shop.example.org, http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: web, port: { number: 80 } } } }] } }] }
`;
const IMAGE = { repository: "registry.example.com/acme/shop", tag: "v2", digest: `sha256:${"a".repeat(64)}` };
const PINNED = `registry.example.com/acme/shop:v2@${IMAGE.digest}`;

/** A folder with files, and the renderer. */
class Checkout implements AsyncDisposable {
  private constructor(readonly root: string, readonly renderer: ProcessRenderer) {}

  static async of(files: Record<string, string>): Promise<Checkout> {
    const root = await Deno.makeTempDir({ prefix: "maquette-checkout-" });
    for (const [name, text] of Object.entries(files)) {
      await Deno.mkdir(`${root}/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
      await Deno.writeTextFile(`${root}/${name}`, text);
    }
    return new Checkout(root, new ProcessRenderer({ path: await ensureRenderer(), clock: systemClock }));
  }

  helm(more: Partial<Extract<RenderRequest, { type: "helm" }>> = {}): RenderRequest {
    const release = { releaseName: "shop", namespace: "team-shop-pr-7", kubeVersion: "v1.36.3" };
    return { type: "helm", root: this.root, path: ".", ...release, ...more };
  }

  async failure(request: RenderRequest): Promise<RenderError> {
    const error = await this.renderer.render(request).then(() => undefined, (reason) => reason);
    assert.ok(error instanceof RenderError, `no RenderError: ${error}`);
    return error;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.root, { recursive: true });
  }
}

Deno.test("a chart is rendered with image, host and variables in it", async () => {
  const values = "image: { repository: nginx, tag: latest }\n";
  const files = {
    "Chart.yaml": CHART,
    "values.yaml": values,
    "templates/d.yaml": DEPLOYMENT,
    "templates/i.yaml": INGRESS,
  };
  await using checkout = await Checkout.of(files);
  const rendering = await checkout.renderer.render(checkout.helm({ inject: { image: IMAGE } }));
  const done = inject(rendering, {
    image: IMAGE,
    env: [{ name: "STAGE", value: "pr-7" }],
    ingress: { host: "pr-7.example.com" },
  });
  const [web, ingress] = done.objects;
  assert.deepEqual(podSpecOf(web!.object)!.containers, [
    { name: "app", image: PINNED, env: [{ name: "STAGE", value: "pr-7" }] },
  ]);
  assert.equal(ingress!.object.spec.rules[0].host, "pr-7.example.com");
  assert.deepEqual(done.injected.map(({ where }) => where), [
    "values.image",
    "Deployment/shop container app",
    "Deployment/shop container app",
    "Ingress/web",
  ]);
  assert.deepEqual(refusedOf(done, { namespace: "team-shop-pr-7" }), []);
});

Deno.test("a kustomization and manifests are rendered", async () => {
  const pod =
    `apiVersion: v1\nkind: Pod\nmetadata: { name: web }\nspec: { containers: [{ name: app, image: shop }] }\n`;
  await using checkout = await Checkout.of({
    "app/kustomization.yaml": "resources: [pod.yaml]\n",
    "app/pod.yaml": pod,
  });
  const { root, renderer } = checkout;
  const built = await renderer.render({
    type: "kustomize",
    root,
    path: "app",
    namespace: "here",
    inject: { image: IMAGE },
  });
  assert.deepEqual([built.objects[0]!.source, built.objects[0]!.object.metadata.namespace], ["app/pod.yaml", "here"]);
  assert.equal(podSpecOf(built.objects[0]!.object)!.containers![0]!.image, PINNED);
  const read = await renderer.render({ type: "manifest", root, path: "app/pod.yaml" });
  assert.equal(inject(read, { image: IMAGE }).objects[0]!.object.spec.containers[0].image, PINNED);
});

const HOSTILE: Record<string, [template: string, limits: RenderRequest["limits"], reason: string]> = {
  "a template without end": [
    "{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}",
    { seconds: 0.5 },
    "TimeExceeded",
  ],
  "a list of a billion": ["{{ until 1000000000 | len }}", {}, "MemoryExceeded"],
  "a text of 10 GB": ['{{ repeat 1000000000 "xxxxxxxxxx" }}', {}, "MemoryExceeded"],
  "10 MB of output": ['a: {{ repeat 10485760 "x" }}', {}, "OutputTooLarge"],
  "lookup": ['{{ lookup "v1" "Secret" "kube-system" "" }}', {}, "LookupRefused"],
};

for (const [name, [template, limits, reason]] of Object.entries(HOSTILE)) {
  Deno.test(`${name} ends in an error with a reason, and the renderer goes on`, async () => {
    await using checkout = await Checkout.of({ "Chart.yaml": CHART, "templates/t.yaml": template });
    assert.equal((await checkout.failure(checkout.helm({ limits }))).reason, reason);
    await Deno.writeTextFile(`${checkout.root}/templates/t.yaml`, INGRESS);
    assert.equal((await checkout.renderer.render(checkout.helm())).objects.length, 1);
  });
}

Deno.test("an error names file and line", async () => {
  await using checkout = await Checkout.of({ "Chart.yaml": CHART, "templates/t.yaml": 'a: b\n{{ fail "why" }}' });
  const { message, place, isTemporary } = await checkout.failure(checkout.helm());
  assert.equal(message, "templates/t.yaml:2: why");
  assert.deepEqual([place, isTemporary], [{ file: "templates/t.yaml", line: 2 }, false]);
});
