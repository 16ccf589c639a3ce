import assert from "node:assert/strict";
import fc from "fast-check";
import { KubeError } from "./errors.ts";
import { decodeWatch } from "./watch_stream.ts";

const encoder = new TextEncoder();

function streamOf(bytes: Uint8Array, sizes: readonly number[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller): void {
      let at = 0;
      for (const size of sizes) {
        controller.enqueue(bytes.slice(at, at + size));
        at += size;
      }
      controller.enqueue(bytes.slice(at));
      controller.close();
    },
  });
}

async function namesIn(text: string, sizes: readonly number[] = []): Promise<string[]> {
  const names: string[] = [];
  for await (const { type, object } of decodeWatch(streamOf(encoder.encode(text), sizes))) {
    names.push(`${type} ${object.metadata.name}`);
  }
  return names;
}

function line(name: string, type = "ADDED"): string {
  return JSON.stringify({ type, object: { metadata: { name, note: "ü🚀\u2028" } } });
}

const texts: Record<string, [text: string, expected: string[]]> = {
  "nothing": ["", []],
  "one line": [`${line("a")}\n`, ["ADDED a"]],
  "two lines": [`${line("a")}\n${line("b", "DELETED")}\n`, ["ADDED a", "DELETED b"]],
  "a last line that is cut is dropped": [`${line("a")}\n${line("b").slice(0, 20)}`, ["ADDED a"]],
  "a last line without its end is dropped, though it may be whole": [`${line("a")}\n${line("b")}`, ["ADDED a"]],
  "empty lines count for nothing": [`\n\n${line("a")}\n\r\n`, ["ADDED a"]],
  "carriage returns count for nothing": [`${line("a")}\r\n${line("b")}\r\n`, ["ADDED a", "ADDED b"]],
};

for (const [name, [text, expected]] of Object.entries(texts)) {
  Deno.test(`decodeWatch(): ${name}`, async () => assert.deepEqual(await namesIn(text), expected));
}

Deno.test("decodeWatch() gives the same wherever the bytes are cut, also inside a character", async () => {
  const text = `${line("a")}\n${line("b")}\n${line("c")}\n`;
  await fc.assert(fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 7 }), { maxLength: 80 }), async (sizes) => {
    assert.deepEqual(await namesIn(text, sizes), ["ADDED a", "ADDED b", "ADDED c"]);
  }));
});

Deno.test("decodeWatch() reads a line of 20 MB in small chunks without copying it again and again", async () => {
  const text = `${JSON.stringify({ type: "ADDED", object: { metadata: { name: "x".repeat(20_000_000) } } })}\n`;
  const sizes = Array.from({ length: Math.floor(text.length / 8_192) }, () => 8_192);
  assert.equal((await namesIn(text, sizes))[0]!.length, "ADDED ".length + 20_000_000);
});

Deno.test("decodeWatch() throws what an ERROR event says", async () => {
  const object = {
    kind: "Status",
    code: 429,
    reason: "TooManyRequests",
    message: "later",
    details: { retryAfterSeconds: 3 },
  };
  const text = `${line("a")}\n${JSON.stringify({ type: "ERROR", object })}\n`;
  await assert.rejects(() => namesIn(text), (error: unknown) => {
    assert.ok(error instanceof KubeError);
    assert.deepEqual([error.status, error.reason, error.message, error.retryAfterMs], [
      429,
      "TooManyRequests",
      "later",
      3_000,
    ]);
    return true;
  });
});

Deno.test("decodeWatch() calls an ERROR event that says nothing an error of the server", async () => {
  await assert.rejects(() => namesIn('{"type":"ERROR"}\n'), { name: "KubeError", status: 500 });
});

Deno.test("decodeWatch() throws on a whole line that is not JSON", async () => {
  await assert.rejects(() => namesIn(`${line("a")}\n<html>\n`), SyntaxError);
});

Deno.test("decodeWatch() lets go of the body when its reader stops early", async () => {
  let isCancelled = false;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(encoder.encode(`${line("a")}\n`)),
    cancel: () => void (isCancelled = true),
  });
  for await (const _event of decodeWatch(body)) break;
  assert.ok(isCancelled);
});
