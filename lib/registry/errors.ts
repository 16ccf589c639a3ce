/**
 * Why a registry gave no answer about an image.
 *
 * @module
 */

/**
 * What went wrong, for whoever decides what to do next:
 *
 * - `denied`: it knows who asks, or does not want to; another credential may help, time does not
 * - `unreachable`: the network, the registry's name, or the registry itself (5xx); time may help
 * - `untrusted`: its certificate is signed by nobody who is trusted, is over, or names another host
 * - `limited`: too many questions (429); {@link RegistryError.retryAfterMs} says how long to wait, where it was said
 * - `unusable`: it answers, and not as a registry does; or it points to where nobody should be sent
 */
export type RegistryFault = "denied" | "unreachable" | "untrusted" | "limited" | "unusable";

/** A question to a registry that ended without an answer. Its message may be shown: it holds no credential. */
export class RegistryError extends Error {
  override readonly name = "RegistryError";
  readonly fault: RegistryFault;
  /** Milliseconds to wait before asking again, where the registry said so. */
  readonly retryAfterMs: number | undefined;

  constructor(fault: RegistryFault, message: string, options: { retryAfterMs?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.fault = fault;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** A registry that says "in a year" would silence us for as long. */
const LONGEST_WAIT_MS = 3_600_000;
/** The words of rustls for certificates, as Deno's fetch passes them on. */
const CERTIFICATE = /invalid peer certificate|UnknownIssuer|CertNotValidForName|CertExpired|CertificateRequired/i;
const MAX_DETAIL = 300;

/** Makes one of what `fetch` threw. */
export function transportError(host: string, error: unknown): RegistryError {
  if (error instanceof RegistryError) return error;
  const text = detailOf(error);
  if (CERTIFICATE.test(text)) {
    const detail = text.slice(text.search(/invalid peer certificate/i)).slice(0, MAX_DETAIL);
    return new RegistryError("untrusted", `Certificate of registry "${host}" is not trusted: ${detail}`, {
      cause: error,
    });
  }
  const message = `Registry "${host}" cannot be reached: ${text.slice(0, MAX_DETAIL)}`;
  return new RegistryError("unreachable", message, { cause: error });
}

/** The innermost words: the outer ones hold the URL that was asked, with everything in it. */
function detailOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return "It did not answer in time";
  const causes = [error.message];
  for (let at: unknown = error.cause; at instanceof Error && causes.length < 5; at = at.cause) causes.push(at.message);
  return causes.join(": ").replace(/ for url \([^)]*\)/g, "").replace(/^error sending request: /, "");
}

/**
 * Makes one of an answer that says no.
 *
 * @param given.detail the registry's own words, as {@link errorDetail} finds them
 * @param given.now for a Retry-After that is a date; without it such a date is passed over
 */
export function answerError(
  host: string,
  response: { status: number; headers: Headers },
  given: { detail?: string; now?: number } = {},
): RegistryError {
  const { status, headers } = response;
  const detail = given.detail ? `: ${given.detail}` : "";
  if (status === 401) return new RegistryError("denied", `Registry "${host}" wants another login${detail}`);
  if (status === 403) return new RegistryError("denied", `Registry "${host}" denies access${detail}`);
  if (status === 429) {
    const retryAfterMs = retryAfter(headers.get("retry-after"), given.now);
    return new RegistryError("limited", `Registry "${host}" limits the rate of requests${detail}`, { retryAfterMs });
  }
  const fault = status >= 500 ? "unreachable" : "unusable";
  const options = { retryAfterMs: retryAfter(headers.get("retry-after"), given.now) };
  return new RegistryError(fault, `Registry "${host}" answered with status ${status}${detail}`, options);
}

function retryAfter(header: string | null, now: number | undefined): number | undefined {
  if (header === null) return undefined;
  if (/^\d{1,9}$/.test(header.trim())) return Math.min(Number(header) * 1000, LONGEST_WAIT_MS);
  const date = Date.parse(header);
  if (now === undefined || Number.isNaN(date)) return undefined;
  return Math.min(Math.max(0, date - now), LONGEST_WAIT_MS);
}

/**
 * The errors of the distribution API: `{ "errors": [{ "code": "NAME_UNKNOWN", "message": "…" }] }`.
 *
 * @returns codes and messages of the first few; empty when the text is something else
 */
export function apiErrors(body: string): { code: string; message: string }[] {
  try {
    const errors: unknown = JSON.parse(body)?.errors;
    if (!Array.isArray(errors)) return [];
    return errors.slice(0, 3).map((error) => ({ code: text(error?.code), message: text(error?.message) }));
  } catch {
    return [];
  }
}

/** The registry's own words in a line that may be shown; `""` when it has none. */
export function errorDetail(body: string): string {
  return apiErrors(body).map(({ code, message }) => [code, message].filter(Boolean).join(" ")).filter(Boolean)
    .join("; ").replace(/[\s\p{C}]+/gu, " ").slice(0, MAX_DETAIL);
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
