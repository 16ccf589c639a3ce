import assert from "node:assert/strict";
import type { KubeObject } from "../api/object.ts";
import { type Changes, changesFor, countOf, withinReach } from "./changes.ts";
import { withDigest } from "./differs.ts";
import { gadget } from "./fake_owner.ts";
import { NAMESPACE } from "../api/resources.ts";
import { ownerLabels, stamp } from "./ownership.ts";

const OWNER = gadget();

function wish(name: string, value = "1", kind = "ConfigMap"): KubeObject {
  return { apiVersion: "v1", kind, metadata: { name, namespace: "elsewhere" }, data: { value } };
}

/** As the API server has it, after it was applied. */
function there(name: string, metadata: Partial<KubeObject["metadata"]> = {}, value = "1"): KubeObject {
  const applied = withDigest(stamp(wish(name, value), OWNER));
  return { ...applied, metadata: { ...applied.metadata, uid: `uid-${name}`, resourceVersion: "5", ...metadata } };
}

function brief({ create, update, remove, leaving }: Changes): Record<string, string[]> {
  return {
    create: create.map(({ metadata }) => metadata.name),
    update: update.map(({ desired, why }) => `${desired.metadata.name}: ${why}`),
    remove: remove.map(({ metadata }) => metadata.name),
    leaving: leaving.map(({ metadata }) => metadata.name),
  };
}

const LEAVING = { deletionTimestamp: "2026-01-01T00:00:00Z" };
const POD_OF_JOB = [{ apiVersion: "batch/v1", kind: "Job", name: "j", uid: "uid-job", controller: true }];
const OURS = [{ apiVersion: OWNER.apiVersion, kind: "Gadget", name: "g", uid: "uid-g", controller: true }];

const cases: Record<
  string,
  [desired: KubeObject[], owned: KubeObject[], expected: Partial<Record<keyof Changes, string[]>>]
> = {
  "nothing wanted, nothing there": [[], [], {}],
  "what is missing is made": [[wish("a")], [], { create: ["a"] }],
  "what came from a source is left to who deploys it": [[], [
    there("a", { labels: { ...ownerLabels(OWNER), "maquette.dev/deployed": "true" } }),
  ], {}],
  "what is right stays": [[wish("a")], [there("a")], {}],
  "what drifted is set back": [[wish("a")], [there("a", {}, "2")], {
    update: [`a: metadata.annotations.maquette.dev/applied`],
  }],
  "what somebody edited is set back": [
    [wish("a")],
    [{ ...there("a"), data: { value: "theirs" } }],
    { update: ["a: data.value"] },
  ],
  "what lost its annotation is set back": [
    [wish("a")],
    [there("a", { annotations: {} })],
    { update: ["a: metadata.annotations.maquette.dev/owner"] },
  ],
  "what is wanted no more goes": [[], [there("a")], { remove: ["a"] }],
  "what goes already is not deleted again": [[], [there("a", LEAVING)], {}],
  "what is wanted and goes must be gone first": [[wish("a")], [there("a", LEAVING)], { leaving: ["a"] }],
  "a name of another kind is another child": [
    [wish("a", "1", "Secret")],
    [there("a")],
    { create: ["a"], remove: ["a"] },
  ],
  "what a child of ours made with our labels goes with it": [[], [there("pod", { ownerReferences: POD_OF_JOB })], {}],
  "what we control ourselves goes when it is wanted no more": [[], [there("a", { ownerReferences: OURS })], {
    remove: ["a"],
  }],
};

for (const [name, [desired, owned, expected]] of Object.entries(cases)) {
  Deno.test(`promise 4: changesFor(): ${name}`, () => {
    const changes = changesFor(OWNER, desired, owned);
    assert.deepEqual(brief(changes), { create: [], update: [], remove: [], leaving: [], ...expected });
    assert.equal(countOf(changes), Object.values(expected).flat().length);
  });
}

Deno.test("changesFor() marks what it wants as its owner's", () => {
  const { create } = changesFor(OWNER, [wish("a")], []);
  assert.equal(create[0]!.metadata.labels!["maquette.dev/owner-uid"], "uid-g");
});

const ROOT = { resource: NAMESPACE, name: "target" };
const REACH: Record<string, { kind?: string; at: Partial<KubeObject["metadata"]>; reached: boolean }> = {
  "a child in the owner's own namespace": { at: { namespace: "default" }, reached: true },
  "a child in a namespace that it wants children in": { at: { namespace: "elsewhere" }, reached: true },
  "a child in a namespace that its deletion ends": { at: { namespace: "target" }, reached: true },
  "a copy that was restored into another namespace": { at: { namespace: "restored" }, reached: false },
  "the namespace that its deletion ends": { kind: "Namespace", at: { name: "target" }, reached: true },
  "another namespace with its label": { kind: "Namespace", at: { name: "restored" }, reached: false },
  "its own namespace with its label": { kind: "Namespace", at: { name: "default" }, reached: false },
};

for (const [name, { kind = "ConfigMap", at, reached }] of Object.entries(REACH)) {
  Deno.test(`an owner answers for ${name}: ${reached}`, () => {
    const object = { ...there("a"), kind, metadata: { name: "a", labels: ownerLabels(OWNER), ...at } };
    const found = withinReach([object], OWNER, { desired: [wish("other")], roots: [ROOT] });
    assert.equal(found.length === 1, reached);
  });
}
