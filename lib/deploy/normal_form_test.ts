import assert from "node:assert/strict";
import type { KubeObject } from "../api/object.ts";
import { gadget } from "../runtime/fake_owner.ts";
import { RENDERED } from "./fake_deployment.ts";
import { normalForm, podTemplateOf } from "./normal_form.ts";
import { marked } from "./wanted.ts";

const { app, config, migration, service } = RENDERED;

function spec(object: KubeObject): unknown {
  return normalForm(object, "pr-7").spec;
}

Deno.test("normalForm() puts the object into the namespace and leaves out what is the cluster's to write", () => {
  const rendered = {
    ...config,
    metadata: {
      ...config.metadata,
      creationTimestamp: null as unknown as undefined,
      uid: "u",
      resourceVersion: "1",
      generation: 4,
      ownerReferences: [],
      labels: { a: "b" },
      annotations: undefined,
    },
    status: {},
  };
  assert.deepEqual(normalForm(rendered, "pr-7"), {
    ...config,
    metadata: { name: "settings", namespace: "pr-7", labels: { a: "b" } },
  });
});

Deno.test("normalForm() leaves out what says nothing, of built-in kinds also what the server drops", () => {
  const container = { name: "app", tty: false, volumeMounts: [{ name: "v", readOnly: false }], command: null };
  const pods = {
    template: { spec: { hostNetwork: false, automountServiceAccountToken: false, containers: [container] } },
  };
  assert.deepEqual(spec({ ...app, spec: { ...pods, paused: false, minReadySeconds: 0, replicas: 0 } }), {
    replicas: 0,
    template: {
      spec: { automountServiceAccountToken: false, containers: [{ name: "app", volumeMounts: [{ name: "v" }] }] },
    },
  });
  const widget = { apiVersion: "example.com/v1", kind: "Widget", metadata: { name: "w" }, spec: { paused: false } };
  assert.deepEqual(spec(widget), { paused: false });
});

Deno.test("normalForm() folds a Secret's texts into its data, and writes base64 in one line", () => {
  const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "s" }, data: { a: "QU\nFB\n", b: "Qg==" } };
  const { data, stringData } = normalForm({ ...secret, stringData: { b: "ü" } }, "pr-7");
  assert.deepEqual([data, stringData], [{ a: "QUFB", b: "w7w=" }, undefined]);
});

Deno.test("normalForm() lets no Job end its own life: it would be made again and run again", () => {
  assert.deepEqual(spec({ ...migration, spec: { ...migration.spec, ttlSecondsAfterFinished: 5 } }), migration.spec);
});

Deno.test("normalForm() leaves the number of Pods to an autoscaler", () => {
  assert.equal(normalForm(app, "pr-7", { isScaled: true }).spec.replicas, undefined);
});

Deno.test("normalForm() changes nothing of what it is given", () => {
  const before = structuredClone(app);
  marked(normalForm(app, "pr-7", { isScaled: true }), gadget());
  assert.deepEqual(app, before);
});

const template = { metadata: { labels: { a: "b" } } };
const TEMPLATES: Record<string, [object: Partial<KubeObject>, template: unknown]> = {
  "a Deployment": [{ apiVersion: "apps/v1", kind: "Deployment", spec: { template } }, template],
  "a CronJob": [
    { apiVersion: "batch/v1", kind: "CronJob", spec: { jobTemplate: { spec: { template } } } },
    template,
  ],
  "a Service": [service, undefined],
  "a custom resource with something like it": [
    { apiVersion: "x.io/v1", kind: "Deployment", spec: { template } },
    undefined,
  ],
  "a Deployment without one": [{ apiVersion: "apps/v1", kind: "Deployment" }, undefined],
};

for (const [name, [object, expected]] of Object.entries(TEMPLATES)) {
  Deno.test(`podTemplateOf(): ${name}`, () => assert.deepEqual(podTemplateOf(object as KubeObject), expected));
}

Deno.test("marked() says whose it is, and leaves the labels that selectors go by", () => {
  const { labels, annotations } = marked(normalForm(service, "pr-7"), gadget()).metadata;
  assert.deepEqual(labels, {
    "app.kubernetes.io/instance": "shop",
    "app.kubernetes.io/managed-by": "maquette",
    "app.kubernetes.io/part-of": "gadget",
    "maquette.dev/deployed": "true",
    "maquette.dev/owner-uid": "uid-g",
  });
  assert.equal(annotations?.["maquette.dev/owner"], "Gadget.test.example.com/default/g");
});

Deno.test("marked() marks Pods with their owner, and never changes a label that they have", () => {
  const helm = structuredClone(app) as KubeObject;
  helm.spec.template.metadata.labels["app.kubernetes.io/managed-by"] = "Helm";
  const labels = (object: KubeObject): unknown =>
    marked(normalForm(object, "pr-7"), gadget()).spec.template.metadata.labels;
  assert.deepEqual(labels(helm), {
    app: "shop",
    "app.kubernetes.io/managed-by": "Helm",
    "maquette.dev/owner-uid": "uid-g",
  });
  assert.deepEqual(labels(app), {
    app: "shop",
    "app.kubernetes.io/managed-by": "maquette",
    "maquette.dev/owner-uid": "uid-g",
  });
});

Deno.test("marked() shows a change of a Secret's content by its digests, and nothing of the content", () => {
  const secret = (password: string): KubeObject => {
    const object = { apiVersion: "v1", kind: "Secret", metadata: { name: "s" }, stringData: { password } };
    return marked(normalForm(object, "pr-7"), gadget());
  };
  const annotation = (name: string, password: string): string => secret(password).metadata.annotations![name]!;
  for (const name of ["maquette.dev/applied", "maquette.dev/content"]) {
    assert.notEqual(annotation(name, "a"), annotation(name, "b"));
    assert.equal(annotation(name, "a"), annotation(name, "a"));
  }
  assert.equal(annotation("maquette.dev/content", "a").length, 8);
});
