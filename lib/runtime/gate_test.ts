import assert from "node:assert/strict";
import { Gate, type Hearing } from "./gate.ts";

/** Work that lasts until it is told. */
function work(log: string[], name: string): { run: () => Promise<string>; end: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return {
    run: async () => {
      log.push(name);
      await promise;
      return name;
    },
    end: resolve,
  };
}

/** When everything that waits for nothing has happened. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

Deno.test("a gate lets so many through at a time, the others in their order", async () => {
  const gate = new Gate(2);
  const log: string[] = [];
  const all = ["a", "b", "c", "d"].map((name) => work(log, name));
  const results = all.map(({ run }) => gate.run(run));
  await settled();
  assert.deepEqual(log, ["a", "b"]);
  all[1]!.end();
  await results[1];
  await settled();
  assert.deepEqual(log, ["a", "b", "c"]);
  for (const { end } of all) end();
  assert.deepEqual(await Promise.all(results), ["a", "b", "c", "d"]);
});

Deno.test("a gate gives the place back when the work fails, and forgets who gave up waiting", async () => {
  const gate = new Gate(1);
  const log: string[] = [];
  const first = work(log, "first");
  const abort = new AbortController();
  const running = gate.run(async () => {
    await first.run();
    throw new Error("broken");
  });
  const waiting = gate.run(work(log, "never").run, { signal: abort.signal });
  const last = gate.run(() => Promise.resolve("last"));
  abort.abort(new Error("not needed"));
  await assert.rejects(waiting, /not needed/);
  first.end();
  await assert.rejects(running, /broken/);
  assert.deepEqual([await last, log], ["last", ["first"]]);
  await assert.rejects(gate.run(() => Promise.resolve(1), { signal: abort.signal }), /not needed/);
});

Deno.test("a gate lets others pass by those whose group has no place, and keeps the order of the rest", async () => {
  const gate = new Gate(3, { perGroup: 2 });
  const log: string[] = [];
  const abort = new AbortController();
  const of = (group: string, name: string): { end: () => void; result: Promise<string> } => {
    const { run, end } = work(log, name);
    return { end, result: gate.run(run, { group, signal: abort.signal }) };
  };
  const hanging = ["h1", "h2", "h3", "h4"].map((name) => of("hanging", name));
  const others = ["a", "b", "c"].map((name) => of(name, name));
  await settled();
  assert.deepEqual(log, ["h1", "h2", "a"]);
  others[0]!.end();
  await settled();
  assert.deepEqual(log, ["h1", "h2", "a", "b"]);
  hanging[1]!.end();
  await settled();
  assert.deepEqual(log, ["h1", "h2", "a", "b", "h3"]);
  for (const { end } of [...hanging, ...others]) end();
  await Promise.all([...hanging, ...others].map(({ result }) => result));
  assert.deepEqual(log, ["h1", "h2", "a", "b", "h3", "h4", "c"]);
});

/** Works of groups that are told how to end. */
class Groups {
  readonly log: string[] = [];
  readonly #gate: Gate;
  readonly #ends = new Map<string, PromiseWithResolvers<void>>();

  constructor(...bounds: ConstructorParameters<typeof Gate>) {
    this.#gate = new Gate(...bounds);
  }

  /** Begins works; a name is that of its group and a number. */
  begin(...names: string[]): void {
    for (const name of names) {
      const end = Promise.withResolvers<void>();
      this.#ends.set(name, end);
      const work = async (): Promise<void> => {
        this.log.push(name);
        await end.promise;
      };
      const hearing = (error: unknown): Hearing | undefined => (error as { hearing?: Hearing }).hearing;
      this.#gate.run(work, { group: name.replace(/\d+$/, ""), hearing }).catch(() => {});
    }
  }

  /** Ends a work well, or with what it says of its group. @returns What has begun since the last call. */
  async end(name?: string, hearing: Hearing | "nothing" = "answered"): Promise<string[]> {
    if (name !== undefined && hearing === "answered") this.#ends.get(name)!.resolve();
    else if (name !== undefined) this.#ends.get(name)!.reject(hearing === "nothing" ? {} : { hearing });
    await settled();
    return this.log.splice(0);
  }
}

Deno.test("strangers have one place each, and never the last one; who answered may have more", async () => {
  const groups = new Groups(4, { perGroup: 2, strangers: 3 });
  groups.begin("a1", "a2", "b1", "c1", "d1", "d2");
  assert.deepEqual(await groups.end(), ["a1", "b1", "c1"]);
  assert.deepEqual(await groups.end("a1"), ["a2", "d1"], "a is no stranger any more");
  groups.begin("a3");
  assert.deepEqual(await groups.end("d1"), ["d2"], "in their order");
  assert.deepEqual(await groups.end("b1"), ["a3"]);
});

Deno.test("however many groups hang, one that answered finds a place at once", async () => {
  const groups = new Groups(4, { perGroup: 2, strangers: 3 });
  groups.begin("good1");
  await groups.end("good1");
  groups.begin("h1", "i1", "j1", "k1", "l1", "good2");
  assert.deepEqual(await groups.end(), ["h1", "i1", "j1", "good2"]);
});

Deno.test("groups that hung twice have one place together, and new ones pass them by", async () => {
  const groups = new Groups(4, { perGroup: 2, strangers: 3 });
  for (const round of [1, 2]) {
    groups.begin(`h${round}`, `i${round}`, `j${round}`);
    await groups.end(`h${round}`, "silent");
    await groups.end(`i${round}`, "silent");
    await groups.end(`j${round}`, "silent");
  }
  groups.begin("h3", "i3", "j3", "new1", "other1");
  assert.deepEqual(await groups.end(), ["h3", "new1", "other1"]);
  assert.deepEqual(await groups.end("h3", "silent"), ["i3"], "each has its turn");
  assert.deepEqual(await groups.end("i3"), ["j3"], "one that answers again is none of them");
  groups.begin("i4", "i5");
  assert.deepEqual(await groups.end(), ["i4"]);
});

Deno.test("one silence, or a failure that says nothing, makes nobody hang", async () => {
  const groups = new Groups(4, { perGroup: 2, strangers: 3 });
  groups.begin("a1", "b1", "c1");
  await groups.end("a1", "silent");
  await groups.end("b1", "nothing");
  await groups.end("c1");
  groups.begin("a2", "b2", "c2", "c3");
  assert.deepEqual(await groups.end(), ["a2", "b2", "c2", "c3"]);
  await groups.end("c2", "nothing");
  groups.begin("c4");
  assert.deepEqual(await groups.end(), ["c4"], "it is proven as before");
});

Deno.test("groups that do not hang are bounded one by one only", async () => {
  const groups = new Groups(2, { perGroup: 1 });
  groups.begin("a1", "b1");
  assert.deepEqual(await groups.end(), ["a1", "b1"]);
});
