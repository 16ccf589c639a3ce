/**
 * An HTTPS proxy between the operator and the API server that refuses a share of all requests while a storm lasts.
 *
 * @module
 */
import { Authority } from "./control_plane/certificates.ts";

/** What a storm is. */
export interface Storm {
  status: 429 | 500;
  /** Share of requests that are refused, from 0 to 1. */
  share: number;
}

const REASONS = { 429: "TooManyRequests", 500: "InternalError" } as const;
/** What the other side must not hear of: `fetch` has unpacked the body. */
const BODY_HEADERS = ["content-encoding", "content-length", "transfer-encoding"];

/** See the module. */
export class StormProxy implements AsyncDisposable {
  readonly #target: string;
  readonly #random: () => number;
  readonly #client: Deno.HttpClient;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  /** CA that signed its certificate, PEM. */
  readonly caPem: string;
  #storm: Storm | undefined;
  #refused = 0;

  private constructor(
    target: { server: string; caPem: string },
    own: { random: () => number; caPem: string; cert: string; key: string },
  ) {
    this.#target = target.server;
    this.#random = own.random;
    this.caPem = own.caPem;
    this.#client = Deno.createHttpClient({ caCerts: [target.caPem], http1: true, http2: false });
    const { cert, key } = own;
    const options = { hostname: "127.0.0.1", port: 0, cert, key, onListen: () => {}, onError: brokenOff };
    this.#server = Deno.serve(options, (request) => this.#answer(request));
  }

  /** Listens on a free port of this machine. @param random Numbers in [0, 1) that choose who is refused. */
  static async start(target: { server: string; caPem: string }, random: () => number): Promise<StormProxy> {
    const authority = await Authority.create(new Date());
    const { certificate: cert, key } = await authority.issue({ commonName: "proxy", hosts: ["127.0.0.1"] });
    return new StormProxy(target, { random, caPem: authority.pair.certificate, cert, key });
  }

  /** Where it listens. */
  get server(): string {
    return `https://127.0.0.1:${this.#server.addr.port}`;
  }

  /** Requests that were refused so far. */
  get refused(): number {
    return this.#refused;
  }

  /** From now on requests are refused so; without a storm none is. */
  set(storm: Storm | undefined): void {
    this.#storm = storm;
  }

  async #answer(request: Request): Promise<Response> {
    if (this.#storm && this.#random() < this.#storm.share) {
      await request.body?.cancel();
      this.#refused++;
      return refusal(this.#storm.status);
    }
    const { pathname, search } = new URL(request.url);
    const body = request.body ? await request.arrayBuffer() : undefined;
    const { method, headers, signal } = request;
    const init = { method, headers, body, signal, client: this.#client };
    const response = await fetch(this.#target + pathname + search, init);
    const answered = new Headers(response.headers);
    for (const name of BODY_HEADERS) answered.delete(name);
    // A watch must not wait until there is enough to be worth packing.
    answered.set("cache-control", "no-transform");
    return new Response(response.body, { status: response.status, headers: answered });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
    this.#client.close();
  }
}

/** As the API server's own limits and panics answer. */
function refusal(status: Storm["status"]): Response {
  const body = { kind: "Status", apiVersion: "v1", status: "Failure", message: "storm", reason: REASONS[status] };
  const headers: HeadersInit = status === 429 ? { "retry-after": "1" } : {};
  return Response.json({ ...body, code: status }, { status, headers });
}

function brokenOff(): Response {
  return new Response("The API server did not answer\n", { status: 502 });
}
