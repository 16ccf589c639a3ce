import assert from "node:assert/strict";
import fc from "fast-check";
import { systemClock } from "../lib/runtime/clock.ts";
import { type LogLine, preview, recordingLogger, reviewOf, TestWebhook } from "./testing.ts";
import { type WebhookHandler, WebhookServer } from "./server.ts";
import { type CertifiedKey, createAuthority, issueLeaf } from "./x509.ts";

/** Valid whenever the tests run: TLS looks at the machine's clock. */
const VALIDITY = { notBefore: Date.UTC(2020, 0, 1), notAfter: Date.UTC(2120, 0, 1) };
const ROTATIONS = 25;
/** Requests that each client must have sent between two rotations. */
const REQUESTS_BETWEEN = 2;

/** A server with an authority of its own. */
class TestServer implements AsyncDisposable {
  readonly lines: LogLine[] = [];
  readonly server = new WebhookServer({ clock: systemClock, log: recordingLogger(this.lines) });
  readonly #authority: CertifiedKey;
  readonly #clients = new Set<Deno.HttpClient>();

  private constructor(authority: CertifiedKey) {
    this.#authority = authority;
  }

  static async start(handler: WebhookHandler): Promise<TestServer> {
    const made = new TestServer(await createAuthority(VALIDITY));
    made.server.start(handler, { hostname: "127.0.0.1", port: 0, ...await made.certificate() });
    return made;
  }

