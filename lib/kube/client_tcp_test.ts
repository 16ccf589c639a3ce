import assert from "node:assert/strict";
import { CONFIG_MAP } from "../api/resources.ts";
import { KubeClient } from "./client.ts";

const encoder = new TextEncoder();
const TARGET = { namespace: "default", name: "a" };

/** Answers each connection with these bytes, and closes it unless it shall stay open. */
async function withAnswer(
  answer: string,
  { stays = false }: { stays?: boolean },
  test: (kube: KubeClient) => Promise<void>,
): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const kube = new KubeClient({ server: `http://127.0.0.1:${listener.addr.port}` }, {
    timeoutMs: stays ? 100 : 30_000,
  });
  const open: Deno.TcpConn[] = [];
  const serving = (async () => {
    for await (const connection of listener) {
      open.push(connection);
      await connection.read(new Uint8Array(16_384));
      await connection.write(encoder.encode(answer));
      if (!stays) open.pop()!.close();
    }
  })();
  try {
    await test(kube);
  } finally {
    kube.close();
    for (const connection of open) connection.close();
    listener.close();
    await serving;
  }
}

const HALF = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{"items":[';

Deno.test("over TCP, an answer that is cut half-way is an error", async () => {
  await withAnswer(HALF, {}, (kube) => assert.rejects(kube.list(CONFIG_MAP, {}, { limit: 500 })));
});

Deno.test("over TCP, an answer that stops half-way is given up at the timeout", async () => {
  await withAnswer(
    HALF,
    { stays: true },
    (kube) => assert.rejects(kube.list(CONFIG_MAP, {}, { limit: 500 }), { name: "TimeoutError" }),
  );
});

Deno.test("over TCP, an answer that never begins is given up at the timeout", async () => {
  await withAnswer(
    "",
    { stays: true },
    (kube) => assert.rejects(kube.get(CONFIG_MAP, TARGET), { name: "TimeoutError" }),
  );
});

Deno.test("over TCP, a refusal that is cut half-way is a refusal, or an error, but ends", async () => {
  const answer = 'HTTP/1.1 503 Service Unavailable\r\ncontent-length: 500\r\n\r\n{"reason":';
  await withAnswer(answer, {}, (kube) => assert.rejects(kube.get(CONFIG_MAP, TARGET), { status: 503 }));
});
