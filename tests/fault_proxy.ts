/**
 * A TCP proxy between the operator and the API server, whose line goes bad and good again while it runs.
 *
 * @module
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import { parse } from "yaml";

/**
 * What the line does:
 *
 * - `pass`: it works;
 * - `reset`: every connection that is open is reset, and every new one as soon as it is made;
 * - `blackHole`: connections stay open and new ones are taken, and nothing comes through in either direction. When the
 *   line is good again, what was held back comes through;
 * - `halfOpen`: requests come through, replies are lost. A connection that was open meanwhile stays so for ever, and its
 *   client hears of nothing, not even of its end;
 * - `slow`: every reply comes 5 s late.
 */
export type Fault = "pass" | "reset" | "blackHole" | "halfOpen" | "slow";

const SLOW_MS = 5_000;

/** See the module. */
export class FaultProxy implements Disposable {
  readonly #server: Server;
  readonly #target: { host: string; port: number };
  readonly #slowMs: number;
  readonly #lines = new Set<Line>();
  #fault: Fault = "pass";

  private constructor(server: Server, target: { host: string; port: number }, slowMs: number) {
    this.#server = server;
    this.#target = target;
    this.#slowMs = slowMs;
    server.on("connection", (client) => this.#take(client));
  }

  /** Listens on a free port of this machine. @param url Where connections lead: only its host and port count. */
  static async start(url: string, { slowMs = SLOW_MS } = {}): Promise<FaultProxy> {
    const { hostname: host, port, protocol } = new URL(url);
    // A connection that was shut down in one direction is not to be closed in the other behind our back.
    const server = createServer({ allowHalfOpen: true });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new FaultProxy(server, { host, port: Number(port || (protocol === "https:" ? 443 : 80)) }, slowMs);
  }

  /** Where it listens. */
  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** Connections that are open. */
  get open(): number {
    return this.#lines.size;
  }

  /** From now on the line is as good or as bad as this, for open connections, too. */
  set(fault: Fault): void {
    this.#fault = fault;
    for (const line of this.#lines) line.set(fault, this.#slowMs);
  }

  #take(client: Socket): void {
    if (this.#fault === "reset") return reset(client);
    const upstream = connect({ ...this.#target, allowHalfOpen: true });
    const line = new Line(client, upstream, () => this.#lines.delete(line));
    this.#lines.add(line);
    line.set(this.#fault, this.#slowMs);
  }

  [Symbol.dispose](): void {
    for (const line of this.#lines) line.reset();
    this.#server.close();
  }
}

/** One connection. */
class Line {
  readonly #client: Socket;
  readonly #upstream: Socket;
  readonly #onEnd: () => void;
  /** What the server said and the client has not heard; null is the end. */
  readonly #replies: { due: number; chunk: Uint8Array | null }[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #delayMs = 0;
  #isDeaf = false;

  constructor(client: Socket, upstream: Socket, onEnd: () => void) {
    this.#client = client;
    this.#upstream = upstream;
    this.#onEnd = onEnd;
    client.on("data", (chunk: Uint8Array) => upstream.write(chunk));
    client.on("end", () => upstream.end());
    upstream.on("data", (chunk: Uint8Array) => this.#reply(chunk));
    upstream.on("end", () => this.#reply(null));
    client.on("error", () => this.reset());
    client.on("close", () => this.reset());
    upstream.on("error", () => this.#isDeaf || this.reset());
  }

  set(fault: Fault, slowMs: number): void {
    if (fault === "reset") return this.reset();
    this.#delayMs = fault === "slow" ? slowMs : 0;
    if (fault === "halfOpen") this.#isDeaf = true;
    for (const socket of [this.#client, this.#upstream]) {
      if (fault === "blackHole") socket.pause();
      else socket.resume();
    }
  }

  #reply(chunk: Uint8Array | null): void {
    if (this.#isDeaf) return;
    this.#replies.push({ due: performance.now() + this.#delayMs, chunk });
    this.#deliver();
  }

  /** In order, also when the line has become faster meanwhile. */
  #deliver(): void {
    clearTimeout(this.#timer);
    while (this.#replies.length > 0) {
      const waitMs = this.#replies[0]!.due - performance.now();
      if (waitMs > 0) return void (this.#timer = setTimeout(() => this.#deliver(), waitMs));
      const { chunk } = this.#replies.shift()!;
      if (chunk) this.#client.write(chunk);
      else this.#client.end();
    }
  }

  /** Ends it as a router does that has forgotten the connection. */
  reset(): void {
    clearTimeout(this.#timer);
    this.#replies.length = 0;
    reset(this.#client);
    reset(this.#upstream);
    this.#onEnd();
  }
}

/** Deno knows how since 2.9; before, the connection is closed only. */
function reset(socket: Socket): void {
  if (socket.destroyed) return;
  if (typeof socket.resetAndDestroy === "function") socket.resetAndDestroy();
  else socket.destroy();
}

/**
 * A kubeconfig of the same user that leads through a proxy.
 *
 * @param path The kubeconfig that leads to the API server. @param to.caPem CA of the proxy, where it ends TLS itself.
 * @returns Path of the new one, beside the old one.
 */
export async function kubeconfigThrough(path: string, to: { server: string; caPem?: string }): Promise<string> {
  const config = parse(await Deno.readTextFile(path));
  for (const { cluster } of config.clusters) {
    cluster.server = to.server;
    if (to.caPem) cluster["certificate-authority-data"] = btoa(to.caPem);
  }
  await Deno.writeTextFile(`${path}-through-proxy`, JSON.stringify(config), { mode: 0o600 });
  return `${path}-through-proxy`;
}
