/**
 * What tests of admission under change need: an address in front of replicas, a steady stream of writes, and a look at
 * what is served.
 *
 * @module
 */
import { PREVIEW_ENVIRONMENT } from "../../lib/api/preview_environment.ts";
import type { RawRequests } from "../fixtures/raw_requests.ts";
import { close, relay } from "../../webhook/relay.ts";
import { preview } from "./previews.ts";

const PROBE_MS = 200;
const MOST_UNDER_WAY = 20;

/** One replica, as the front sees it. */
export interface Replica {
  readonly httpPort: number;
  readonly webhookPort: number;
}

/** Rounds that begin so far apart, the first at once; one that took longer is followed at once. */
export async function* everyMs(ms: number, signal?: AbortSignal): AsyncGenerator<number> {
  const start = performance.now();
  for (let round = 0; !signal?.aborted; round++) {
    const wait = start + round * ms - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    if (!signal?.aborted) yield round;
  }
}

/**
 * One address in front of several replicas, as a Service: new connections go to ready replicas in turn, what becomes of
 * readiness is acted upon a little later, and connections that exist stay where they are.
 */
export class Front implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #delayMs: number;
  readonly #closing = new AbortController();
  readonly #connections = new Set<Deno.TcpConn>();
  readonly #loops: Promise<void>[] = [];
  #ready: readonly Replica[] = [];
  #turn = 0;
  /** New connections that a replica in rotation did not take. */
  refused = 0;

  /** @param delayMs from a change of readiness until it is acted upon */
  constructor(delayMs: number) {
    this.#delayMs = delayMs;
    this.#loops.push(this.#accept());
  }

  get url(): string {
    return `https://127.0.0.1:${this.#listener.addr.port}`;
  }

  /** Replicas that get new connections. */
  get ready(): readonly Replica[] {
    return this.#ready;
  }

  /** Sends new connections to these, as long as they are ready. */
  lead(replicas: readonly Replica[]): void {
    this.#ready = replicas;
    this.#loops.push(this.#probe(replicas));
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#listener) void this.#carry(connection);
  }

  async #carry(connection: Deno.TcpConn): Promise<void> {
    this.#connections.add(connection);
    try {
      const replica = this.#ready[this.#turn++ % this.#ready.length]!;
      await relay(connection, await Deno.connect({ hostname: "127.0.0.1", port: replica.webhookPort }));
    } catch {
      this.refused++;
    } finally {
      close(connection);
      this.#connections.delete(connection);
    }
  }

  async #probe(replicas: readonly Replica[]): Promise<void> {
    for await (const _ of everyMs(PROBE_MS, this.#closing.signal)) {
      const seen = await Promise.all(replicas.map(isReady));
      const ready = replicas.filter((_, index) => seen[index]);
      const timer = setTimeout(() => this.#ready = ready, this.#delayMs);
      this.#closing.signal.addEventListener("abort", () => clearTimeout(timer));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#listener.close();
    for (const connection of this.#connections) close(connection);
    await Promise.all(this.#loops);
  }
}

async function isReady({ httpPort }: Replica): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${httpPort}/readyz`, { signal: AbortSignal.timeout(5_000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

/**
 * Creates environments as dry runs, at a steady rate. Where answers take so long that many are awaited, as on a machine
 * that does other things too, the rate falls: a queue that grows would end in timeouts that say nothing of admission.
 */
export class Admissions implements AsyncDisposable {
  readonly #requests: RawRequests;
  readonly #stopping = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  readonly #pacing: Promise<void>;
  /** How often each answer came; `created` is the good one. */
  readonly answers = new Map<string, number>();

  constructor(requests: RawRequests, perSecond: number) {
    this.#requests = requests;
    this.#pacing = this.#pace(1000 / perSecond);
  }

  async #pace(ms: number): Promise<void> {
    for await (const round of everyMs(ms, this.#stopping.signal)) {
      if (this.#underWay.size >= MOST_UNDER_WAY) continue;
      const asking = this.#ask(round).finally(() => this.#underWay.delete(asking));
      this.#underWay.add(asking);
    }
  }

  async #ask(round: number): Promise<void> {
    const at = new Date().toISOString();
    const answer = await create(this.#requests, 1 + round % 1000).catch((error) => String(error));
    const key = answer === "created" ? answer : `${at} ${answer}`;
    this.answers.set(key, (this.answers.get(key) ?? 0) + 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  get created(): number {
    return this.answers.get("created") ?? 0;
  }

  /** @returns Every answer that was not good, once all are there. */
  async stop(): Promise<string[]> {
    this.#stopping.abort();
    await this.#pacing;
    await Promise.all(this.#underWay);
    return [...this.answers.keys()].filter((answer) => answer !== "created");
  }
}

/** Creates an environment as a dry run. @returns `created`, or what the API server says instead. */
export async function create(requests: RawRequests, pr: number): Promise<string> {
  const { code, body } = await requests.write(PREVIEW_ENVIRONMENT.resource, preview(pr), { query: { dryRun: "All" } });
  return code === 201 ? "created" : `${code} ${body.message}`;
}

/**
 * What keeps a client that trusts these authorities from what a port serves; nothing when it gets through.
 *
 * @throws Error when nobody listens there
 */
export async function distrust(port: number, bundlePem: string): Promise<string | undefined> {
  const connection = await Deno.connectTls({ hostname: "127.0.0.1", port, caCerts: [bundlePem] });
  try {
    await connection.handshake();
    return undefined;
  } catch (error) {
    return `port ${port}: ${error}`;
  } finally {
    connection.close();
  }
}
