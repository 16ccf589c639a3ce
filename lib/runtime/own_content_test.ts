import assert from "node:assert/strict";
import type { KubeObject } from "../api/object.ts";
import { changesFor } from "./changes.ts";
import { filled, withoutContent, withOwnContent } from "./copies.ts";
import { withDigest } from "./differs.ts";
import { gadget } from "./fake_owner.ts";
import { stamp } from "./ownership.ts";

const OWNER = gadget();

function settings(data: Record<string, string>): KubeObject {
  return withOwnContent({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", namespace: "default" }, data });
}

/** As the cache has it after it was applied and perhaps edited. */
function cached(data: Record<string, string>, edited = data): KubeObject {
  const applied = withDigest(stamp(settings(data), OWNER));
  return withoutContent({ ...applied, data: edited });
}

function updates(desired: KubeObject, observed: KubeObject): number {
  return changesFor(OWNER, [desired], [observed]).update.length;
}

Deno.test("content of its own is compared without being cached", () => {
  assert.equal("data" in cached({ a: "1" }), false);
  assert.equal(updates(settings({ a: "1" }), cached({ a: "1" })), 0);
});

Deno.test("content that is wanted otherwise is written", () => {
  assert.equal(updates(settings({ a: "2" }), cached({ a: "1" })), 1);
});

Deno.test("content that somebody edited is set back", () => {
  assert.equal(updates(settings({ a: "1" }), cached({ a: "1" }, { a: "forged" })), 1);
});

Deno.test("content of its own is written as it is, without a look at anything", async () => {
  const kube = { get: (): never => assert.fail("It has no source") };
  const resource = { group: "", version: "v1", kind: "ConfigMap", plural: "configmaps", namespaced: true };
  assert.deepEqual((await filled(settings({ a: "1" }), resource, kube)).data, { a: "1" });
});

Deno.test("a claim carries its owner's marks, and no ownerReference that would delete it", () => {
  const claim = { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { name: "a", namespace: "default" } };
  const { labels, ownerReferences } = stamp(claim, OWNER).metadata;
  assert.equal(labels?.["maquette.dev/owner-uid"], "uid-g");
  assert.equal(ownerReferences, undefined);
});
