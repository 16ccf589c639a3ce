import { Buffer } from "node:buffer";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** Who may do what: by user name (`""` for nobody), the actions on every repository. */
export type Rights = Readonly<Record<string, { password: string; actions: string[] }>>;

/** A token server by distribution's specification, which signs what its registry is told to believe. */
export class TokenServer implements AsyncDisposable {
  /** Requests that it has answered, each with its user. */
  readonly asked: string[] = [];
  /** Seconds that a token holds. */
  expiresIn = 300;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #keys: CryptoKeyPair;
  readonly #rights: Rights;

  private constructor(keys: CryptoKeyPair, rights: Rights) {
    this.#keys = keys;
    this.#rights = rights;
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen(): void {} },
      (request) => this.#answer(request),
    );
  }

  /** @param file where to write the public key, for the registry */
  static async start(rights: Rights, file: string): Promise<TokenServer> {
    const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]) as CryptoKeyPair;
    const key = await crypto.subtle.exportKey("jwk", keys.publicKey);
    await Deno.writeTextFile(file, JSON.stringify({ keys: [{ ...key, kid: "test", use: "sig", alg: "ES256" }] }));
    return new TokenServer(keys, rights);
  }

  /** Where the registry sends its clients. */
  get realm(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/token`;
  }

  /** The header for one who was given a token outside of the client under test. */
  async authorization(repository: string, actions: string[]): Promise<string> {
    return `Bearer ${await this.#sign("test", [{ type: "repository", name: repository, actions }])}`;
  }

  async #answer(request: Request): Promise<Response> {
    const [user = "", password = ""] = loginOf(request);
    this.asked.push(`${user} ${new URL(request.url).search}`);
    const rights = this.#rights[user];
    if (!rights || rights.password !== password) {
      return Response.json({ errors: [{ code: "UNAUTHORIZED" }] }, { status: 401 });
    }
    const scopes = new URL(request.url).searchParams.getAll("scope").map((scope) => scope.split(":"));
    const access = scopes.map(([type, name, actions = ""]) => (
      { type, name, actions: actions.split(",").filter((action) => rights.actions.includes(action)) }
    ));
    return Response.json({ token: await this.#sign(user, access), expires_in: this.expiresIn });
  }

  async #sign(sub: string, access: unknown): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: "test",
      aud: "registry",
      sub,
      nbf: now - 60,
      iat: now,
      exp: now + 300,
      jti: crypto.randomUUID(),
      access,
    };
    const text = [{ typ: "JWT", alg: "ES256", kid: "test" }, claims].map(part).join(".");
    const signature = await crypto.subtle.sign(ALGORITHM, this.#keys.privateKey, new TextEncoder().encode(text));
    return `${text}.${Buffer.from(signature).toString("base64url")}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

function loginOf(request: Request): string[] {
  const encoded = request.headers.get("authorization")?.replace(/^Basic /, "") ?? "";
  return Buffer.from(encoded, "base64").toString().split(":");
}

function part(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
