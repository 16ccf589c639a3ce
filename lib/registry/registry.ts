/**
 * Asks an image registry whether an image exists (OCI distribution API), without credentials of its own.
 *
 * The answer may only warn, so it is careful in one direction: `absent` is what a registry said in so many words,
 * everything that could also be a secret image, a busy registry or a broken line is `unknown`. Nothing throws.
 *
 * What it holds to: anonymous tokens go to the origin that asked for them and to no other; a registry that is spoken to
 * over TLS never leads to a plain connection, neither by a token realm nor by a redirect; every body is read to a
 * limit or cancelled.
 *
 * @module
 */
import { type ImageReference, normalized } from "../image/reference.ts";

/** What a registry says of an image; `unknown` is no answer at all. */
export type ImagePresence = "present" | "absent" | "unknown";

/** The one question that admission has to a registry. */
export interface ImageRegistry {
  /**
   * Whether the image that a reference names can be pulled.
   *
   * @param ref the image; by its digest where it has one, else by its tag, else by `latest`
   * @param options `signal` ends the question with `unknown`; the time limit is the caller's
   */
  exists(ref: ImageReference, options: { signal: AbortSignal }): Promise<ImagePresence>;
}

/** What {@link createRegistry} needs. */
export interface RegistryOptions {
  /** Sends the requests; carries trusted CAs and proxies where there are any. */
  fetch: typeof fetch;
  /** Registries that are spoken to over plain HTTP, as they stand in references: `localhost:5000`. */
  insecureRegistries: readonly string[];
}

/** A registry client over HTTP. */
export function createRegistry(options: RegistryOptions): ImageRegistry {
  return new HttpRegistry(options);
}

const MANIFEST_TYPES = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");
/** The default registry answers its API under another name than images carry. */
const API_HOSTS: ReadonlyMap<string, string> = new Map([["docker.io", "registry-1.docker.io"]]);
const ABSENT_CODES: readonly string[] = ["MANIFEST_UNKNOWN", "NAME_UNKNOWN"];
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];
const MAX_REDIRECTS = 5;
/** Answers to HEAD that say nothing of the image: asked again by GET, whose body can say more. */
const HEAD_REFUSED: readonly number[] = [400, 405];
/** Tokens of the large registries take some 5 KiB. */
const MAX_BODY_BYTES = 256 * 1024;

/** A request that may be sent again, to another place. */
interface Question {
  method: "HEAD" | "GET";
  accept: string;
  token?: string;
  signal: AbortSignal;
}

/** A response and where it came from, after redirects. */
interface Answer {
  response: Response;
  url: URL;
}

class HttpRegistry implements ImageRegistry {
  readonly #fetch: typeof fetch;
  readonly #insecure: ReadonlySet<string>;

  constructor(options: RegistryOptions) {
    this.#fetch = options.fetch;
    this.#insecure = new Set(options.insecureRegistries.map((registry) => registry.toLowerCase()));
  }

  async exists(ref: ImageReference, options: { signal: AbortSignal }): Promise<ImagePresence> {
    const question = { accept: MANIFEST_TYPES, signal: options.signal };
    try {
      const url = this.#manifestUrl(ref);
      const head = await this.#ask(url, { ...question, method: "HEAD" });
      if (!HEAD_REFUSED.includes(head.status)) return await presenceOf(head);
      return await presenceOf(await this.#ask(url, { ...question, method: "GET" }));
    } catch {
      return "unknown";
    }
  }

  #manifestUrl(ref: ImageReference): URL {
    const { registry, repository } = normalized(ref);
    const scheme = this.#insecure.has(registry) ? "http" : "https";
    const host = API_HOSTS.get(registry) ?? registry;
    return new URL(`${scheme}://${host}/v2/${repository}/manifests/${ref.digest ?? ref.tag ?? "latest"}`);
  }

