/**
 * A registry for tests that says what it is told to say.
 *
 * @module
 */

/** Answers one request; `origin` is the server's own. */
export type Script = (request: Request, origin: string) => Response | Promise<Response>;

/** What a request carried; the request itself cannot be read once it is answered. */
export interface Received {
  /** `GET /v2/…` */
  line: string;
  accept: string | null;
  authorization: string | null;
}

/** A registry on the loopback address that keeps what it was asked. */
export class ScriptedRegistry implements AsyncDisposable {
  readonly received: Received[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(script: Script) {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen(): void {} }, (request) => {
      const { method, url, headers } = request;
      const line = `${method} ${url.slice(this.origin.length)}`;
      this.received.push({ line, accept: headers.get("accept"), authorization: headers.get("authorization") });
      return script(request, this.origin);
    });
  }

  /** Lines of what was received, with the Authorization where there was one. */
  get asked(): string[] {
    return this.received.map(({ line, authorization }) => authorization ? `${line} ${authorization}` : line);
  }

  get host(): string {
    return `127.0.0.1:${this.#server.addr.port}`;
  }

  get origin(): string {
    return `http://${this.host}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}
