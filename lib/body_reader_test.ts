import assert from "node:assert/strict";
import { BodyReader } from "./body_reader.ts";

const encoder = new TextEncoder();
const TEXT = "0123456789".repeat(10);

/** A byte stream, as bodies from the network are, or one of ready pieces, as a program's own. */
function bodies(): Record<string, () => ReadableStream<Uint8Array<ArrayBuffer>>> {
  const bytes = encoder.encode(TEXT);
  return {
    "a byte stream": () =>
      new ReadableStream({
        type: "bytes",
        start: (controller) => {
          controller.enqueue(bytes.slice());
          controller.close();
        },
      }),
    "ready pieces": () =>
      new ReadableStream({
        start: (controller) => {
          for (let at = 0; at < bytes.length; at += 7) controller.enqueue(bytes.slice(at, at + 7));
          controller.close();
        },
      }),
    "a response": () => new Response(TEXT).body!,
  };
}

for (const [name, body] of Object.entries(bodies())) {
  Deno.test(`BodyReader reads ${name} to its end`, async () => {
    const reader = new BodyReader(body(), 16);
    const decoder = new TextDecoder();
    let text = "";
    for (let piece = await reader.read(); piece; piece = await reader.read()) text += decoder.decode(piece);
    assert.equal(text, TEXT);
    await reader.cancel();
  });

  Deno.test(`BodyReader lets go of ${name} before its end`, async () => {
    const reader = new BodyReader(body(), 16);
    await reader.read();
    await reader.cancel();
    assert.equal(await reader.read(), undefined);
  });
}

Deno.test("BodyReader never gives more than its buffer holds, and throws what broke the body", async () => {
  const broken = new ReadableStream<Uint8Array>({
    type: "bytes",
    start: (controller) => controller.enqueue(encoder.encode(TEXT)),
    pull: (controller) => controller.error(new Error("Connection reset")),
  });
  const reader = new BodyReader(broken, 64);
  assert.equal((await reader.read())?.length, 64);
  assert.equal((await reader.read())?.length, 36);
  await assert.rejects(reader.read(), { message: "Connection reset" });
  await reader.cancel();
});

Deno.test("BodyReader ends while it waits for a piece", async () => {
  const reader = new BodyReader(new ReadableStream({ type: "bytes" }), 16);
  const waiting = reader.read();
  await reader.cancel();
  assert.equal(await waiting, undefined);
});
