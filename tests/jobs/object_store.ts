/**
 * A store that speaks as much S3 as backups need: objects are put and got by path, and every request must be signed with
 * AWS Signature Version 4 by whoever knows the secret key.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 * @module
 */
import { createHash, createHmac } from "node:crypto";

/** See the module. */
export class ObjectStore implements AsyncDisposable {
  /** Contents by `/<bucket>/<key>`. */
  readonly objects = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly accessKeyId = "AKIA-TEST";
  /** With what a shell, a configuration file or a URL would read otherwise. */
  readonly secretAccessKey = 'a/b+c="d"\\e $(f):%41';
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor() {
    const options = { hostname: "127.0.0.1", port: 0, onListen: (): void => {} };
    this.#server = Deno.serve(options, (request) => this.#answer(request));
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const body = new Uint8Array(await request.arrayBuffer());
    if (!this.#isSigned(request, pathname, body)) return new Response("SignatureDoesNotMatch", { status: 403 });
    if (request.method === "PUT") {
      this.objects.set(pathname, body);
      return new Response();
    }
    const found = this.objects.get(pathname);
    return found ? new Response(found) : new Response("NoSuchKey", { status: 404 });
  }

  #isSigned(request: Request, pathname: string, body: Uint8Array): boolean {
    const header = request.headers.get("authorization") ?? "";
    const [, id, scope, names = "", signature] =
      /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(.+?), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]+)$/.exec(header) ?? [];
    if (id !== this.accessKeyId || !scope) return false;
    const hash = request.headers.get("x-amz-content-sha256");
    if (hash !== sha256(body) || !names.split(";").includes("x-amz-content-sha256")) return false;
    const signed = names.split(";").map((name) => `${name}:${request.headers.get(name)?.trim() ?? ""}\n`).join("");
    const canonical = [request.method, pathname, "", signed, names, hash].join("\n");
    const time = request.headers.get("x-amz-date") ?? "";
    const text = ["AWS4-HMAC-SHA256", time, scope, sha256(canonical)].join("\n");
    const key = scope.split("/").reduce<string | Uint8Array>(
      (made, part) => createHmac("sha256", made).update(part).digest(),
      `AWS4${this.secretAccessKey}`,
    );
    return createHmac("sha256", key).update(text).digest("hex") === signature;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
