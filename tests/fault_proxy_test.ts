import assert from "node:assert/strict";
import { Socket } from "node:net";
import { FaultProxy } from "./fault_proxy.ts";
import { StormProxy } from "./fault_proxy_http.ts";
import { Authority } from "./control_plane/certificates.ts";
import { waitFor } from "./wait.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A server that says back what it hears, in capitals. */
class Echo implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly heard: string[] = [];

  constructor() {
    this.#accept().catch(() => {});
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#listener.addr as Deno.NetAddr).port}`;
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#listener) this.#serve(connection).catch(() => {});
  }

  async #serve(connection: Deno.TcpConn): Promise<void> {
    const buffer = new Uint8Array(1024);
    try {
      for (let read = await connection.read(buffer); read !== null; read = await connection.read(buffer)) {
        const text = decoder.decode(buffer.subarray(0, read));
        this.heard.push(text);
        await connection.write(encoder.encode(text.toUpperCase()));
      }
    } finally {
      connection.close();
    }
  }

  [Symbol.dispose](): void {
    this.#listener.close();
  }
}

interface Line {
  echo: Echo;
  proxy: FaultProxy;
  /** A connection that has said and heard something. */
  client: Deno.TcpConn;
}

async function withLine(test: (line: Line) => Promise<void>): Promise<void> {
  using echo = new Echo();
  using proxy = await FaultProxy.start(echo.url, { slowMs: 50 });
  using client = await Deno.connect({ hostname: "127.0.0.1", port: proxy.port });
  await say(client, "hello");
  assert.equal(await hear(client), "HELLO");
  await test({ echo, proxy, client });
}

async function say(client: Deno.TcpConn, text: string): Promise<void> {
  await client.write(encoder.encode(text));
}

async function hear(client: Deno.TcpConn): Promise<string | null> {
  const buffer = new Uint8Array(1024);
  const read = await client.read(buffer);
  return read === null ? null : decoder.decode(buffer.subarray(0, read));
}

/** Makes a connection and listens. */
async function newConnection(proxy: FaultProxy): Promise<string | null> {
  using client = await Deno.connect({ hostname: "127.0.0.1", port: proxy.port });
  return await hear(client);
}

/** What is heard, or that nothing was until something else had time to. */
async function hearOrNot(client: Deno.TcpConn, meanwhile: Promise<unknown>): Promise<string | null> {
  return await Promise.race([hear(client), meanwhile.then(() => "nothing")]);
}

/** A while on a line that works: what is not heard after it is not on its way. */
async function aWhile(): Promise<void> {
  await withLine(() => Promise.resolve());
}

const canReset = typeof Socket.prototype.resetAndDestroy === "function";

Deno.test({
  name: "a line that is reset ends open connections and new ones at once",
  ignore: !canReset,
  fn: async () => {
    await withLine(async ({ proxy, client }) => {
      proxy.set("reset");
      await assert.rejects(hear(client), Deno.errors.ConnectionReset);
      await assert.rejects(newConnection(proxy), Deno.errors.ConnectionReset);
      assert.equal(proxy.open, 0);
      proxy.set("pass");
      using third = await Deno.connect({ hostname: "127.0.0.1", port: proxy.port });
      await say(third, "again");
      assert.equal(await hear(third), "AGAIN");
    });
  },
});

Deno.test("a black hole swallows both directions of old and new connections, until it is gone", async () => {
  await withLine(async ({ echo, proxy, client }) => {
    proxy.set("blackHole");
    using another = await Deno.connect({ hostname: "127.0.0.1", port: proxy.port });
    await say(client, "old");
    await say(another, "new");
    await aWhile();
    assert.deepEqual(echo.heard, ["hello"]);
    proxy.set("pass");
    assert.deepEqual([await hear(client), await hear(another)], ["OLD", "NEW"]);
  });
});

Deno.test("a half-open line passes requests and loses replies, for good where it was open meanwhile", async () => {
  await withLine(async ({ echo, proxy, client }) => {
    proxy.set("halfOpen");
    await say(client, "lost");
    await waitFor("the server to hear", () => echo.heard.includes("lost"));
    proxy.set("pass");
    await say(client, "still lost");
    await waitFor("the server to hear", () => echo.heard.includes("still lost"));
    assert.equal(await hearOrNot(client, aWhile()), "nothing");
    using another = await Deno.connect({ hostname: "127.0.0.1", port: proxy.port });
    await say(another, "new");
    assert.equal(await hear(another), "NEW");
    await client.closeWrite();
  });
});

