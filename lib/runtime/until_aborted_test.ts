import assert from "node:assert/strict";
import { untilAborted } from "./until_aborted.ts";

/** Gives some items, and then is waited for without end. */
async function* hanging(...items: number[]): AsyncGenerator<number> {
  yield* items;
  await new Promise(() => {});
}

Deno.test("untilAborted() ends with the signal, though the source never does", async () => {
  const stop = new AbortController();
  const seen: number[] = [];
  for await (const item of untilAborted(hanging(1, 2), stop.signal)) {
    seen.push(item);
    if (item === 2) queueMicrotask(() => stop.abort());
  }
  assert.deepEqual(seen, [1, 2]);
});

Deno.test("untilAborted() gives nothing when the signal came before", async () => {
  const items = untilAborted(hanging(1), AbortSignal.abort());
  assert.deepEqual(await Array.fromAsync(items), []);
});

Deno.test("untilAborted() ends with its source, and throws what it throws", async () => {
  const { signal } = new AbortController();
  async function* broken(): AsyncGenerator<number> {
    yield await Promise.resolve(1);
    throw new Error("reset");
  }
  await assert.rejects(Array.fromAsync(untilAborted(broken(), signal)), /reset/);
});
