import assert from "node:assert/strict";
import type { KubeObject } from "../../api/object.ts";
import { withPullSecret } from "./pull_secret.ts";

const REPOSITORY = "registry.example.com/acme/shop";

function deployment(image: string, spec: Record<string, unknown> = {}): KubeObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web" },
    spec: { template: { spec: { containers: [{ name: "app", image }], ...spec } } },
  };
}

function secretsOf(object: KubeObject): unknown {
  return withPullSecret(object, { name: "push", repository: REPOSITORY }).spec.template.spec.imagePullSecrets;
}

Deno.test("withPullSecret() lets Pods pull what was built, by tag and by digest, beside what they pull with already", () => {
  assert.deepEqual(secretsOf(deployment(`${REPOSITORY}:v1`)), [{ name: "push" }]);
  assert.deepEqual(secretsOf(deployment(`${REPOSITORY}@sha256:1`)), [{ name: "push" }]);
  const other = { imagePullSecrets: [{ name: "other" }] };
  assert.deepEqual(secretsOf(deployment(`${REPOSITORY}:v1`, other)), [{ name: "other" }, { name: "push" }]);
  assert.deepEqual(secretsOf(deployment(`${REPOSITORY}:v1`, { imagePullSecrets: [{ name: "push" }] })), [
    { name: "push" },
  ]);
});

Deno.test("withPullSecret() leaves others as they are", () => {
  for (const image of [`${REPOSITORY}-admin:v1`, "nginx:1", `other/${REPOSITORY}:v1`]) {
    assert.equal(secretsOf(deployment(image)), undefined, image);
  }
});
