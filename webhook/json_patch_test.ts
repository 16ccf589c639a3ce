import assert from "node:assert/strict";
import fc from "fast-check";
import { patchBetween, type PatchOperation } from "./json_patch.ts";
import { applied } from "./testing.ts";

const CASES: Record<string, { before: unknown; after: unknown; patch: PatchOperation[] }> = {
  "equal values need no operation": { before: { a: [1, { b: 2 }] }, after: { a: [1, { b: 2 }] }, patch: [] },
  "a new field is added": { before: { a: 1 }, after: { a: 1, b: 2 }, patch: [{ op: "add", path: "/b", value: 2 }] },
  "a changed field is replaced": {
    before: { a: 1 },
    after: { a: 2 },
    patch: [{ op: "replace", path: "/a", value: 2 }],
  },
  "a field that is left out is removed": { before: { a: 1 }, after: {}, patch: [{ op: "remove", path: "/a" }] },
  "a field that is undefined counts as left out": {
    before: { a: 1, b: undefined },
    after: { a: undefined, b: undefined },
    patch: [{ op: "remove", path: "/a" }],
  },
  "objects are compared field by field": {
    before: { spec: { a: { x: 1, y: 1 } } },
    after: { spec: { a: { x: 1, y: 2 } } },
    patch: [{ op: "replace", path: "/spec/a/y", value: 2 }],
  },
  "a list is replaced as a whole": {
    before: { f: ["a"] },
    after: { f: ["a", "b"] },
    patch: [{ op: "replace", path: "/f", value: ["a", "b"] }],
  },
  "slashes and tildes are escaped": {
    before: {},
    after: { "a/b~c": 1 },
    patch: [{ op: "add", path: "/a~1b~0c", value: 1 }],
  },
  "null is a value": { before: { a: null }, after: { a: 1 }, patch: [{ op: "replace", path: "/a", value: 1 }] },
  "an object that becomes a list is replaced": {
    before: { a: {} },
    after: { a: [] },
    patch: [{ op: "replace", path: "/a", value: [] }],
  },
  "what every object inherits is no field": {
    before: {},
    after: JSON.parse('{"__proto__":{"x":1},"constructor":2}'),
    patch: [{ op: "add", path: "/__proto__", value: { x: 1 } }, { op: "add", path: "/constructor", value: 2 }],
  },
};

for (const [sentence, { before, after, patch }] of Object.entries(CASES)) {
  Deno.test(`patchBetween(): ${sentence}`, () => {
    assert.deepEqual(patchBetween(before, after), patch);
  });
}

Deno.test("patchBetween() turns any object into any other", () => {
  const name = fc.oneof(fc.constantFrom("a", "b", "a/b", "~1", ""), fc.string({ maxLength: 3 }));
  const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.dictionary(name, fc.dictionary(name, fc.jsonValue())));
  const object = fc.dictionary(name, value).map((made) => JSON.parse(JSON.stringify(made)));
  fc.assert(fc.property(object, object, (before, after) => {
    assert.deepEqual(applied(before, patchBetween(before, after)), after);
  }));
});
