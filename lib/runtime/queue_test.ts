import assert from "node:assert/strict";
import fc from "fast-check";
import { FakeClock, settle } from "./fake_clock.ts";
import { WorkQueue } from "./queue.ts";

const DAY_MS = 24 * 3_600_000;

function create(random = (): number => 0.5): { clock: FakeClock; queue: WorkQueue } {
  const clock = new FakeClock(0);
  return { clock, queue: new WorkQueue(clock, { baseMs: 200, capMs: 300_000, random }) };
}

/** Everything that waits now, in order. */
async function drain(queue: WorkQueue): Promise<string[]> {
  const names: string[] = [];
  while (queue.depth > 0) {
    const name = (await queue.take())!;
    names.push(name);
    queue.done(name);
  }
  return names;
}

Deno.test("promise 2: a name waits once, however often it is added", async () => {
  const { queue } = create();
  for (const name of ["a", "b", "a", "a", "b"]) queue.add(name);
  assert.equal(queue.depth, 2);
  assert.deepEqual(await drain(queue), ["a", "b"]);
});

Deno.test("promise 2: one worker at most has a name", async () => {
  const { queue } = create();
  queue.add("a");
  assert.equal(await queue.take(), "a");
  queue.add("a");
  const second = queue.take();
  queue.add("b");
  assert.equal(await second, "b");
  assert.deepEqual([queue.depth, queue.busy], [0, 2]);
});

Deno.test("promise 2: what is added while a worker has it comes back, once, when the worker is done", async () => {
  const { queue } = create();
  queue.add("a");
  await queue.take();
  queue.add("a", "low");
  queue.add("a", "high");
  queue.add("a", "low");
  queue.add("b", "low");
  queue.done("a");
  // It came back as urgent as it was wanted at most.
  assert.deepEqual(await drain(queue), ["a", "b"]);
});

Deno.test("promise 2: a name that nobody added meanwhile does not come back", async () => {
  const { queue } = create();
  queue.add("a");
  await queue.take();
  queue.done("a");
  assert.deepEqual([queue.depth, queue.busy], [0, 0]);
});

Deno.test("promise 2: what people touched goes first, and the rest in the order of its coming", async () => {
  const { queue } = create();
  for (const name of ["a", "b", "c"]) queue.add(name, "low");
  queue.add("x", "high");
  queue.add("b", "high");
  queue.add("x", "low");
  assert.equal(queue.depth, 4);
  assert.deepEqual(await drain(queue), ["x", "b", "a", "c"]);
});

Deno.test("promise 2: a worker that waits gets a name at once, and workers take turns", async () => {
  const { queue } = create();
  const taken: string[] = [];
  for (const worker of [1, 2, 3]) queue.take().then((name) => taken.push(`${worker} ${name}`));
  for (const name of ["a", "b", "c"]) queue.add(name);
  await settle();
  assert.deepEqual(taken, ["1 a", "2 b", "3 c"]);
});

Deno.test("promise 2: a timer adds its name at its time, exactly, though it is 100 days away", async () => {
  const { clock, queue } = create();
  queue.addAt("a", 100 * DAY_MS);
  await clock.advance(100 * DAY_MS - 1);
  assert.equal(queue.depth, 0);
  await clock.advance(1);
  assert.deepEqual([queue.depth, queue.timers, clock.pending], [1, 0, 0]);
});

Deno.test("promise 2: the earlier of two timers wins, whichever was set first", async () => {
  const { clock, queue } = create();
  queue.addAt("a", 2_000);
  queue.addAt("a", 1_000);
  queue.addAt("a", 3_000);
  assert.deepEqual([queue.timers, clock.pending], [1, 1]);
  await clock.advance(1_000);
  assert.equal(queue.depth, 1);
  await clock.advance(5_000);
  assert.deepEqual(await drain(queue), ["a"]);
});

Deno.test("promise 2: a timer that fires while a worker has the name brings it back", async () => {
  const { clock, queue } = create();
  queue.add("a");
  await queue.take();
  queue.addAt("a", 1_000);
  await clock.advance(1_000);
  assert.equal(queue.depth, 0);
  queue.done("a");
  assert.deepEqual(await drain(queue), ["a"]);
});