Deno.test("a slow line delays replies and keeps their order, also when it is fast again", async () => {
  await withLine(async ({ echo, proxy, client }) => {
    proxy.set("slow");
    await say(client, "one");
    await waitFor("the server to hear", () => echo.heard.includes("one"));
    proxy.set("pass");
    await say(client, "two");
    let heard = "";
    while (heard.length < "onetwo".length) heard += await hear(client);
    assert.equal(heard, "ONETWO");
  });
});

Deno.test("a connection that one side closes is closed for the other", async () => {
  await withLine(async ({ proxy, client }) => {
    await client.closeWrite();
    assert.equal(await hear(client), null);
    await waitFor("the proxy to forget it", () => proxy.open === 0);
  });
});

Deno.test("a server that is not there resets the connection", { ignore: !canReset }, async () => {
  using proxy = await FaultProxy.start(new URL("http://127.0.0.1:1").href);
  await assert.rejects(newConnection(proxy), Deno.errors.ConnectionReset);
});

/** An API server with one watch that never ends, and one answer. */
async function withStorm(test: (proxy: StormProxy, client: Deno.HttpClient) => Promise<void>): Promise<void> {
  const authority = await Authority.create(new Date());
  const { certificate: cert, key } = await authority.issue({ commonName: "api", hosts: ["127.0.0.1"] });
  const tls = { hostname: "127.0.0.1", port: 0, cert, key, onListen: () => {} };
  await using upstream = Deno.serve(tls, async (request) => {
    if (!request.url.includes("watch")) {
      return Response.json({ said: await request.text(), token: request.headers.get("authorization") });
    }
    const lines = new ReadableStream({ start: (controller) => controller.enqueue(encoder.encode("first\n")) });
    return new Response(lines, { headers: { "content-type": "application/json" } });
  });
  const target = { server: `https://127.0.0.1:${upstream.addr.port}`, caPem: authority.pair.certificate };
  const turns = [0.1, 0.9];
  let turn = 0;
  await using proxy = await StormProxy.start(target, () => turns[turn++ % 2]!);
  using client = Deno.createHttpClient({ caCerts: [proxy.caPem], http1: true, http2: false });
  await test(proxy, client);
}

Deno.test("without a storm the proxy passes method, credentials and body on", async () => {
  await withStorm(async (proxy, client) => {
    const init = { method: "POST", body: "hello", headers: { authorization: "Bearer x" }, client };
    const answer = await fetch(`${proxy.server}/api?a=b`, init);
    assert.deepEqual(await answer.json(), { said: "hello", token: "Bearer x" });
    assert.equal(proxy.refused, 0);
  });
});

Deno.test("a storm refuses its share of requests, as the API server does", async () => {
  await withStorm(async (proxy, client) => {
    proxy.set({ status: 429, share: 0.5 });
    const refused = await fetch(`${proxy.server}/api`, { client });
    assert.equal(refused.status, 429);
    assert.equal(refused.headers.get("retry-after"), "1");
    assert.equal((await refused.json()).reason, "TooManyRequests");
    const answered = await fetch(`${proxy.server}/api`, { client });
    assert.equal(answered.status, 200);
    await answered.body?.cancel();
    assert.equal(proxy.refused, 1);
    proxy.set({ status: 500, share: 1 });
    assert.equal((await (await fetch(`${proxy.server}/api`, { client })).json()).reason, "InternalError");
  });
});

Deno.test("the proxy of storms shows what a watch says as soon as it says it", async () => {
  await withStorm(async (proxy, client) => {
    const stop = new AbortController();
    const watch = await fetch(`${proxy.server}/api?watch=true`, { client, signal: stop.signal });
    const reader = watch.body!.getReader();
    assert.equal(decoder.decode((await reader.read()).value), "first\n");
    stop.abort();
    await assert.rejects(reader.read());
  });
});
