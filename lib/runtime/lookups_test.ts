import assert from "node:assert/strict";
import { FakeClock, settle } from "./fake_clock.ts";
import type { Hearing } from "./gate.ts";
import { Lookups, type LookupsOptions } from "./lookups.ts";

/** Lookups whose looks end when the test says so. */
class Bench {
  readonly clock = new FakeClock();
  readonly lookups: Lookups<string>;
  readonly begun: string[] = [];
  readonly woken: string[] = [];
  readonly #gates = new Map<string, PromiseWithResolvers<string>>();

  constructor(options: Partial<LookupsOptions<string>> = {}) {
    this.lookups = new Lookups({ clock: this.clock, random: () => 0.5, concurrency: 2, capacity: 10, ...options });
  }

  ask(key: string, { by = key, ...how }: { by?: string; freshMs?: number; group?: string } = {}): unknown {
    const known = this.lookups.ask(key, {
      look: () => {
        this.begun.push(key);
        const gate = Promise.withResolvers<string>();
        this.#gates.set(key, gate);
        return gate.promise;
      },
      wake: () => this.woken.push(by),
      ...how,
    });
    return known.is === "found" ? known.value : known.is;
  }

  async answer(key: string, value: string | Error): Promise<void> {
    const gate = this.#gates.get(key)!;
    if (value instanceof Error) gate.reject(value);
    else gate.resolve(value);
    await settle();
  }
}

Deno.test("Lookups looks once for all who ask, wakes each of them, and keeps the answer", async () => {
  const bench = new Bench();
  assert.equal(bench.ask("a", { by: "one" }), "looking");
  assert.equal(bench.ask("a", { by: "two" }), "looking");
  await bench.answer("a", "yes");
  assert.deepEqual(bench.woken, ["one", "two"]);
  assert.equal(bench.ask("a"), "yes");
  await bench.clock.advance(24 * 3_600_000);
  assert.equal(bench.ask("a"), "yes");
  assert.deepEqual(bench.begun, ["a"]);
});

Deno.test("Lookups looks again when an answer is too old for who asks", async () => {
  const bench = new Bench();
  bench.ask("a", { freshMs: 1_000 });
  await bench.answer("a", "one");
  await bench.clock.advance(999);
  assert.equal(bench.ask("a", { freshMs: 1_000 }), "one");
  await bench.clock.advance(1);
  assert.equal(bench.ask("a", { freshMs: 1_000 }), "looking");
  await bench.answer("a", "two");
  assert.equal(bench.ask("a", { freshMs: 1_000 }), "two");
});

Deno.test("Lookups keeps a failure, and looks again after a back-off that grows", async () => {
  const bench = new Bench();
  let last = 0;
  for (let round = 0; round < 3; round++) {
    assert.equal(bench.ask("a"), "looking");
    await bench.answer("a", new Error("Connection refused"));
    assert.equal(bench.ask("a"), "failed");
    let waited = 0;
    while (bench.begun.length === round + 1) {
      await bench.clock.advance(500);
      waited += 500;
      bench.ask("a");
    }
    assert.ok(waited > last, `${waited} ms after ${last} ms`);
    last = waited;
  }
});

Deno.test("Lookups does so much at once and no more, in the order of the questions", async () => {
  const bench = new Bench();
  for (const key of ["a", "b", "c", "d"]) bench.ask(key);
  assert.deepEqual(bench.begun, ["a", "b"]);
  await bench.answer("b", "done");
  assert.deepEqual(bench.begun, ["a", "b", "c"]);
  await bench.answer("a", new Error("no"));
  assert.deepEqual(bench.begun, ["a", "b", "c", "d"]);
});

Deno.test("Lookups forgets what nobody asked for lately, but never what is being looked at", async () => {
  const bench = new Bench({ capacity: 2 });
  bench.ask("slow");
  for (const key of ["a", "b"]) {
    bench.ask(key);
    await bench.answer(key, key);
  }
  assert.equal(bench.ask("b"), "b");
  assert.equal(bench.ask("a"), "looking");
  await bench.answer("slow", "at last");
  assert.deepEqual(bench.woken, ["a", "b", "slow"]);
});

Deno.test("Lookups forgets what it is told to, and wakes nobody when it is closed", async () => {
  const bench = new Bench();
  bench.ask("a");
  await bench.answer("a", "one");
  bench.lookups.forget("a");
  assert.equal(bench.ask("a"), "looking");
  bench.lookups.close();
  await bench.answer("a", "two");
  assert.deepEqual(bench.woken, ["a"]);
});

Deno.test("Lookups keeps so many bytes and no more, and never drops what has just come for it", async () => {
  const dropped: string[] = [];
  const weigh = (value: string): number => value.length;
  const bench = new Bench({ capacityBytes: 10, weigh, dropped: (key) => void dropped.push(key) });
  bench.ask("late");
  for (const [key, length] of [["a", 4], ["b", 4]] as const) {
    bench.ask(key);
    await bench.answer(key, key.repeat(length));
  }
  await bench.answer("late", "1234");
  assert.deepEqual(dropped, ["a"]);
  bench.lookups.forget("b");
  bench.ask("c");
  await bench.answer("c", "123456");
  assert.deepEqual([dropped, bench.ask("late"), bench.ask("c")], [["a", "b"], "1234", "123456"]);
});

Deno.test("Lookups has no question wait behind a group that hangs", async () => {
  const bench = new Bench({ concurrency: 3, groups: { perGroup: 2 } });
  for (const key of ["h1", "h2", "h3"]) bench.ask(key, { group: "hanging" });
  for (const key of ["a", "b"]) bench.ask(key, { group: key });
  assert.deepEqual(bench.begun, ["h1", "h2", "a"]);
  await bench.answer("a", "yes");
  assert.deepEqual(bench.begun, ["h1", "h2", "a", "b"]);
  await bench.answer("h2", new Error("Timed out"));
  assert.deepEqual(bench.begun, ["h1", "h2", "a", "b", "h3"]);
});

Deno.test("Lookups remembers which groups hung, and has them wait for one another", async () => {
  const hearing = (error: unknown): Hearing | undefined =>
    (error as Error).message === "Timed out" ? "silent" : "answered";
  const bench = new Bench({ concurrency: 3, groups: { strangers: 2 }, hearing });
  for (let round = 0; round < 2; round++) {
    for (const key of ["h", "i"]) bench.ask(key, { group: key });
    for (const key of ["h", "i"]) await bench.answer(key, new Error("Timed out"));
    await bench.clock.advance(300_000);
  }
  bench.begun.length = 0;
  for (const key of ["h", "i", "new"]) bench.ask(key, { group: key });
  assert.deepEqual(bench.begun, ["h", "new"]);
  await bench.answer("h", new Error("There is no such repository"));
  assert.deepEqual(bench.begun, ["h", "new", "i"]);
});
