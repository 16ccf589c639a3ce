import assert from "node:assert/strict";
import { isNewer } from "./version.ts";

const pairs: Record<string, [a: string | undefined, b: string | undefined, expected: boolean]> = {
  "a greater number": ["11", "10", true],
  "a smaller number": ["10", "11", false],
  "the same number": ["10", "10", false],
  "a digit more": ["100", "99", true],
  "a digit less": ["99", "100", false],
  "beyond safe integers": ["9007199254740993", "9007199254740992", true],
  "beyond safe integers, the same": ["9007199254740993", "9007199254740993", false],
  "some version, and none": ["1", undefined, true],
  "no version, and some": [undefined, "1", false],
  "no version, and none": [undefined, undefined, false],
};

for (const [name, [a, b, expected]] of Object.entries(pairs)) {
  Deno.test(`isNewer(): ${name}`, () => assert.equal(isNewer(a, b), expected));
}
