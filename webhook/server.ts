/**
 * Serves the webhook over TLS, changes the certificate and stops, all without losing a request.
 *
 * What stands in the way (measured with Go's client, which the API server uses, on Deno 2.6.8 and 2.9.6):
 * - `Deno.serve` cannot change its certificate, and one listener cannot take over from another on the same port:
 *   connections that wait in the old one's queue are reset when it closes (20 to 120 lost requests in 40 changes).
 * - The `shutdown()` of an HTTP/2 server loses requests that arrive while it says goodbye (in 3 of 8 restarts
 *   under 20 to 40 requests a second), and a client holds on to its one connection for ever, to a Pod that is leaving too. The
 *   choice of protocol cannot be taken from `Deno.serve`.
 *
 * So the port is held by one plain TCP listener for the whole life of the process. Each connection is handed on, as
 * bytes, to a TLS listener of the present certificate, which offers HTTP/1.1 only, and from there to one HTTP server;
 * both on loopback. A change of certificate starts the next TLS listener and points new connections there; connections
 * that exist need no certificate any more. Over HTTP/1.1 a connection that shall end says so in an answer
 * (`Connection: close`, RFC 9112 section 9.6), and then no client sends into it again: those of a former certificate,
 * and all of them from {@link WebhookServer.drain} on.
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
  /** By the port on loopback that a connection reaches the HTTP server from. */
  readonly #carriers = new Map<number, Generation>();
  readonly #answering = new Set<Promise<unknown>>();
  readonly #stopping = new AbortController();
  #isDraining = false;
  /** Milliseconds since the epoch. */
  #usedAt = 0;
  #listener?: Deno.TcpListener;
  #http?: Deno.HttpServer<Deno.NetAddr>;
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
    const listener = Deno.listen({ hostname, port });
    try {
      this.#present = this.#createGeneration({ cert, key });
    } catch (error) {
      listener.close();
      throw error;
    }
    this.#http = this.#serve(handler);
    this.#listener = listener;
    this.#accepting = acceptAll(listener, {
      signal: this.#stopping.signal,
      carry: (connection) => {
        this.#usedAt = this.#clock.now();
        this.#connections.set(connection, this.#carry(connection));
      },
      onError: (error) => this.#acceptFailed(error),
    });
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

  /** Milliseconds since somebody connected or asked. */
  get quietMs(): number {
    return this.#clock.now() - this.#usedAt;
  }

  /** From now on every answer asks its client to connect anew, and then it may reach another replica. */
  drain(): void {
    this.#isDraining = true;
  }

  /**
   * Stops listening, finishes requests that are under way and closes all connections.
   *
   * @param deadline when it aborts, connections are cut off and what is under way is not waited for
   */
  async stop(deadline?: AbortSignal): Promise<void> {
    this.drain();
    this.#stopping.abort();
    this.#listener?.close();
    const drained = this.#drained();
    const lingering = new AbortController();
    await Promise.race([
      drained.then(() => Promise.all(this.#connections.values())),
      drained.then(() => sleep(this.#clock, LINGER_MS, lingering.signal)),
      aborted(deadline),
    ]);
    lingering.abort();
    for (const connection of this.#connections.keys()) close(connection);
    await Promise.all([this.#accepting, ...this.#connections.values()]);
    await Promise.all([...this.#generations].map((generation) => generation.end()));
  }

  /** Resolves when everything is answered and no connection waits for a request. */
  async #drained(): Promise<void> {
    // Deno 2.9 breaks off the body of a request that is still being read when the server is told to shut down.
    while (this.#answering.size > 0) await Promise.allSettled(this.#answering);
    await this.#http?.shutdown();
  }

  #serve(handler: WebhookHandler): Deno.HttpServer<Deno.NetAddr> {
    return Deno.serve({
      hostname: LOOPBACK,
      port: 0,
      onListen: () => {},
      onError: (error) => {
        this.#log.error("Failed to answer a request to the webhook", { error });
        return new Response("The webhook failed to answer: see its log\n", { status: 500 });
      },
    }, async (request, { remoteAddr }) => {
      this.#usedAt = this.#clock.now();
      const answering = Promise.resolve(handler.fetch(request)).finally(() => this.#answering.delete(answering));
      this.#answering.add(answering);
      const response = await answering;
      if (this.#isDraining || this.#carriers.get(remoteAddr.port)?.isRetired) {
        response.headers.set("connection", "close");
      }
      return response;
    });
  }

  #createGeneration(certificate: CertifiedKey): Generation {
    const generation = new Generation(certificate, {
      toHttp: async (connection) => {
        const http = await Deno.connect({ hostname: LOOPBACK, port: this.#http!.addr.port });
        const { port } = http.localAddr as Deno.NetAddr;
        this.#carriers.set(port, generation);
        await relay(connection, http);
        this.#carriers.delete(port);
      },
      onError: (error) => this.#acceptFailed(error),
      onEnd: () => this.#generations.delete(generation),
    });
    this.#generations.add(generation);
    return generation;
  }

  async #acceptFailed(error: unknown): Promise<void> {
    this.#log.warn("Failed to accept a connection to the webhook", { error });
    await sleep(this.#clock, ACCEPT_RETRY_MS, this.#stopping.signal);
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

interface GenerationDeps {
  /** Carries what was decrypted; resolves when the connection is over. */
  toHttp(connection: Deno.TlsConn): Promise<void>;
  onError(error: unknown): Promise<void>;
  onEnd(): void;
}

/** The TLS listener of one certificate. */
class Generation {
  readonly #listener: Deno.TlsListener;
  readonly #accepting: Promise<void>;
  readonly #ending = new AbortController();
  readonly #onEnd: () => void;
  #connections = 0;
  #isRetired = false;

  constructor({ cert, key }: CertifiedKey, { toHttp, onError, onEnd }: GenerationDeps) {
    this.#onEnd = onEnd;
    this.#listener = Deno.listenTls({ hostname: LOOPBACK, port: 0, cert, key, alpnProtocols: ["http/1.1"] });
    this.#accepting = acceptAll(this.#listener, {
      signal: this.#ending.signal,
      // What cannot be carried on ends for the client, too.
      carry: (connection) => void toHttp(connection).catch(() => close(connection)),
      onError,
    });
  }

  get isRetired(): boolean {
    return this.#isRetired;
  }

  /** Resolves when the connection is over. @throws Error when the TLS listener cannot be reached. */
  async serve(connection: Deno.TcpConn): Promise<void> {
    this.#connections++;
    try {
      await relay(connection, await Deno.connect({ hostname: LOOPBACK, port: this.#listener.addr.port }));
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

  /** Closes the listener; connections that exist go on. */
  async end(): Promise<void> {
    if (!this.#ending.signal.aborted) {
      this.#ending.abort();
      this.#listener.close();
      this.#onEnd();
    }
    await this.#accepting;
  }

  #endIfIdle(): void {
    if (this.#isRetired && this.#connections === 0) void this.end();
  }
}

/** Hands on every connection until the signal, which comes before the listener is closed. */
async function acceptAll<C extends Deno.Conn>(
  listener: { accept(): Promise<C> },
  { signal, carry, onError }: {
    signal: AbortSignal;
    carry(connection: C): void;
    onError(error: unknown): Promise<void>;
  },
): Promise<void> {
  while (!signal.aborted) {
    try {
      carry(await listener.accept());
    } catch (error) {
      if (!signal.aborted) await onError(error);
    }
  }
}
