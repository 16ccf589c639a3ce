import assert from "node:assert/strict";
import { hasExpired, heldAmounts, isExpiring, missingSource, refusedSource } from "./checks.ts";
import type { Seen } from "./gather.ts";
import type { TlsSettings } from "./settings.ts";
import { deployment, preview, rolledOut, seen, SETTINGS } from "./test_objects.ts";

const owner = preview();
/** One Pod, of the present template, available. */
const ONE_READY = { replicas: 1, updatedReplicas: 1, availableReplicas: 1 };
/** The old Pod serves, the new one is there. */
const UPDATING = { replicas: 2, updatedReplicas: 1, availableReplicas: 1 };

Deno.test("time is over at its end and not before, and without an end never", () => {
  assert.equal(hasExpired({ expiresAt: 1000 }, 999), false);
  assert.equal(hasExpired({ expiresAt: 1000 }, 1000), true);
  assert.equal(hasExpired({}, Infinity), false);
  assert.equal(isExpiring({ expiresAt: 1000, warnAt: 900 }, 899), false);
  assert.equal(isExpiring({ expiresAt: 1000, warnAt: 900 }, 900), true);
  assert.equal(isExpiring({}, Infinity), false);
});

const twoSources = preview({
  env_from: [{ secretRef: { name: "a", optional: true } }, { configMapRef: { name: "b" } }],
});
const found = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "b", namespace: "team-a" } };

Deno.test("missingSource() is what is needed and does not exist", () => {
  assert.equal(missingSource(seen(twoSources))?.name, "b");
  assert.equal(missingSource(seen(twoSources, { sources: new Map([["ConfigMap team-a/b", found]]) })), undefined);
  assert.equal(missingSource(seen(preview())), undefined);
});

const REFUSED: Record<string, { tls: TlsSettings; spec: Record<string, unknown>; refused: boolean }> = {
  "the wildcard certificate's name in env_from": {
    tls: { mode: "wildcard", secret: "wild" },
    spec: { env_from: [{ secretRef: { name: "wild", optional: true } }] },
    refused: true,
  },
  "the wildcard certificate's name in env": {
    tls: { mode: "wildcard", secret: "wild" },
    spec: { env: [{ name: "KEY", valueFrom: { secretKeyRef: { name: "wild", key: "tls.key", optional: true } } }] },
    refused: true,
  },
  "the wildcard certificate's name as a pull secret": {
    tls: { mode: "wildcard", secret: "wild" },
    spec: { image_pull_secrets: [{ name: "wild" }] },
    refused: true,
  },
  "the wildcard certificate's name of a ConfigMap": {
    tls: { mode: "wildcard", secret: "wild" },
    spec: { env_from: [{ configMapRef: { name: "wild" } }] },
    refused: false,
  },
  "the wildcard certificate's name where there is none": {
    tls: { mode: "none" },
    spec: { env_from: [{ secretRef: { name: "wild" } }] },
    refused: false,
  },
  "the name of cert-manager's Secret": {
    tls: { mode: "cert-manager", clusterIssuer: "letsencrypt" },
    spec: { env_from: [{ secretRef: { name: "pr-7.preview.test-tls" } }] },
    refused: true,
  },
  "the name of another host's Secret": {
    tls: { mode: "cert-manager", clusterIssuer: "letsencrypt" },
    spec: { env_from: [{ secretRef: { name: "pr-8.preview.test-tls" } }] },
    refused: false,
  },
};

for (const [sentence, { tls, spec, refused }] of Object.entries(REFUSED)) {
  Deno.test(`no Pod reads the environment's certificate: ${sentence} is ${refused ? "refused" : "taken"}`, () => {
    const refusal = refusedSource(seen(preview(spec), { settings: { ...SETTINGS, tls } }));
    assert.equal(refusal !== undefined, refused);
  });
}

const quota = { apiVersion: "v1", kind: "ResourceQuota", metadata: { name: "preview" }, spec: { hard: { pods: "9" } } };

const HELD: Record<string, { parts: Partial<Seen>; holds: boolean }> = {
  "nothing where there is no quota yet": { parts: { quota: undefined }, holds: false },
  "nothing once the rollout is complete": { parts: { ...rolledOut(owner) }, holds: false },
  "what there is while the template is an older one": { parts: rolledOut(preview({ port: 1 })), holds: true },
  "what there is while the number of Pods is another": {
    parts: { deployment: deployment(preview({ replicas: 3 }), { status: ONE_READY }) },
    holds: true,
  },
  "what there is while Pods of the older template are left": {
    parts: { deployment: deployment(owner, { status: UPDATING }) },
    holds: true,
  },
  "what there is while the Deployment is away": { parts: {}, holds: true },
};

for (const [sentence, { parts, holds }] of Object.entries(HELD)) {
  Deno.test(`heldAmounts(): ${sentence}`, () => {
    assert.deepEqual(heldAmounts(seen(owner, { quota, ...parts })), holds ? { pods: "9" } : undefined);
  });
}
