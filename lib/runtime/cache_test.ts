import assert from "node:assert/strict";
import type { KubeObject } from "../api/object.ts";
import { Cache } from "./cache.ts";

function object(version: string | undefined, value = version): KubeObject {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "a", namespace: "x", resourceVersion: version },
    value,
  };
}

Deno.test("put() takes what is newer and nothing else", () => {
  const cache = new Cache();
  assert.equal(cache.put(object("10"))?.type, "ADDED");
  assert.equal(cache.put(object("10", "same")), undefined);
  assert.equal(cache.put(object("9", "older")), undefined);
  assert.equal(cache.put(object(undefined, "unknown")), undefined);
  const change = cache.put(object("11"));
  assert.deepEqual([change?.type, change?.old?.value, change?.object.value], ["MODIFIED", "10", "11"]);
  assert.equal(cache.get("x/a")?.value, "11");
});

Deno.test("remove() takes away what is no newer than the deletion", () => {
  const cache = new Cache();
  cache.put(object("10"));
  assert.equal(cache.remove("x/a", "9"), undefined);
  assert.equal(cache.remove("x/a", "10")?.type, "DELETED");
  assert.equal(cache.remove("x/a", "11"), undefined);
  assert.equal(cache.size, 0);
});

Deno.test("put() does not bring back what was deleted later, also when it was never there", () => {
  const cache = new Cache();
  cache.remove("x/a", "20");
  assert.equal(cache.put(object("19")), undefined);
  assert.equal(cache.put(object("20")), undefined);
  assert.equal(cache.put(object("21"))?.type, "ADDED");
});

Deno.test("ten thousand deletions are remembered, and no more", () => {
  const cache = new Cache();
  cache.remove("x/a", "20");
  for (let i = 0; i < 9_999; i++) cache.remove(`x/other-${i}`, "20");
  assert.equal(cache.put(object("19")), undefined);
  cache.remove("x/one-more", "20");
  assert.equal(cache.put(object("19"))?.type, "ADDED");
});

Deno.test("an index finds what was there before it was made, and forgets what changed or went", () => {
  const cache = new Cache();
  cache.put(object("1", "red"));
  cache.addIndex("value", ({ value }) => [value, "all"]);
  assert.equal(cache.indexed("value", "red").length, 1);
  cache.put(object("2", "blue"));
  assert.deepEqual(["red", "blue", "all"].map((value) => cache.indexed("value", value).length), [0, 1, 1]);
  cache.remove("x/a", "3");
  assert.deepEqual(["blue", "all"].map((value) => cache.indexed("value", value).length), [0, 0]);
  assert.deepEqual(cache.indexed("unknown", "red"), []);
});

Deno.test("an object that an index throws on is refused as a whole, and the next version is not", () => {
  const cache = new Cache();
  cache.put(object("1", "red"));
  cache.addIndex("value", ({ value }) => [value.toUpperCase()]);
  assert.throws(() => cache.put({ ...object("2"), value: null }));
  assert.equal(cache.get("x/a")?.value, "red");
  assert.equal(cache.put(object("3", "blue"))?.old?.value, "red");
  assert.deepEqual(["RED", "BLUE"].map((value) => cache.indexed("value", value).length), [0, 1]);
});
