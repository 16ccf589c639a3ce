import assert from "node:assert/strict";
import { sourceKey, sourcesOf, usedSources } from "./sources.ts";
import { preview, SETTINGS } from "./test_objects.ts";

function secretEnv(name: string, optional?: boolean): unknown {
  return { name: `E_${name.toUpperCase()}`, valueFrom: { secretKeyRef: { name, key: "k", optional } } };
}

const USED: Record<string, { spec: Record<string, unknown>; used: string[] }> = {
  "nothing": { spec: {}, used: [] },
  "keys of Secrets and ConfigMaps": {
    spec: { env: [secretEnv("a"), { name: "B", valueFrom: { configMapKeyRef: { name: "b", key: "k" } } }] },
    used: ["Secret team-a/a", "ConfigMap team-a/b"],
  },
  "whole Secrets and ConfigMaps": {
    spec: { env_from: [{ secretRef: { name: "a" } }, { configMapRef: { name: "b" } }] },
    used: ["Secret team-a/a", "ConfigMap team-a/b"],
  },
  "pull secrets": { spec: { image_pull_secrets: [{ name: "pull" }] }, used: ["Secret team-a/pull"] },
  "values and fields of the Pod are no sources": {
    spec: { env: [{ name: "A", value: "x" }, { name: "B", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } }] },
    used: [],
  },
  "each once, however often it is used": {
    spec: { env: [secretEnv("a")], env_from: [{ secretRef: { name: "a" } }], image_pull_secrets: [{ name: "a" }] },
    used: ["Secret team-a/a"],
  },
  "a Secret and a ConfigMap of one name are two": {
    spec: { env_from: [{ secretRef: { name: "a" } }, { configMapRef: { name: "a" } }] },
    used: ["Secret team-a/a", "ConfigMap team-a/a"],
  },
  "what is optional": { spec: { env: [secretEnv("a", true)] }, used: ["Secret team-a/a?"] },
  "optional here and needed there is needed": {
    spec: { env: [secretEnv("a", true)], env_from: [{ secretRef: { name: "a" } }] },
    used: ["Secret team-a/a"],
  },
  "needed here and optional there is needed": {
    spec: { env: [secretEnv("a")], env_from: [{ secretRef: { name: "a", optional: true } }] },
    used: ["Secret team-a/a"],
  },
};

for (const [sentence, { spec, used }] of Object.entries(USED)) {
  Deno.test(`usedSources(): ${sentence}`, () => {
    assert.deepEqual(usedSources(preview(spec)).map((ref) => sourceKey(ref) + (ref.isOptional ? "?" : "")), used);
  });
}

Deno.test("sourcesOf() has the wildcard certificate of the operator's namespace, and only in that mode", () => {
  const owner = preview({ image_pull_secrets: [{ name: "pull" }] });
  const wildcard = { ...SETTINGS, tls: { mode: "wildcard", secret: "wild" } as const };
  assert.deepEqual(sourcesOf(owner, wildcard).map(sourceKey), ["Secret maquette-system/wild", "Secret team-a/pull"]);
  assert.deepEqual(sourcesOf(owner, wildcard)[0]!.isOptional, false);
  assert.deepEqual(sourcesOf(owner, SETTINGS).map(sourceKey), ["Secret team-a/pull"]);
  assert.deepEqual(sourcesOf(owner, { ...SETTINGS, tls: { mode: "none" } }).map(sourceKey), ["Secret team-a/pull"]);
});
