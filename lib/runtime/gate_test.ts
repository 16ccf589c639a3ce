import assert from "node:assert/strict";
import { Gate } from "./gate.ts";

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
  const gate = new Gate(3, 2);
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
