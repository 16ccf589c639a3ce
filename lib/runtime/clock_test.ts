import assert from "node:assert/strict";
import { sleep, systemClock } from "./clock.ts";
import { FakeClock, settle } from "./fake_clock.ts";

const DAY_MS = 24 * 3_600_000;

/** Timers of the platform that stand still; each call is kept, and runs when the test says so. */
class Platform implements Disposable {
  readonly delays: number[] = [];
  readonly #setTimeout = globalThis.setTimeout;
  readonly #clearTimeout = globalThis.clearTimeout;
  readonly #now = Date.now;
  readonly #set = new Map<number, { at: number; callback: () => void }>();
  #time = 1_000_000_000_000;

  constructor() {
    let last = 0;
    globalThis.setTimeout = ((callback: () => void, delay: number): number => {
      this.delays.push(delay);
      // What is over 31 bits fires at once, as the platform's own does.
      this.#set.set(++last, { at: this.#time + (delay > 2 ** 31 - 1 ? 0 : delay), callback });
      return last;
    }) as unknown as typeof setTimeout;
    globalThis.clearTimeout = ((id: number) => void this.#set.delete(id)) as unknown as typeof clearTimeout;
    Date.now = () => this.#time;
  }

  get pending(): number {
    return this.#set.size;
  }

  pass(ms: number): void {
    const end = this.#time + ms;
    for (;;) {
      const due = [...this.#set].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
      if (!due) break;
      this.#set.delete(due[0]);
      this.#time = due[1].at;
      due[1].callback();
    }
    this.#time = end;
  }

  [Symbol.dispose](): void {
    globalThis.setTimeout = this.#setTimeout;
    globalThis.clearTimeout = this.#clearTimeout;
    Date.now = this.#now;
  }
}

Deno.test("promise 2: a timer of the system clock fires at its time, though it is 100 days away", () => {
  using platform = new Platform();
  const firedAt: number[] = [];
  const due = systemClock.now() + 100 * DAY_MS;
  systemClock.at(due, () => firedAt.push(systemClock.now()));
  platform.pass(100 * DAY_MS - 1);
  assert.deepEqual(firedAt, []);
  platform.pass(1);
  assert.deepEqual(firedAt, [due]);
  assert.ok(platform.delays.every((delay) => delay <= 2 ** 31 - 1));
  assert.equal(platform.pending, 0);
});

Deno.test("promise 2: a timer of the system clock can be taken back, also after it was set anew on the way", () => {
  using platform = new Platform();
  let isFired = false;
  const cancel = systemClock.at(systemClock.now() + 100 * DAY_MS, () => isFired = true);
  platform.pass(60 * DAY_MS);
  cancel();
  platform.pass(60 * DAY_MS);
  assert.deepEqual([isFired, platform.pending], [false, 0]);
  cancel();
});

Deno.test("systemClock calls back for a time that is over, but not at once", () => {
  using platform = new Platform();
  let isFired = false;
  systemClock.at(systemClock.now() - 5_000, () => isFired = true);
  assert.equal(isFired, false);
  platform.pass(0);
  assert.equal(isFired, true);
});

Deno.test("sleep() ends after its time, or with its signal, and leaves nothing behind", async () => {
  const clock = new FakeClock();
  const stop = new AbortController();
  const ended: string[] = [];
  const note = (name: string): () => void => () => void ended.push(name);
  sleep(clock, 1_000, stop.signal).then(note("short"));
  sleep(clock, 9_000, stop.signal).then(note("long"));
  await clock.advance(1_000);
  assert.deepEqual([ended, clock.pending], [["short"], 1]);
  stop.abort();
  await settle();
  assert.deepEqual([ended, clock.pending], [["short", "long"], 0]);
  await sleep(clock, 9_000, stop.signal);
  assert.equal(clock.pending, 0);
});

Deno.test("FakeClock calls timers in the order of their time, then of their making, and lets promises settle between", async () => {
  const clock = new FakeClock(0);
  const calls: string[] = [];
  clock.at(20, () => calls.push(`c ${clock.now()}`));
  clock.at(10, () => calls.push(`a ${clock.now()}`));
  clock.at(10, () => {
    calls.push(`b ${clock.now()}`);
    Promise.resolve().then(() => clock.at(15, () => calls.push(`late ${clock.now()}`)));
  });
  clock.at(31, () => calls.push("never"));
  await clock.advance(30);
  assert.deepEqual(calls, ["a 10", "b 10", "late 15", "c 20"]);
  assert.deepEqual([clock.now(), clock.pending], [30, 1]);
});
