/**
 * Requests to registries: redirects followed by hand, bodies read to a limit.
 *
 * What it holds to: an Authorization goes to the origin it was meant for and to no other; a registry that is spoken to
 * over TLS never leads to a plain connection; nobody is led to an address that is nobody's registry; every body is read
 * to a limit or cancelled.
 *
 * @module
 */
import { addressProblem } from "./addresses.ts";
import { RegistryError, transportError } from "./errors.ts";

/** A request that may be sent again, to another place. */
export interface Question {
  method: "HEAD" | "GET" | "POST";
  accept: string;
  /** Value of the header, for the first origin only. */
  authorization?: string;
  /** Form fields, for POST. */
  body?: URLSearchParams;
  signal: AbortSignal;
}

/** A response and where it came from, after redirects. */
export interface Answer {
  response: Response;
  url: URL;
}

const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];
const MAX_REDIRECTS = 5;

/**
 * Sends a question, and again to where it is redirected.
 *
 * @throws RegistryError when there is no answer, or none that should be followed
 */
export async function send(fetcher: typeof fetch, url: URL, question: Question): Promise<Answer> {
  for (let hop = 0, at = url; hop <= MAX_REDIRECTS; hop++) {
    const response = await sendOnce(fetcher, at, at.origin === url.origin ? question : withoutLogin(question));
    const location = response.headers.get("location");
    if (!REDIRECTS.includes(response.status) || location === null) return { response, url: at };
    await response.body?.cancel();
    at = redirectTarget(location, at);
  }
  throw new RegistryError("unusable", `Registry "${url.host}" redirects too often`);
}

/**
 * Sends a question once, redirects included in the answer.
 *
 * @throws RegistryError when there is no answer
 */
export async function sendOnce(fetcher: typeof fetch, url: URL, question: Question): Promise<Response> {
  const { method, accept, authorization, body, signal } = question;
  try {
    // A token is what another server said: it may hold what no header can carry.
    const headers = new Headers(authorization === undefined ? { accept } : { accept, authorization });
    return await fetcher(url, { method, headers, body, signal, redirect: "manual" });
  } catch (error) {
    throw transportError(url.host, error);
  }
}

function withoutLogin(question: Question): Question {
  return { ...question, authorization: undefined };
}

function redirectTarget(location: string, from: URL): URL {
  if (!URL.canParse(location, from.href)) {
    throw new RegistryError("unusable", `Registry "${from.host}" redirects to no URL`);
  }
  const target = new URL(location, from);
  const problem = target.protocol !== from.protocol ? "is reached another way" : addressProblem(target, from);
  if (problem === undefined) return target;
  throw new RegistryError("unusable", `Registry "${from.host}" redirects to "${target.host}", which ${problem}`);
}

/**
 * Reads a body, to a limit: leaving the loop early cancels the rest.
 *
 * @throws RegistryError when it is longer, or breaks off
 */
export async function readBody(answer: Answer, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  try {
    for await (const chunk of answer.response.body ?? []) {
      size += chunk.length;
      if (size > maxBytes) break;
      chunks.push(chunk);
    }
  } catch (error) {
    throw transportError(answer.url.host, error);
  }
  if (size > maxBytes) throw new RegistryError("unusable", `Answer of "${answer.url.host}" is over ${maxBytes} bytes`);
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

/** {@link readBody} as text. */
export async function readText(answer: Answer, maxBytes: number): Promise<string> {
  return new TextDecoder().decode(await readBody(answer, maxBytes));
}