Deno.test("cancelTimer() takes a timer back, and only that of its name", async () => {
  const { clock, queue } = create();
  queue.addAt("a", 1_000);
  queue.addAt("b", 1_000);
  queue.cancelTimer("a");
  queue.cancelTimer("unknown");
  await clock.advance(2_000);
  assert.deepEqual(await drain(queue), ["b"]);
});

Deno.test("promise 2: retries of a name are spaced twice as far each time, up to the cap, on its own count", async () => {
  const { clock, queue } = create(() => 0);
  const delays = Array.from({ length: 14 }, () => {
    const delay = queue.retry("a");
    queue.cancelTimer("a");
    return delay;
  });
  assert.deepEqual(delays.slice(0, 5), [100, 200, 400, 800, 1_600]);
  assert.deepEqual(delays.slice(-3), [150_000, 150_000, 150_000]);
  assert.equal(queue.retry("b"), 100);
  await clock.advance(100);
  assert.deepEqual(await drain(queue), ["b"]);
});

Deno.test("promise 2: jitter spreads retries over the upper half of the delay", () => {
  assert.equal(create(() => 0).queue.retry("a"), 100);
  assert.equal(create(() => 0.5).queue.retry("a"), 150);
  assert.ok(create(() => 0.999).queue.retry("a") < 200);
});

Deno.test("promise 2: what the server asked for is the least that a retry waits", async () => {
  const { clock, queue } = create();
  assert.equal(queue.retry("a", 30_000), 30_000);
  await clock.advance(29_999);
  assert.equal(queue.depth, 0);
  await clock.advance(1);
  assert.equal(queue.depth, 1);
});

Deno.test("promise 2: what is forgotten begins anew", () => {
  const { queue } = create(() => 0);
  queue.retry("a");
  queue.retry("a");
  queue.forget("a");
  assert.equal(queue.retry("a"), 100);
});

Deno.test("close() drops what waits and all timers, lets workers go, and takes nothing any more", async () => {
  const { clock, queue } = create();
  queue.add("a");
  const running = (await queue.take())!;
  const waiting = queue.take();
  queue.addAt("b", 1_000);
  queue.add(running);
  queue.close();
  assert.equal(await waiting, undefined);
  assert.equal(await queue.take(), undefined);
  queue.done(running);
  queue.add("c");
  queue.addAt("d", 1_000);
  queue.retry("e");
  await clock.advance(5_000);
  assert.deepEqual([queue.depth, queue.busy, queue.timers, clock.pending], [0, 0, 0, 0]);
});

Deno.test("promise 2: whatever is added and done, no name is lost, doubled or given to two workers", async () => {
  const step = fc.tuple(fc.constantFrom("add", "low", "take", "done", "later"), fc.integer({ min: 0, max: 4 }));
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const { clock, queue } = create();
      const wanted = new Set<string>();
      const running = new Set<string>();
      const worker = async (): Promise<void> => {
        const name = (await queue.take())!;
        assert.ok(wanted.has(name), `${name} was not wanted`);
        assert.ok(!running.has(name), `${name} has two workers`);
        wanted.delete(name);
        running.add(name);
      };
      for (const [what, index] of steps) {
        const name = `name-${index}`;
        if (what === "add" || what === "low") {
          wanted.add(name);
          queue.add(name, what === "low" ? "low" : "high");
        } else if (what === "later") {
          wanted.add(name);
          queue.addAt(name, clock.now() + 1_000);
          await clock.advance(1_000);
        } else if (what === "take" && queue.depth > 0) await worker();
        else if (what === "done" && running.delete(name)) queue.done(name);
      }
      for (const name of running) queue.done(name);
      running.clear();
      while (queue.depth > 0) await worker();
      for (const name of running) queue.done(name);
      assert.deepEqual([wanted.size, queue.depth, queue.busy], [0, 0, 0]);
    }),
    { numRuns: 50 },
  );
});
