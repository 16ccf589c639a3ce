import assert from "node:assert/strict";
import { canonical, compareVersions } from "./versions.ts";

Deno.test("versions are ordered number by number", () => {
  const ordered = [
    "0.9",
    "1",
    "1.9",
    "1.10",
    "1.10.1",
    "2",
    "10",
    "20260131120000",
    "99999999999999999998",
    "99999999999999999999",
  ];
  assert.deepEqual([...ordered].reverse().sort(compareVersions), ordered);
});

const SAME: Record<string, [string, string]> = {
  "zeros in front": ["1.01", "1.1"],
  "zeros at the end": ["2.0.0", "2"],
  "nothing but zeros": ["00.0", "0"],
};

for (const [what, [a, b]] of Object.entries(SAME)) {
  Deno.test(`${what} make no other version`, () => {
    assert.equal(compareVersions(a, b), 0);
    assert.equal(canonical(a), b);
  });
}
