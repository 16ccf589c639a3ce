import assert from "node:assert/strict";
import { FakeClock, settle } from "../../runtime/fake_clock.ts";
import { LatestLookups } from "./latest_lookups.ts";

Deno.test("an owner's latest question ends and forgets the one before, and its end the last", async () => {
  const lookups = new LatestLookups<string>({
    ...{ clock: new FakeClock(), random: () => 0.5, concurrency: 9, capacity: 9 },
  });
  const begun: string[] = [];
  const ended: string[] = [];
  const ask = (uid: string, key: string): string => {
    const look = (signal: AbortSignal): Promise<string> => {
      begun.push(key);
      signal.addEventListener("abort", () => ended.push(key));
      return key === "slow" ? new Promise(() => {}) : Promise.resolve(key);
    };
    return lookups.ask(uid, key, { look, wake: () => {} }).is;
  };
  assert.deepEqual([ask("one", "slow"), ask("two", "b")], ["looking", "looking"]);
  ask("one", "a");
  await settle();
  assert.deepEqual([ended, ask("one", "a"), ask("two", "b")], [["slow"], "found", "found"]);
  assert.deepEqual([ask("one", "c"), ask("two", "b")], ["looking", "found"]);
  await settle();
  ask("one", "a");
  lookups.release("two");
  ask("two", "b");
  assert.deepEqual(begun, ["slow", "b", "a", "c", "a", "b"]);
});
