import assert from "node:assert/strict";
import { FakeClock, settle } from "../../runtime/fake_clock.ts";
import { SteadyLookups } from "./steady_lookups.ts";

function bench(): {
  clock: FakeClock;
  lookups: SteadyLookups<string>;
  say: (answer: () => string) => void;
  woken: string[];
  ask: () => unknown;
} {
  const clock = new FakeClock();
  const lookups = new SteadyLookups<string>({ clock, random: () => 0.5, concurrency: 1, capacity: 2 });
  const woken: string[] = [];
  let answer = (): string => "one";
  const look = async (): Promise<string> => await Promise.resolve(answer());
  const ask = (): unknown => {
    const { nextAt: _, ...known } = lookups.ask("k", { look, wake: () => void woken.push("k"), freshMs: 60_000 }) as {
      is: string;
      nextAt?: number;
    };
    return known;
  };
  return { clock, lookups, woken, ask, say: (next) => answer = next };
}

Deno.test("an answer stands while the same is looked up again, and whoever asked is woken", async () => {
  const { clock, ask, say, woken } = bench();
  assert.deepEqual(ask(), { is: "looking" });
  await settle();
  assert.deepEqual([ask(), woken.length], [{ is: "found", value: "one" }, 1]);
  say(() => "two");
  await clock.advance(60_000);
  assert.deepEqual(ask(), { is: "found", value: "one" });
  await settle();
  assert.deepEqual([ask(), woken.length], [{ is: "found", value: "two" }, 2]);
});

Deno.test("an answer stands where it cannot be looked up again, with the reason", async () => {
  const { clock, ask, say } = bench();
  ask();
  await settle();
  const error = new Error("away");
  say(() => {
    throw error;
  });
  await clock.advance(60_000);
  ask();
  await settle();
  assert.deepEqual(ask(), { is: "found", value: "one", trouble: error });
});

Deno.test("a failure stands while it is tried again", async () => {
  const { clock, ask, say } = bench();
  const error = new Error("away");
  say(() => {
    throw error;
  });
  ask();
  await settle();
  assert.deepEqual(ask(), { is: "failed", error });
  say(() => "one");
  await clock.advance(600_000);
  assert.deepEqual(ask(), { is: "failed", error });
  await settle();
  assert.deepEqual(ask(), { is: "found", value: "one" });
});
