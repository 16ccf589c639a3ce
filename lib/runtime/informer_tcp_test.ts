import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { CONFIG_MAP } from "../api/resources.ts";
import { KubeClient } from "../kube/client.ts";
import { ScriptedServer } from "../kube/scripted_server.ts";
import { FakeClock } from "./fake_clock.ts";
import { configMap } from "./fake_watcher.ts";
import { Informer, type WatchEnd } from "./informer.ts";
import { silentLogger } from "./log.ts";

const encoder = new TextEncoder();

/** What the connection of a watch does; the list is always answered well. */
type Misdeed = (
  connection: Deno.TcpConn,
  sendEvent: () => Promise<void>,
  /** The client has what was sent. */
  isHeard: Promise<void>,
) => Promise<void>;

/** An API server on a real socket, whose watches misbehave one after the other and then behave. */
class RoughServer implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #open = new Set<Deno.TcpConn>();
  readonly #misdeeds: Misdeed[];
  readonly #accepting: Promise<void>;
  /** The test says that the client has what was sent. */
  readonly heard = Promise.withResolvers<void>();
  watches = 0;
  version = 100;

  constructor(misdeeds: Misdeed[]) {
    this.#misdeeds = misdeeds;
    this.#accepting = this.#accept();
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#listener.addr as Deno.NetAddr).port}`;
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#listener) {
      this.#open.add(connection);
      this.#serve(connection).catch(() => {}).finally(() => this.#close(connection));
    }
  }

  async #serve(connection: Deno.TcpConn): Promise<void> {
    // No more than tells a list from a watch: a socket that is closed with bytes unread is reset.
    const buffer = new Uint8Array("GET /api/v1/configmaps?watch=true".length);
    await connection.read(buffer);
    if (!new TextDecoder().decode(buffer).endsWith("watch=true")) return await this.#answerList(connection);
    this.watches++;
    const misdeed = this.#misdeeds.shift() ?? goOn;
    await misdeed(connection, () => this.#sendEvent(connection), this.heard.promise);
  }

  async #answerList(connection: Deno.TcpConn): Promise<void> {
    await drain(connection);
    const body = JSON.stringify({ metadata: { resourceVersion: String(this.version) }, items: [] });
    const head = `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n`;
    await write(connection, head + body);
  }

  /** The next object, whole. */
  async #sendEvent(connection: Deno.TcpConn): Promise<void> {
    const object = configMap(`name-${++this.version}`, { resourceVersion: String(this.version) });
    await write(connection, chunk(`${JSON.stringify({ type: "ADDED", object })}\n`));
  }

  #close(connection: Deno.TcpConn): void {
    if (this.#open.delete(connection)) connection.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of [...this.#open]) this.#close(connection);
    await this.#accepting;
  }
}

async function write(connection: Deno.TcpConn, text: string): Promise<void> {
  const bytes = encoder.encode(text);
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
}

function chunk(text: string): string {
  return `${encoder.encode(text).length.toString(16)}\r\n${text}\r\n`;
}

const HEAD = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";

/** Reads the rest of the request. */
async function drain(connection: Deno.TcpConn): Promise<void> {
  await connection.read(new Uint8Array(16_384));
}

/** Stays until the other side goes. */
async function stay(connection: Deno.TcpConn): Promise<void> {
  while (await connection.read(new Uint8Array(1_024)) !== null);
}

async function goOn(connection: Deno.TcpConn, sendEvent: () => Promise<void>): Promise<void> {
  await write(connection, HEAD);
  await sendEvent();
  await stay(connection);
}

/** Polls, because real sockets keep no fake time; for some seconds at most. */
async function until(isTrue: () => boolean): Promise<void> {
  for (let turn = 0; !isTrue(); turn++) {
    assert.ok(turn < 500_000, "Never came true");
    await new Promise((resolve) => setImmediate(resolve));
  }
}

interface Rough {
  server: RoughServer;
  informer: Informer;
  clock: FakeClock;
  ends: WatchEnd[];
  /** Told when the back-off begins. */
  warnings: string[];
}

