import assert from "node:assert/strict";
import { FakeClock } from "./fake_clock.ts";
import { MemoryKeeper } from "./memory.ts";

const MINUTE = 60_000;

Deno.test("MemoryKeeper collects once after work, never during it, and not when there was none", async () => {
  const clock = new FakeClock();
  const collected: number[] = [];
  let lastWorkAt = 0;
  const keeper = new MemoryKeeper({
    clock,
    lastWorkAt: () => lastWorkAt,
    collect: () => collected.push(clock.now()),
  });
  const ending = new AbortController();
  const running = keeper.run(ending.signal);
  keeper.collect();
  const start = clock.now();
  await clock.advance(10 * MINUTE);
  assert.deepEqual(collected, [start], "nothing was done");
  for (let second = 0; second < 120; second++) {
    lastWorkAt = clock.now();
    await clock.advance(1_000);
  }
  assert.deepEqual(collected, [start], "work went on");
  const over = lastWorkAt;
  await clock.advance(10 * MINUTE);
  assert.equal(collected.length, 2);
  assert.ok(collected[1]! >= over + 30_000 && collected[1]! <= over + MINUTE);
  ending.abort();
  await running;
});
