import assert from "node:assert/strict";
import type { KubeObject } from "../../api/object.ts";
import { marked } from "../../deploy/wanted.ts";
import { renderingOf } from "../../render/fake_renderer.ts";
import { hook } from "../../render/test_objects.ts";
import { prepared, type RenderingInput } from "./rendering.ts";
import { COMMIT, environment, project, SETTINGS } from "./test_objects.ts";

const INPUT: RenderingInput = {
  owner: environment(),
  project: project(),
  settings: SETTINGS,
  commit: COMMIT,
  host: "shop-dev.preview.example.com",
  kubeVersion: "v1.36.3",
  reserved: new Set(["NetworkPolicy/isolation"]),
};

function object(apiVersion: string, kind: string, metadata: Partial<KubeObject["metadata"]> = {}): KubeObject {
  return { apiVersion, kind, metadata: { name: "web", ...metadata } };
}

Deno.test("prepared() leaves out a chart's NetworkPolicies with a warning, whatever they are called", () => {
  const policies = ["web", "isolation"].map((name) => object("networking.k8s.io/v1", "NetworkPolicy", { name }));
  const { objects, refused, warnings } = prepared(renderingOf([object("v1", "Service"), ...policies]), INPUT);
  assert.deepEqual(objects.map(({ kind }) => kind), ["Service"]);
  assert.deepEqual(refused, []);
  assert.deepEqual(warnings.map(({ reason, message }) => [reason, message.split(":")[0]]), [
    ["NetworkPolicyLeftOut", 'NetworkPolicy "web" is left out'],
    ["NetworkPolicyLeftOut", 'NetworkPolicy "isolation" is left out'],
  ]);
});

Deno.test("prepared() gives an Ingress its only host: annotations that claim others are left out with a warning", () => {
  const claim = "nginx.ingress.kubernetes.io/server-alias";
  const given = object("networking.k8s.io/v1", "Ingress", { annotations: { [claim]: "shop.example.org", a: "b" } });
  const { objects: [ingress], warnings } = prepared(renderingOf([given]), INPUT);
  assert.deepEqual(ingress!.metadata.annotations, { a: "b" });
  assert.equal(ingress!.spec.rules[0].host, INPUT.host);
  assert.deepEqual(warnings.map(({ reason }) => reason), ["AnnotationsLeftOut"]);
});

Deno.test("prepared() refuses Maquette's marks on objects and hooks, and sets none itself: those come after it", () => {
  const forged = object("batch/v1", "Job", { labels: { "maquette.dev/build": "a" } });
  const judged = prepared(renderingOf([forged], { hooks: [hook(forged)] }), INPUT);
  assert.deepEqual(judged.refused.map(({ message }) => message.split(" has ")[0]), [
    "Job.yaml: Job/web",
    "hook.yaml: Job/web",
  ]);
  const { objects, refused } = prepared(renderingOf([object("v1", "Service")]), INPUT);
  assert.deepEqual(refused, []);
  assert.equal(objects[0]!.metadata.labels, undefined);
  assert.equal(marked(objects[0]!, INPUT.owner).metadata.labels!["maquette.dev/owner-uid"], "uid-of-dev");
});
