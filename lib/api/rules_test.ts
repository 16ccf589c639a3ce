import assert from "node:assert/strict";
import { z } from "zod";
import { text } from "./fields.ts";
import { celField, withRules } from "./rules.ts";

const range = withRules(
  z.object({ low: z.int(), high: z.int(), name: text(0, 3) }),
  {
    cel: "self.low <= self.high",
    holds: ({ low, high }) => low <= high,
    field: ["low"],
    reads: ["low", "high"],
    message: "Must be at most high",
  },
  { cel: "self.low != 13", holds: ({ low }) => low !== 13, field: ["low"], reads: ["low"], message: "Must not be 13" },
);

const CASES: Record<string, [value: unknown, problems: string[]]> = {
  "holds": [{ low: 1, high: 2, name: "a" }, []],
  "is broken": [{ low: 3, high: 2, name: "a" }, ["low: Must be at most high"]],
  "is broken while an unrelated field is wrong": [
    { low: 3, high: 2, name: 7 },
    ["name: Invalid input: expected string, received number", "low: Must be at most high"],
  ],
  "reads a field that is wrong itself": [
    { low: "3", high: 2, name: "a" },
    ["low: Invalid input: expected number, received string"],
  ],
  "reads a field that an earlier rule refused": [{ low: 13, high: 2, name: "a" }, ["low: Must be at most high"]],
  "has no object to look at": [null, [": Invalid input: expected object, received null"]],
};

for (const [sentence, [value, problems]] of Object.entries(CASES)) {
  Deno.test(`withRules(): one mistake is one problem where a rule ${sentence}`, () => {
    const issues = range.safeParse(value).error?.issues ?? [];
    assert.deepEqual(issues.map(({ path, message }) => `${path.join(".")}: ${message}`), problems);
  });
}

Deno.test("celField() spells what CEL cannot name", () => {
  assert.equal(celField("image_tag"), "image_tag");
  assert.equal(celField("namespace"), "__namespace__");
  assert.equal(celField("ephemeral-storage"), "ephemeral__dash__storage");
  assert.equal(celField("a__b.c/d"), "a__underscores__b__dot__c__slash__d");
});
