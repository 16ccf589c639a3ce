import assert from "node:assert/strict";
import fc from "fast-check";
import { ANNOTATION_APPLIED } from "../api/names.ts";
import type { KubeObject } from "../api/object.ts";
import { difference, digestOf, withDigest } from "./differs.ts";

const same: Record<string, [desired: unknown, observed: unknown]> = {
  "the same leaf": [{ a: 1 }, { a: 1 }],
  "a default of the server": [{ a: 1 }, { a: 1, b: 2 }],
  "a label of somebody else": [{ metadata: { labels: { x: "1" } } }, { metadata: { labels: { x: "1", y: "1" } } }],
  "what is undefined is not wanted": [{ a: undefined }, { a: 1 }],
  "an empty object that the server left out": [{ a: {} }, {}],
  "an empty list that the server left out": [{ a: [] }, {}],
  "an empty text that the server left out": [{ env: [{ name: "E", value: "" }] }, { env: [{ name: "E" }] }],
  "an empty object that the server filled": [{ emptyDir: {} }, { emptyDir: { medium: "" } }],
  "quantities in another unit": [{ limits: { cpu: "1000m", memory: "1024Mi" } }, {
    limits: { cpu: "1", memory: "1Gi" },
  }],
  "a quantity written as a number": [{ requests: { cpu: 1 } }, { requests: { cpu: "1" } }],
  "a quantity that is a field": [{ emptyDir: { sizeLimit: "1024Mi" } }, { emptyDir: { sizeLimit: "1Gi" } }],
  "a quantity of a quota": [{ hard: { "requests.cpu": "2000m" } }, { hard: { "requests.cpu": "2" } }],
  "a quantity of a limit range": [
    { limits: [{ default: { cpu: "0.5" }, max: { memory: "1024Ki" } }] },
    { limits: [{ default: { cpu: "500m" }, max: { memory: "1Mi" } }] },
  ],
  "containers in another order": [
    { containers: [{ name: "a", image: "1" }, { name: "b" }] },
    { containers: [{ name: "b" }, { name: "a", image: "1", imagePullPolicy: "Always" }] },
  ],
  "a container that somebody injected": [{ containers: [{ name: "a" }] }, {
    containers: [{ name: "mesh" }, { name: "a" }],
  }],
  "an owner that somebody added": [{ ownerReferences: [{ uid: "1" }] }, {
    ownerReferences: [{ uid: "2" }, { uid: "1" }],
  }],
  "a mount of the service account": [
    { volumeMounts: [{ mountPath: "/a", name: "a" }] },
    { volumeMounts: [{ mountPath: "/a", name: "a" }, { mountPath: "/token", name: "t" }] },
  ],
  "keyed lists that we want nothing in": [{ env: [] }, { env: [{ name: "theirs" }] }],
  "a selector that is the same": [{ podSelector: { matchLabels: { a: "1" } } }, {
    podSelector: { matchLabels: { a: "1" } },
  }],
};

for (const [name, [desired, observed]] of Object.entries(same)) {
  Deno.test(`promise 4: no difference: ${name}`, () => assert.equal(difference(desired, observed), undefined));
}

const different: Record<string, [desired: unknown, observed: unknown, path: string]> = {
  "another leaf": [{ spec: { replicas: 1 } }, { spec: { replicas: 2 } }, "spec.replicas"],
  "a leaf that is gone": [{ spec: { replicas: 1 } }, { spec: {} }, "spec.replicas"],
  "an object that is gone": [{ spec: { a: { b: 1 } } }, {}, "spec"],
  "another type": [{ a: "1" }, { a: 1 }, "a"],
  "false is no absence": [{ automountServiceAccountToken: false }, {}, "automountServiceAccountToken"],
  "zero is no absence": [{ replicas: 0 }, { replicas: 1 }, "replicas"],
  "an empty text is no other text": [{ value: "" }, { value: "x" }, "value"],
  "a list that is longer": [{ args: ["a"] }, { args: ["a", "b"] }, "args"],
  "a list in another order": [{ args: ["a", "b"] }, { args: ["b", "a"] }, "args[0]"],
  "a list that should be empty": [{ ingress: [] }, { ingress: [{}] }, "ingress"],
  "a list that is no list": [{ args: ["a"] }, { args: "a" }, "args"],
  "a container that is gone": [
    { containers: [{ name: "a" }, { name: "b" }] },
    { containers: [{ name: "a" }] },
    "containers[1]",
  ],
  "a container that differs": [
    { containers: [{ name: "b" }, { name: "a", image: "1" }] },
    { containers: [{ name: "a", image: "2" }, { name: "b" }] },
    "containers[1].image",
  ],
  "another quantity": [{ limits: { cpu: "1" } }, { limits: { cpu: "1001m" } }, "limits.cpu"],
  "texts that only look like quantities": [{ data: { size: "1000m" } }, { data: { size: "1" } }, "data.size"],
  "a selector that somebody narrowed": [{ selector: { a: "1" } }, { selector: { a: "1", b: "1" } }, "selector"],
  "a selector of all Pods that somebody narrowed": [
    { spec: { podSelector: {} } },
    { spec: { podSelector: { matchLabels: { a: "1" } } } },
    "spec.podSelector",
  ],
  "labels to match that somebody added": [
    { from: [{ namespaceSelector: { matchLabels: { a: "1" } } }] },
    { from: [{ namespaceSelector: { matchLabels: { a: "1", b: "1" } } }] },
    "from[0].namespaceSelector.matchLabels",
  ],
};

for (const [name, [desired, observed, path]] of Object.entries(different)) {
  Deno.test(`promise 4: a difference: ${name}`, () => assert.equal(difference(desired, observed), path));
}

const CHILD: KubeObject = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "a", namespace: "x" },
  data: { a: "1", b: "1" },
};

Deno.test("promise 4: a field that is wanted no more is a difference, by the digest of what was applied", () => {
  const applied = withDigest(CHILD);
  const wanted = withDigest({ ...CHILD, data: { a: "1" } });
  assert.equal(difference(applied, applied), undefined);
  assert.equal(difference(wanted, applied), `metadata.annotations.${ANNOTATION_APPLIED}`);
});

Deno.test("promise 4: the digest is the same for the same wish, and short", () => {
  assert.equal(digestOf(CHILD), digestOf(structuredClone(CHILD)));
  assert.match(digestOf(CHILD), /^[0-9a-f]{16}$/);
  assert.notEqual(digestOf(CHILD), digestOf({ ...CHILD, data: {} }));
});

Deno.test("promise 4: whatever is applied and comes back with more in it is no difference", () => {
  const leaf = fc.oneof(fc.string(), fc.integer(), fc.boolean());
  const value = fc.letrec((tie) => ({
    any: fc.oneof({ depthSize: "small" }, leaf, fc.array(leaf, { maxLength: 3 }), tie("map")),
    map: fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), tie("any"), { maxKeys: 4 }),
  })).map;
  fc.assert(fc.property(value, (desired) => {
    const observed = { ...structuredClone(desired as Record<string, unknown>), zzzDefault: 1 };
    assert.equal(difference({ spec: { ...desired as object } }, { spec: observed, status: {} }), undefined);
  }));
});
