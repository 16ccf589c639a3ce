import assert from "node:assert/strict";
import fc from "fast-check";
import { backoffMs } from "./backoff.ts";

const BASE = { baseMs: 200, capMs: 300_000 };

const delays: Record<string, [failures: number, random: number, expected: number]> = {
  "the first failure waits half of the base at least": [1, 0, 100],
  "and less than the base": [1, 0.999_999, 200],
  "the second waits twice as long": [2, 0, 200],
  "the fifth sixteen times": [5, 0, 1_600],
  "the cap is reached": [12, 0, 150_000],
  "and never passed": [1_000_000, 0.999_999, 300_000],
};

for (const [name, [failures, random, expected]] of Object.entries(delays)) {
  Deno.test(`promise 2: backoffMs(): ${name}`, () => {
    assert.equal(Math.round(backoffMs(failures, { ...BASE, random: () => random })), expected);
  });
}

Deno.test("promise 2: backoffMs() is always within the upper half of what is due", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (failures, random) => {
        const full = Math.min(BASE.capMs, BASE.baseMs * 2 ** (failures - 1));
        const delay = backoffMs(failures, { ...BASE, random: () => random });
        assert.ok(delay >= full / 2 && delay <= full);
      },
    ),
  );
});
