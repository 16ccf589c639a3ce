/**
 * How to answer a registry that wants to know who asks: by name and password (Basic), or by a token that another server
 * gives for them (Bearer; distribution's token specification, and OAuth 2 for identity tokens).
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { addressProblem } from "./addresses.ts";
import { type Challenge, challenges } from "./challenge.ts";
import type { Credential } from "./docker_config.ts";
import { answerError, errorDetail, RegistryError } from "./errors.ts";
import { type Answer, type Question, readText, sendOnce } from "./transport.ts";

/** What opens a repository. */
export interface Login {
  /** Value of the header Authorization. */
  authorization: string;
  /** How long it may be used, in seconds; absent for a name and password. */
  expiresIn?: number;
}

/** Tokens of the large registries take some 5 KiB. */
const MAX_TOKEN_BYTES = 256 * 1024;
/** By the specification, where the server names no time, and the least that a server should name. */
const DEFAULT_EXPIRY_SECONDS = 60;
const CLIENT_ID = "maquette";

/**
 * The login for a challenge.
 *
 * @param refused the answer with status 401
 * @param given.credential whose login; nobody's without it
 * @param given.scope what is asked for where the challenge says nothing
 * @returns nothing where there is none: the registry wants what we do not have
 * @throws RegistryError when the token server gives none, or is where nobody should be sent
 */
export async function logIn(
  fetcher: typeof fetch,
  refused: Answer,
  given: { credential?: Credential; scope: string; signal: AbortSignal },
): Promise<Login | undefined> {
  const all = challenges(refused.response.headers.get("www-authenticate") ?? "");
  const bearer = all.find(({ scheme, parameters }) => scheme === "bearer" && parameters.has("realm"));
  if (bearer) return await token(fetcher, tokenUrl(bearer, refused.url), { ...given, challenge: bearer });
  const isBasic = all.some(({ scheme }) => scheme === "basic");
  return isBasic && given.credential ? { authorization: basic(given.credential) } : undefined;
}

function basic({ username, password }: Credential): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

/**
 * Where the token is fetched. It may be another host than the registry (Docker Hub, GitLab), so whoever runs a registry
 * can have the credentials for it, as with Basic; it cannot have ours for another registry, and cannot send us anywhere.
 */
function tokenUrl({ parameters }: Challenge, registry: URL): URL {
  const realm = parameters.get("realm")!;
  if (!URL.canParse(realm)) throw refusedRealm(registry, "is no URL");
  const url = new URL(realm);
  const isAsSafe = url.protocol === "https:" || (url.protocol === "http:" && registry.protocol === "http:");
  if (!isAsSafe) throw refusedRealm(registry, "is less safe than the registry itself");
  if (url.username !== "" || url.password !== "") throw refusedRealm(registry, "names a user");
  const problem = addressProblem(url, registry);
  if (problem !== undefined) throw refusedRealm(registry, `at "${url.host}" ${problem}`);
  return url;
}

function refusedRealm(registry: URL, problem: string): RegistryError {
  return new RegistryError("unusable", `Token server of registry "${registry.host}" ${problem}`);
}

interface TokenRequest {
  challenge: Challenge;
  credential?: Credential;
  scope: string;
  signal: AbortSignal;
}

async function token(fetcher: typeof fetch, url: URL, request: TokenRequest): Promise<Login> {
  const question = request.credential?.identityToken ? exchange(request) : ask(url, request);
  // Not led on: what answers there would get the credentials, or give us the answer of somebody else's service.
  const response = await sendOnce(fetcher, url, question);
  const text = await readText({ response, url }, MAX_TOKEN_BYTES);
  if (!response.ok) throw answerError(url.host, response, { detail: errorDetail(text) });
  return loginOf(text, url);
}

/** GET, with name and password where there are any. */
function ask(url: URL, { challenge, credential, scope, signal }: TokenRequest): Question {
  const service = challenge.parameters.get("service");
  if (service !== undefined) url.searchParams.set("service", service);
  for (const part of scopesOf(challenge, scope)) url.searchParams.append("scope", part);
  const question: Question = { method: "GET", accept: "application/json", signal };
  return credential ? { ...question, authorization: basic(credential) } : question;
}

/** POST by OAuth 2: the identity token is exchanged for one of this repository. */
function exchange({ challenge, credential, scope, signal }: TokenRequest): Question {
  const body = new URLSearchParams({
    grant_type: "refresh_token",
    client_id: CLIENT_ID,
    service: challenge.parameters.get("service") ?? "",
    scope: scopesOf(challenge, scope).join(" "),
    refresh_token: credential?.identityToken ?? "",
  });
  return { method: "POST", accept: "application/json", body, signal };
}

function scopesOf({ parameters }: Challenge, scope: string): string[] {
  return (parameters.get("scope") ?? scope).split(" ").filter((part) => part !== "");
}

function loginOf(text: string, url: URL): Login {
  let body: { token?: unknown; access_token?: unknown; expires_in?: unknown } | null;
  try {
    body = JSON.parse(text);
  } catch {
    throw new RegistryError("unusable", `Token server "${url.host}" answered with something that is no JSON`);
  }
  // Some servers answer with both, of which one is empty.
  const value = body?.token || body?.access_token;
  if (typeof value !== "string") throw new RegistryError("unusable", `Token server "${url.host}" gave no token`);
  const seconds = body?.expires_in;
  const isTime = typeof seconds === "number" && Number.isFinite(seconds) && seconds > 0;
  return { authorization: `Bearer ${value}`, expiresIn: isTime ? seconds : DEFAULT_EXPIRY_SECONDS };
}
