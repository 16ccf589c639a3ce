/**
 * Serves the webhook over TLS and changes the certificate without losing a request.
 *
 * `Deno.serve` cannot change its certificate, and one listener cannot take over from another on the same port without
 * loss: connections that wait in the queue of the old listener are reset when it closes, and a client that has just
 * connected, or speaks HTTP/1.1 with keep-alive, sends into a connection that is being closed (measured: some 20 to 120
 * lost requests in 40 changes under load, by `reusePort` and `shutdown()`). So the port is held by one plain TCP listener
 * for the whole life of the process, and each connection is handed on, as bytes, to the TLS server of the present
 * certificate on a loopback port. A change starts the next TLS server and points new connections there. The one before
 * keeps the connections it has, which need no certificate any more, and ends with the last of them; over HTTP/1.1 it asks
 * its clients to connect anew. Relaying costs less than what a benchmark of the whole can see.
 *
 * @module
 */
import { aborted, type Clock, sleep } from "../lib/runtime/clock.ts";
import type { Logger } from "../lib/runtime/log.ts";
import { close, relay } from "./relay.ts";
import type { CertifiedKey } from "./x509.ts";

/** What answers requests; a Hono app is one. */
export interface WebhookHandler {
  fetch(request: Request): Response | Promise<Response>;
}

/** Where to listen. */
export interface ListenOptions {
  hostname: string;
  /** 0 takes a free one. */
  port: number;
}

const LOOPBACK = "127.0.0.1";
/** After the last answer clients may read it to its end and close; a client that does not is not waited for. */
const LINGER_MS = 1_000;
/** Accepting fails for long when there are no file descriptors left: do not ask in a tight loop. */
const ACCEPT_RETRY_MS = 100;

/** See the module. */
export class WebhookServer {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #connections = new Map<Deno.TcpConn, Promise<void>>();
  readonly #generations = new Set<Generation>();
  readonly #stopping = new AbortController();
  #handler?: WebhookHandler;
  #listener?: Deno.TcpListener;
  #present?: Generation;
  #accepting?: Promise<void>;

  constructor({ clock, log }: { clock: Clock; log: Logger }) {
    this.#clock = clock;
    this.#log = log;
  }

  /**
   * Starts listening.
   *
   * @throws Error when the port is taken, the certificate cannot be used, or it listens already
   */
  start(handler: WebhookHandler, options: ListenOptions & CertifiedKey): void {
    if (this.#listener) throw new Error(`Cannot listen twice: already on port ${this.port}`);
    const { hostname, port, cert, key } = options;
    this.#handler = handler;
    const listener = Deno.listen({ hostname, port });
    try {
      this.#present = this.#createGeneration({ cert, key });
    } catch (error) {
      listener.close();
      throw error;
    }
    this.#listener = listener;
    this.#accepting = this.#accept(this.#listener);
  }

  /** The port, also where 0 was asked for; 0 before the start. */
  get port(): number {
    return this.#listener?.addr.port ?? 0;
  }

  /** How many certificates are in use: 1, and one for each that still has connections from before a change. */
  get generations(): number {
    return this.#generations.size;
  }

  /**
   * Uses another certificate from the next connection on.
   *
   * @throws Error when the certificate cannot be used; the present one stays
   */
  rotate(certificate: CertifiedKey): void {
    const former = this.#present;
    this.#present = this.#createGeneration(certificate);
    former?.retire();
  }

  /**
   * Stops listening, finishes requests that are under way and closes all connections.
   *
   * @param deadline when it aborts, connections are cut off and what is under way is not waited for
   */
  async stop(deadline?: AbortSignal): Promise<void> {
    this.#stopping.abort();
    this.#listener?.close();
    const drained = Promise.all([...this.#generations].map((generation) => generation.end()));
    const lingering = new AbortController();
    await Promise.race([
      drained.then(() => Promise.all(this.#connections.values())),
      drained.then(() => sleep(this.#clock, LINGER_MS, lingering.signal)),
      aborted(deadline),
    ]);
    lingering.abort();
    for (const connection of this.#connections.keys()) close(connection);
    await Promise.all([this.#accepting, ...this.#connections.values()]);
  }

  #createGeneration(certificate: CertifiedKey): Generation {
    const generation = new Generation(this.#handler!, certificate, {
      log: this.#log,
      onEnd: () => this.#generations.delete(generation),
    });
    this.#generations.add(generation);
    return generation;
  }

  async #accept(listener: Deno.TcpListener): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        const connection = await listener.accept();
        this.#connections.set(connection, this.#carry(connection));
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        this.#log.warn("Failed to accept a connection to the webhook", { error });
        await sleep(this.#clock, ACCEPT_RETRY_MS, this.#stopping.signal);
      }
    }
  }

  async #carry(connection: Deno.TcpConn): Promise<void> {
    try {
      await this.#present!.serve(connection);
    } catch (error) {
      this.#log.warn("Failed to hand on a connection to the webhook", { error });
    } finally {
      close(connection);
      this.#connections.delete(connection);
    }
  }
}

/** The TLS server of one certificate. */
class Generation {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #onEnd: () => void;
  #connections = 0;
  #isRetired = false;
  #ending?: Promise<void>;

  constructor(handler: WebhookHandler, { cert, key }: CertifiedKey, deps: { log: Logger; onEnd: () => void }) {
    this.#onEnd = deps.onEnd;
    const options = { hostname: LOOPBACK, port: 0, cert, key, onListen: (): void => {} };
    this.#server = Deno.serve({
      ...options,
      onError: (error) => {
        deps.log.error("Failed to answer a request to the webhook", { error });
        return new Response("The webhook failed to answer: see its log\n", { status: 500 });
      },
    }, (request) => this.#answer(handler, request));
  }

  async #answer(handler: WebhookHandler, request: Request): Promise<Response> {
    const response = await handler.fetch(request);
    // HTTP/2 has no such header, and does not send it.
    if (this.#isRetired) response.headers.set("connection", "close");
    return response;
  }

  /** Resolves when the connection is over. @throws Error when the TLS server cannot be reached. */
  async serve(connection: Deno.TcpConn): Promise<void> {
    this.#connections++;
    try {
      await relay(connection, await Deno.connect({ hostname: LOOPBACK, port: this.#server.addr.port }));
    } finally {
      this.#connections--;
      this.#endIfIdle();
    }
  }

  /** Takes no new connections, and ends with the last one. */
  retire(): void {
    this.#isRetired = true;
    this.#endIfIdle();
  }

  /** Answers what is under way, then closes its connections. */
  end(): Promise<void> {
    this.#ending ??= this.#server.shutdown().then(this.#onEnd);
    return this.#ending;
  }

  #endIfIdle(): void {
    if (this.#isRetired && this.#connections === 0) void this.end();
  }
}