  /** Asks, and once more with an anonymous token where one is wanted. */
  async #ask(url: URL, question: Question): Promise<Response> {
    const first = await this.#send(url, question);
    if (first.response.status !== 401) return first.response;
    await first.response.body?.cancel();
    const realm = tokenUrl(first);
    if (realm === undefined) return first.response;
    const token = await this.#token(realm, question.signal);
    // To where the token was asked for, behind all redirects: no other origin may see it.
    return (await this.#send(first.url, { ...question, token })).response;
  }

  async #token(realm: URL, signal: AbortSignal): Promise<string> {
    const { response } = await this.#send(realm, { method: "GET", accept: "application/json", signal });
    const text = await readBody(response);
    const body = response.ok ? JSON.parse(text) : undefined;
    const token: unknown = body?.token ?? body?.access_token;
    if (typeof token !== "string" || token === "") throw new Error(`No token from "${realm.origin}"`);
    return token;
  }

  /** Follows redirects by hand: fetch would take them to any scheme. */
  async #send(url: URL, question: Question): Promise<Answer> {
    const { method, accept, signal } = question;
    for (let hop = 0, at = url; hop <= MAX_REDIRECTS; hop++) {
      const headers = new Headers({ accept });
      if (question.token !== undefined && at.origin === url.origin) {
        headers.set("authorization", `Bearer ${question.token}`);
      }
      const response = await this.#fetch(at, { method, headers, signal, redirect: "manual" });
      const location = response.headers.get("location");
      if (!REDIRECTS.includes(response.status) || location === null) return { response, url: at };
      await response.body?.cancel();
      const next = new URL(location, at);
      if (next.protocol !== at.protocol) throw new Error(`Redirect to another scheme: "${next.origin}"`);
      at = next;
    }
    throw new Error(`Too many redirects from "${url.origin}"`);
  }
}

async function presenceOf(response: Response): Promise<ImagePresence> {
  const { status } = response;
  const isDoubtful = status === 401 || status === 403 || status === 429 || status >= 500;
  if (response.ok || status === 404 || isDoubtful) {
    await response.body?.cancel();
    if (isDoubtful) return "unknown";
    return status === 404 ? "absent" : "present";
  }
  return hasAbsentCode(await readBody(response)) ? "absent" : "unknown";
}

/** Reads the errors of the distribution API: `{ "errors": [{ "code": "NAME_UNKNOWN" }] }`. */
function hasAbsentCode(body: string): boolean {
  const errors: unknown = JSON.parse(body)?.errors;
  return Array.isArray(errors) && errors.some((error) => ABSENT_CODES.includes(error?.code));
}

/**
 * Where the registry wants the token fetched (distribution's token specification).
 *
 * @returns `undefined` when it wants something else, or a realm that is less safe than the registry itself
 */
function tokenUrl(answer: Answer): URL | undefined {
  const challenge = bearerChallenge(answer.response.headers.get("www-authenticate") ?? "");
  const realm = challenge.get("realm");
  if (realm === undefined || !URL.canParse(realm)) return undefined;
  const url = new URL(realm);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && answer.url.protocol === "http:")) return undefined;
  const service = challenge.get("service");
  if (service !== undefined) url.searchParams.set("service", service);
  for (const scope of challenge.get("scope")?.split(" ") ?? []) url.searchParams.append("scope", scope);
  return url;
}

/** The parameters of the `Bearer` challenge among those of a header; names in lower case, quotes taken off. */
function bearerChallenge(header: string): Map<string, string> {
  const parameters = new Map<string, string>();
  const start = /(?:^|,)\s*Bearer\s+/i.exec(header);
  if (start === null) return parameters;
  const parameter = /\s*([a-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))\s*(?:,|$)/iy;
  parameter.lastIndex = start.index + start[0].length;
  for (let match = parameter.exec(header); match !== null; match = parameter.exec(header)) {
    const [, name = "", quoted, bare = ""] = match;
    parameters.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, "$1") ?? bare);
  }
  return parameters;
}

/** Reads a body as text, to a limit: leaving the loop early cancels the rest. */
async function readBody(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new Error(`Body is over ${MAX_BODY_BYTES} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
