import assert from "node:assert/strict";
import { z } from "zod";
import { list, listMap, matching, text, time } from "./fields.ts";

function messagesOf(schema: z.ZodType, value: unknown): string[] {
  const { error } = schema.safeParse(value);
  return (error?.issues ?? []).map(({ path, message }) => [...path, message].join(": "));
}

Deno.test("text() counts characters and not UTF-16 units", () => {
  assert.deepEqual(messagesOf(text(2, 3), "🚀🚀🚀"), []);
  assert.deepEqual(messagesOf(text(2, 3), "🚀🚀🚀🚀"), ["Must have at most 3 characters"]);
  assert.deepEqual(messagesOf(text(2, 3), "🚀"), ["Must have at least 2 characters"]);
  assert.deepEqual(messagesOf(text(1, 3), ""), ["Must not be empty"]);
  assert.deepEqual(messagesOf(text(0, 3), ""), []);
});

Deno.test("matching() does not search a text that is too long", () => {
  const evil = matching("^(a|a)*$", { max: 20, message: "Must be many a" });
  assert.deepEqual(messagesOf(evil, "a".repeat(100) + "b"), ["Must have at most 20 characters"]);
  assert.deepEqual(messagesOf(evil, "aab"), ["Must be many a"]);
});

Deno.test("listMap() names every item that repeats a key, also beside items of a wrong type", () => {
  const schema = listMap(z.object({ name: text(1, 9) }), { key: "name", max: 9 });
  const [a, b] = [{ name: "a" }, { name: "b" }];
  const repeated = "Must have a name that no other item of the list has";
  assert.deepEqual(messagesOf(schema, [a, b, a, a, b]), [`2: ${repeated}`, `3: ${repeated}`, `4: ${repeated}`]);
  assert.equal(messagesOf(schema, [a, 7, {}, {}, null, a]).at(-1), `5: ${repeated}`);
});

Deno.test("list() has a largest number of items", () => {
  assert.deepEqual(messagesOf(list(z.boolean(), 1), [true, true]), ["Must have at most 1 items"]);
});

Deno.test("time() takes what the runtime writes", () => {
  for (const written of ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05+02:00"]) {
    assert.deepEqual(messagesOf(time(), written), []);
  }
  assert.equal(messagesOf(time(), "tomorrow").length, 1);
});