async function withInformer(misdeeds: Misdeed[], test: (rough: Rough) => Promise<void>): Promise<void> {
  await using server = new RoughServer(misdeeds);
  const clock = new FakeClock();
  const kube = new KubeClient({ server: server.url });
  const ends: WatchEnd[] = [];
  const metrics = {
    watchEnded: (_: unknown, why: WatchEnd): void => void ends.push(why),
    eventsMissed: (): void => {},
  };
  const warnings: string[] = [];
  const log = { ...silentLogger, warn: (message: string): void => void warnings.push(message) };
  const deps = { kube, clock, random: () => 0.5, log, metrics };
  const informer = new Informer({ resource: CONFIG_MAP }, deps);
  const stop = new AbortController();
  const running = informer.run(stop.signal);
  try {
    await test({ server, informer, clock, ends, warnings });
  } finally {
    stop.abort();
    await running;
    kube.close();
  }
  assert.equal(clock.pending, 0);
}

const misdeeds: Record<string, { misdeed: Misdeed; end: WatchEnd; events: number; waitMs: number }> = {
  "is reset": {
    misdeed: async (connection, sendEvent, isHeard) => {
      await write(connection, HEAD);
      await sendEvent();
      await isHeard;
    },
    end: "error",
    events: 1,
    waitMs: 1_000,
  },
  "is reset in the middle of a line": {
    misdeed: async (connection, sendEvent, isHeard) => {
      await write(connection, HEAD);
      await sendEvent();
      await write(connection, `400\r\n{"type":"ADDED","object":{"meta`);
      await isHeard;
    },
    end: "error",
    events: 1,
    waitMs: 1_000,
  },
  "is closed between two lines": {
    misdeed: async (connection, sendEvent) => {
      await drain(connection);
      await write(connection, HEAD);
      await sendEvent();
    },
    end: "error",
    events: 1,
    waitMs: 1_000,
  },
  "is closed in the middle of a line": {
    misdeed: async (connection, sendEvent) => {
      await drain(connection);
      await write(connection, HEAD);
      await sendEvent();
      await write(connection, `400\r\n{"type":"ADDED","object":{"meta`);
    },
    end: "error",
    events: 1,
    waitMs: 1_000,
  },
  "ends well with half a line": {
    misdeed: async (connection, sendEvent) => {
      await drain(connection);
      await write(connection, HEAD);
      await sendEvent();
      await write(connection, `${chunk('{"type":"ADDED","object":{"meta')}0\r\n\r\n`);
    },
    end: "closed",
    events: 1,
    waitMs: 1_000,
  },
  "is closed before there is an answer": {
    misdeed: drain,
    end: "error",
    events: 0,
    waitMs: 1_000,
  },
  "is a black hole that never answers": {
    misdeed: stay,
    end: "idle",
    events: 0,
    waitMs: 91_000,
  },
  "is a black hole after the first event": {
    misdeed: goOn,
    end: "idle",
    events: 1,
    waitMs: 91_000,
  },
};

for (const [name, { misdeed, end, events, waitMs }] of Object.entries(misdeeds)) {
  Deno.test(`promise 1: over TCP, a watch goes on when its connection ${name}`, async () => {
    await withInformer([misdeed], async ({ server, informer, clock, ends, warnings }) => {
      await until(() => server.watches === 1 && informer.cache.size === events);
      server.heard.resolve();
      // A broken connection shows by itself, a silent one with time.
      if (end !== "idle") await until(() => warnings.length === 1 || server.watches === 2);
      await clock.advance(waitMs);
      await until(() => server.watches === 2 && informer.cache.size === events + 1);
      assert.deepEqual(ends, [end]);
    });
  });
}

Deno.test("promise 1: over TCP, an informer waits for a server that is not there yet", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const clock = new FakeClock();
  const scripted = new ScriptedServer({ resources: [CONFIG_MAP] });
  scripted.store.create(CONFIG_MAP, configMap("a"));
  const kube = new KubeClient({ server: `http://127.0.0.1:${port}` });
  const warnings: string[] = [];
  const log = { ...silentLogger, warn: (message: string): void => void warnings.push(message) };
  const informer = new Informer({ resource: CONFIG_MAP }, { kube, clock, random: () => 0, log });
  const stop = new AbortController();
  const running = informer.run(stop.signal);
  await until(() => warnings.length === 1);
  const http = Deno.serve({ hostname: "127.0.0.1", port, onListen(): void {} }, (request) => scripted.answer(request));
  await clock.advance(1_000);
  await until(() => informer.cache.size === 1);
  scripted.store.create(CONFIG_MAP, configMap("b"));
  await until(() => informer.cache.size === 2);
  stop.abort();
  await running;
  kube.close();
  await http.shutdown();
});
