import assert from "node:assert/strict";
import { expiryOf } from "./expiry.ts";
import { CREATED, environment } from "./test_objects.ts";

const START = Date.parse(CREATED);
const DAY = 86_400;

function expiry(ttlSeconds: number | undefined, extendUntil?: string): number | undefined {
  const annotations: Record<string, string> = extendUntil ? { "maquette.dev/extend-until": extendUntil } : {};
  const owner = environment({ ttlSeconds }, { metadata: { annotations } });
  const { expiresAt } = expiryOf(owner, 7 * DAY);
  return expiresAt === undefined ? undefined : (expiresAt - START) / 1000;
}

Deno.test("an environment without a TTL lives on", () => assert.equal(expiry(undefined), undefined));
Deno.test("a TTL counts from the creation", () => assert.equal(expiry(DAY), DAY));
Deno.test("an extension counts up to the maximum", () => {
  assert.equal(expiry(DAY, "2026-01-03T00:00:00Z"), 2 * DAY);
  assert.equal(expiry(DAY, "2027-01-01T00:00:00Z"), 7 * DAY);
  assert.equal(expiry(DAY, "tomorrow"), DAY);
});
