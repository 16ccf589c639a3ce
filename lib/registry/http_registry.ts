/**
 * The registry client over HTTP: one look at each place, as everybody who may look.
 *
 * @module
 */
import type { ImageReference } from "../image/reference.ts";
import { Deadline } from "./deadline.ts";
import type { Credential } from "./docker_config.ts";
import { type Endpoint, endpointsOf, manifestUrl } from "./endpoints.ts";
import { answerError, apiErrors, errorDetail, RegistryError } from "./errors.ts";
import { logIn } from "./login.ts";
import { LoginCache } from "./login_cache.ts";
import { foundByBody, foundByHeaders, MANIFEST_TYPES, MAX_MANIFEST_BYTES } from "./manifest.ts";
import type { ImagePresence, InspectedImage, InspectOptions, Registry, RegistryOptions } from "./registry.ts";
import { type Answer, type Question, readBody, readText, send } from "./transport.ts";

const DEFAULT_TIMEOUT_MS = 10_000;
const ACCEPT = MANIFEST_TYPES.join(", ");
const ABSENT_CODES: readonly string[] = ["MANIFEST_UNKNOWN", "NAME_UNKNOWN"];
/** Answers to HEAD that say nothing of the image: asked again by GET, whose body can say more. */
const HEAD_REFUSED: readonly number[] = [400, 405];
const MAX_ERROR_BYTES = 256 * 1024;

/** One look: at what, where, and as whom. */
interface Look {
  reference: ImageReference;
  endpoint: Endpoint;
  credential?: Credential;
  signal: AbortSignal;
}

