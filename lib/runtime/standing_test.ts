import assert from "node:assert/strict";
import { type Hearing, Standing } from "./standing.ts";

const NONE = { isProven: false, isSilent: false };
const CASES: Record<string, { heard: Hearing[]; is: Partial<typeof NONE> }> = {
  "one that was never asked": { heard: [], is: {} },
  "one that answered": { heard: ["answered"], is: { isProven: true } },
  "one that was silent once": { heard: ["answered", "silent"], is: {} },
  "one that was silent twice": { heard: ["answered", "silent", "silent"], is: { isSilent: true } },
  "one that answers again": { heard: ["silent", "silent", "silent", "answered"], is: { isProven: true } },
  "one that answered in between": { heard: ["silent", "answered", "silent"], is: {} },
};

for (const [name, { heard, is }] of Object.entries(CASES)) {
  Deno.test(`Standing: ${name}`, () => {
    const standing = new Standing();
    for (const hearing of heard) standing.heard("a", hearing);
    standing.heard("b", "answered");
    assert.deepEqual({ isProven: standing.isProven("a"), isSilent: standing.isSilent("a") }, { ...NONE, ...is });
  });
}

Deno.test("Standing remembers a thousand, those that were heard of last", () => {
  const standing = new Standing();
  standing.heard("first", "answered");
  standing.heard("kept", "answered");
  for (let index = 0; index < 999; index++) {
    standing.heard(`other${index}`, "silent");
    standing.heard("kept", "answered");
  }
  assert.deepEqual([standing.isProven("first"), standing.isProven("kept")], [false, true]);
});