  /** A new certificate of the authority. */
  certificate(): Promise<CertifiedKey> {
    return issueLeaf(this.#authority, { names: ["localhost", "127.0.0.1"], ...VALIDITY });
  }

  client(options: Omit<Deno.CreateHttpClientOptions, "caCerts"> = {}): Deno.HttpClient {
    const client = Deno.createHttpClient({ caCerts: [this.#authority.cert], ...options });
    this.#clients.add(client);
    return client;
  }

  closeClient(client: Deno.HttpClient): void {
    this.#clients.delete(client);
    client.close();
  }

  async post(client: Deno.HttpClient, body: BodyInit): Promise<Response> {
    const headers = { "content-type": "application/json" };
    return await fetch(`https://localhost:${this.server.port}/validate`, { method: "POST", headers, body, client });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.server.stop();
  }
}

const ECHO: WebhookHandler = { fetch: async (request) => new Response(await request.text()) };

/** One client that asks without a pause until it is told to stop. */
class Load {
  answered = 0;
  readonly failures: string[] = [];
  readonly #server: TestServer;
  readonly #options: Omit<Deno.CreateHttpClientOptions, "caCerts">;
  readonly #isFresh: boolean;
  #waiting: { count: number; resolve: () => void }[] = [];

  constructor(server: TestServer, options: Omit<Deno.CreateHttpClientOptions, "caCerts">, isFresh: boolean) {
    this.#server = server;
    this.#options = options;
    this.#isFresh = isFresh;
  }

  async run(signal: AbortSignal): Promise<void> {
    let client = this.#server.client(this.#options);
    while (!signal.aborted) {
      await this.#ask(client);
      if (!this.#isFresh) continue;
      this.#server.closeClient(client);
      client = this.#server.client(this.#options);
    }
  }

  /** Resolves after so many more answers, good or bad. */
  more(count: number): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ count: this.answered + count, resolve }));
  }

  async #ask(client: Deno.HttpClient): Promise<void> {
    const body = `request ${this.answered} ${"x".repeat(2000)}`;
    try {
      const response = await this.#server.post(client, body);
      if (await response.text() !== body) this.failures.push("Another answer");
    } catch (error) {
      this.failures.push(String((error as Error).cause ?? error));
    }
    this.answered++;
    for (const { resolve } of this.#waiting.filter(({ count }) => count <= this.answered)) resolve();
    this.#waiting = this.#waiting.filter(({ count }) => count > this.answered);
  }
}

Deno.test(`server: ${ROTATIONS} changes of the certificate lose no request of any kind of client`, async () => {
  await using server = await TestServer.start(ECHO);
  const certificates = await Promise.all(Array.from({ length: ROTATIONS }, () => server.certificate()));
  const loads = [
    new Load(server, { http2: false }, true),
    new Load(server, { http2: false }, true),
    new Load(server, { http2: false }, false),
    new Load(server, { http2: false }, false),
    new Load(server, {}, true),
    new Load(server, {}, false),
  ];
  const ending = new AbortController();
  const running = Promise.all(loads.map((load) => load.run(ending.signal)));
  for (const certificate of certificates) {
    server.server.rotate(certificate);
    await Promise.all(loads.map((load) => load.more(REQUESTS_BETWEEN)));
  }
  ending.abort();
  await running;
  assert.deepEqual(loads.flatMap(({ failures }) => failures), []);
  assert.deepEqual(server.lines, []);
});

Deno.test("server: what is served for a certificate that is replaced ends with its last connection", async () => {
  await using server = await TestServer.start(ECHO);
  const [old, young] = [server.client(), server.client()];
  assert.equal(await (await server.post(old, "a")).text(), "a");
  server.server.rotate(await server.certificate());
  assert.equal(await (await server.post(young, "b")).text(), "b");
  assert.equal(server.server.generations, 2);
  const asked = await server.post(old, "c");
  assert.equal(asked.headers.get("connection"), "close", "it is asked to connect anew");
  assert.equal(await asked.text(), "c");
  while (server.server.generations > 1) assert.equal(await (await server.post(young, "d")).text(), "d");
});

Deno.test("server: new connections see the new certificate at once", async () => {
  await using server = await TestServer.start(ECHO);
  const other = await createAuthority(VALIDITY);
  server.server.rotate(await issueLeaf(other, { names: ["localhost"], ...VALIDITY }));
  const client = Deno.createHttpClient({ caCerts: [other.cert] });
  try {
    assert.equal(await (await server.post(client, "x")).text(), "x");
  } finally {
    client.close();
  }
  await assert.rejects(server.post(server.client(), "x"));
});

Deno.test("server: a certificate that cannot be used leaves the present one in place", async () => {
  await using server = await TestServer.start(ECHO);
  assert.throws(() => server.server.rotate({ cert: "x", key: "y" }));
  assert.equal(await (await server.post(server.client(), "x")).text(), "x");
  assert.equal(server.server.generations, 1);
});

Deno.test("server: a start that fails holds no port", async () => {
  const server = new WebhookServer({ clock: systemClock, log: recordingLogger([]) });
  assert.throws(() => server.start(ECHO, { hostname: "127.0.0.1", port: 0, cert: "x", key: "y" }));
  assert.equal(server.port, 0);
  await server.stop();
});

Deno.test("server: HTTP/2, whose connections cannot be ended without loss, is not offered", async () => {
  await using server = await TestServer.start(ECHO);
  await assert.rejects(server.post(server.client({ http1: false }), "x"));
});

Deno.test("server: a drained server answers, and asks every client to connect anew", async () => {
  await using server = await TestServer.start(ECHO);
  const client = server.client();
  const before = await server.post(client, "a");
  assert.equal(before.headers.get("connection"), null);
  assert.equal(await before.text(), "a");
  server.server.drain();
  for (const body of ["b", "c"]) {
    const response = await server.post(client, body);
    assert.equal(response.headers.get("connection"), "close");
    assert.equal(await response.text(), body);
  }
});

Deno.test("server: stopping answers what is under way and refuses the rest", async () => {
  const arrived = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const server = await TestServer.start({
    fetch: async (request) => {
      arrived.resolve();
      await released.promise;
      return new Response(await request.text());
    },
  });
  const client = server.client();
  const { port } = server.server;
  const answer = server.post(client, "x".repeat(100_000)).then((response) => response.text());
  await arrived.promise;
  const stopped = server.server.stop();
  await assert.rejects(Deno.connect({ hostname: "127.0.0.1", port }));
  released.resolve();
  assert.equal((await answer).length, 100_000);
  server.closeClient(client);
  await stopped;
});

Deno.test("server: what is under way past the deadline is cut off", async () => {
  const arrived = Promise.withResolvers<void>();
  const released = Promise.withResolvers<Response>();
  const server = await TestServer.start({
    fetch: () => {
      arrived.resolve();
      return released.promise;
    },
  });
  const client = server.client();
  const answer = assert.rejects(server.post(client, "x"));
  await arrived.promise;
  await server.server.stop(AbortSignal.abort());
  await answer;
  client.close();
  released.resolve(new Response());
});

Deno.test("server: noise on the port harms nobody", async () => {
  const webhook = new TestWebhook();
  await using server = await TestServer.start(webhook.app);
  for (const noise of fc.sample(fc.uint8Array({ minLength: 1, maxLength: 512 }), 100)) {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port: server.server.port });
    await connection.write(noise).catch(() => 0);
    connection.close();
  }
  const response = await server.post(server.client(), JSON.stringify(reviewOf(preview())));
  assert.equal(response.status, 200);
  assert.equal((await response.json()).response.uid, "review-1");
});

Deno.test("server: arbitrary bodies over TLS are answered", async () => {
  const webhook = new TestWebhook();
  await using server = await TestServer.start(webhook.app);
  const clients = [server.client(), server.client()];
  for (const [at, body] of fc.sample(fc.uint8Array({ maxLength: 4096 }), 200).entries()) {
    const response = await server.post(clients[at % 2]!, new Uint8Array(body));
    assert.equal(response.status, 400);
    assert.ok((await response.text()).length > 0);
  }
  const tooLarge = await server.post(clients[1]!, new Uint8Array(10 * 1024 * 1024)).catch(() => undefined);
  // The answer may come while the client is still sending: some clients then only see that the connection ended.
  if (tooLarge) assert.equal(tooLarge.status, 413);
  await tooLarge?.body?.cancel();
  assert.equal(webhook.clock.pending, 0);
});