/** See {@link Registry}. */
export class HttpRegistry implements Registry {
  readonly #options: RegistryOptions;
  readonly #insecure: ReadonlySet<string>;
  readonly #logins: LoginCache | undefined;

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#insecure = new Set(options.insecureRegistries.map((registry) => registry.toLowerCase()));
    this.#logins = options.clock && new LoginCache(options.clock);
  }

  async exists(reference: ImageReference, options: { signal: AbortSignal }): Promise<ImagePresence> {
    let presence: ImagePresence = "unknown";
    try {
      for (const endpoint of this.#endpoints(reference)) {
        presence = await this.#presence({ reference, endpoint, signal: options.signal });
        if (presence === "present") break;
      }
      return presence;
    } catch {
      return "unknown";
    }
  }

  async inspect(reference: ImageReference, options: InspectOptions): Promise<InspectedImage> {
    const [registry, ...mirrors] = this.#endpoints(reference).reverse();
    for (const endpoint of mirrors.reverse()) {
      const found = await this.#inspect(reference, endpoint, options).catch(faultOf);
      if ("exists" in found && found.exists) return found;
    }
    return await this.#inspect(reference, registry!, options);
  }

  #endpoints(reference: ImageReference): Endpoint[] {
    return endpointsOf(reference, { mirrors: this.#options.mirrors ?? new Map(), insecure: this.#insecure });
  }

  /** With every credential that there is: kubelets, too, try the next one where one is denied. */
  async #inspect(reference: ImageReference, endpoint: Endpoint, options: InspectOptions): Promise<InspectedImage> {
    const found = options.keyring?.lookup(endpoint.name, endpoint.repository) ?? [];
    const credentials: (Credential | undefined)[] = found.length > 0 ? found : [undefined];
    let denied: RegistryError | undefined;
    for (const credential of credentials) {
      using deadline = this.#deadline(options.signal);
      const look = { reference, endpoint, credential, signal: deadline.signal };
      try {
        return await this.#look(look, options.platforms ?? false);
      } catch (error) {
        if (!(error instanceof RegistryError) || error.fault !== "denied") throw error;
        denied = error;
      }
    }
    throw denied;
  }

  async #look(look: Look, isReadWhole: boolean): Promise<InspectedImage> {
    if (!isReadWhole) {
      const { response } = await this.#ask(look, "HEAD");
      await response.body?.cancel();
      if (response.status === 404) return { exists: false };
      const found = response.ok ? foundByHeaders(response.headers, look.reference.digest) : undefined;
      if (found) return found;
      if (!response.ok && !HEAD_REFUSED.includes(response.status)) throw this.#refusal(look, response);
    }
    return await this.#read(look);
  }

  async #read(look: Look): Promise<InspectedImage> {
    const answer = await this.#ask(look, "GET");
    const { response } = answer;
    if (response.ok) {
      const bytes = await readBody(answer, MAX_MANIFEST_BYTES);
      const found = foundByBody(bytes, response.headers, look.reference.digest);
      if (found.ok) return found.image;
      throw new RegistryError("unusable", `Registry "${look.endpoint.name}" ${found.problem}`);
    }
    const body = await readText(answer, MAX_ERROR_BYTES);
    if (response.status === 404 || isAbsent(response.status, body)) return { exists: false };
    throw this.#refusal(look, response, errorDetail(body));
  }

  #refusal({ endpoint }: Look, response: Response, detail?: string): RegistryError {
    return answerError(endpoint.name, response, { detail, now: this.#options.clock?.now() });
  }

  async #presence(look: Look): Promise<ImagePresence> {
    using deadline = this.#deadline(look.signal);
    const bounded = { ...look, signal: deadline.signal };
    try {
      const head = await this.#ask(bounded, "HEAD");
      if (!HEAD_REFUSED.includes(head.response.status)) return await presenceOf(head);
      await head.response.body?.cancel();
      return await presenceOf(await this.#ask(bounded, "GET"));
    } catch {
      return "unknown";
    }
  }

  /** Asks with the login of the last time, and once more with a new one where another is wanted. */
  async #ask(look: Look, method: "HEAD" | "GET"): Promise<Answer> {
    const { endpoint, credential, signal } = look;
    const { fetch } = this.#options;
    const url = manifestUrl(endpoint, look.reference);
    const question: Question = {
      method,
      accept: ACCEPT,
      signal,
      authorization: this.#logins?.get(endpoint, credential),
    };
    const first = await send(fetch, url, question);
    if (first.response.status !== 401) return first;
    await first.response.body?.cancel();
    this.#logins?.drop(endpoint, credential);
    // Behind a redirect to another origin we are nobody: it is not the one that the credential is for.
    const isHome = first.url.origin === url.origin;
    const scope = `repository:${endpoint.repository}:pull`;
    const login = await logIn(fetch, first, { credential: isHome ? credential : undefined, scope, signal });
    if (login === undefined) return first;
    if (isHome) this.#logins?.put(endpoint, credential, login);
    // To where the login was asked for, behind all redirects: no other origin may see it.
    return await send(fetch, first.url, { ...question, authorization: login.authorization });
  }

  #deadline(signal: AbortSignal): Deadline {
    const { clock, timeoutMs = DEFAULT_TIMEOUT_MS } = this.#options;
    return new Deadline(signal, clock && { clock, ms: timeoutMs });
  }
}

/** What a mirror did wrong is of no interest: the registry behind it is asked. */
function faultOf(error: unknown): { fault: unknown } {
  if (error instanceof RegistryError) return { fault: error.fault };
  throw error;
}

async function presenceOf(answer: Answer): Promise<ImagePresence> {
  const { response } = answer;
  const { status } = response;
  const isDoubtful = status === 401 || status === 403 || status === 429 || status >= 500;
  if (!response.ok && status !== 404 && !isDoubtful) {
    return isAbsent(status, await readText(answer, MAX_ERROR_BYTES)) ? "absent" : "unknown";
  }
  await response.body?.cancel();
  if (isDoubtful) return "unknown";
  return status === 404 ? "absent" : "present";
}

/** Some registries say it with another status than 404; what is doubtful stays so, whatever its body says. */
function isAbsent(status: number, body: string): boolean {
  const isRefusal = [401, 403, 429].includes(status) || status >= 500;
  return !isRefusal && apiErrors(body).some(({ code }) => ABSENT_CODES.includes(code));
}
