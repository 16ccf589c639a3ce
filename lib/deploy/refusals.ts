/**
 * What a refusal by the API server means for a deployment, in words that name the object: whether somebody must act, or
 * time mends it.
 *
 * @module
 */
import type { KubeObject, Resource } from "../api/object.ts";
import { hasStatus, isConflict, type KubeError } from "../kube/errors.ts";
import { mayNotImpersonate } from "../kube/impersonation.ts";
import { Stalled, Waiting } from "../runtime/errors.ts";
import { nameOf } from "../runtime/status.ts";

/** What a refusal is read with. */
export interface Refused {
  /** Who is refused, `<namespace>/<name>` of the ServiceAccount. */
  account: string;
  /** The account's permissions are so young that the API server may not know them yet. */
  isNewcomer: boolean;
}

/** No watch shows that a quota, a permission or a foreign object changed. */
export const LOOK_AGAIN_MS = 60_000;
const SOON_MS = 1_000;
/** Most characters of the server's words. */
const BRIEF = 2_000;
/** Most objects that one message names. */
const MOST_TOLD = 10;

/** How the API server says that a field keeps the value that it was made with. */
const IMMUTABLE =
  /field is immutable|is immutable after creation|updates to \S+ spec for fields other than|cannot change roleRef|may not change (once set|fields)|pod updates may not/;

/** How older servers say that a kind has no such field. */
const UNKNOWN_FIELD = /failed to create typed patch object|field not declared in schema/;

/** Whether the refusal is about a field that cannot be changed. */
export function isImmutable(error: unknown): error is KubeError {
  return hasStatus(error, 422) && IMMUTABLE.test(error.message);
}

/**
 * The error to throw for an object that was refused.
 *
 * @returns {Stalled} Somebody must act. {Waiting} Time mends it. Anything else as it was: conflicts, an overloaded or
 * missing server, a broken connection.
 */
export function refusal(error: unknown, object: KubeObject, { account, isNewcomer }: Refused): unknown {
  if (isConflict(error) || !(error instanceof Error)) return error;
  const name = nameOf(object);
  const words = error.message.length > BRIEF ? `${error.message.slice(0, BRIEF)}…` : error.message;
  if (mayNotImpersonate(error)) return impersonationRefused(account, words);
  if (hasStatus(error, 403, 404) && /because it is being terminated|^namespaces "[^"]*" not found/.test(words)) {
    return new Waiting("NamespaceMissing", `Waiting for the namespace of ${name}: ${words}`, SOON_MS);
  }
  if (hasStatus(error, 404) && /could not find the requested resource/.test(words)) {
    return new Waiting("KindMissing", `${name} cannot be made now: ${words}`, SOON_MS);
  }
  if (hasStatus(error, 403)) return forbidden(name, words, { account, isNewcomer });
  if (isImmutable(error)) {
    return new Stalled(
      "ImmutableField",
      `${name} cannot be changed as asked: ${words}; undo the change, or delete the object to have it made anew`,
      LOOK_AGAIN_MS,
    );
  }
  if (hasStatus(error, 400, 404, 405, 413, 415, 422) || (hasStatus(error, 500) && UNKNOWN_FIELD.test(words))) {
    return new Stalled("Refused", `${name} is refused: ${words}`, LOOK_AGAIN_MS);
  }
  return error;
}

function forbidden(name: string, words: string, { account, isNewcomer }: Refused): Error {
  if (/exceeded quota/.test(words)) {
    return new Stalled("QuotaExceeded", `${name} does not fit: ${words}`, LOOK_AGAIN_MS);
  }
  const message = `${name} may not be made by ServiceAccount "${account}": ${words}`;
  return isNewcomer ? new Waiting("Forbidden", message, SOON_MS) : new Stalled("Forbidden", message, LOOK_AGAIN_MS);
}

/** The error to throw for a kind that may not be listed. */
export function listRefusal(error: unknown, { kind, group }: Resource, { account, isNewcomer }: Refused): unknown {
  if (mayNotImpersonate(error)) return impersonationRefused(account, error.message);
  if (!hasStatus(error, 403)) return error;
  const name = `"${kind}"${group ? ` of "${group}"` : ""}`;
  const message = `Objects of kind ${name} may not be listed by ServiceAccount "${account}": ${error.message}`;
  return isNewcomer ? new Waiting("Forbidden", message, SOON_MS) : new Stalled("Forbidden", message, LOOK_AGAIN_MS);
}

function impersonationRefused(account: string, words: string): Stalled {
  const message = `Maquette may not act as ServiceAccount "${account}": ${words}`;
  return new Stalled("ImpersonationForbidden", message, LOOK_AGAIN_MS);
}

/**
 * One error of many: everything that people must act on is said at once, the first of anything else otherwise.
 *
 * @param errors At least one.
 */
export function united(errors: readonly unknown[]): unknown {
  const stalled = errors.filter((error) => error instanceof Stalled);
  if (stalled.length < 2) return stalled[0] ?? errors.find((error) => !(error instanceof Waiting)) ?? errors[0];
  const messages = stalled.slice(0, MOST_TOLD).map(({ message }) => message);
  const rest = stalled.length - messages.length;
  const text = `${messages.join("; ")}${rest > 0 ? `; and ${rest} more` : ""}`;
  return new Stalled(stalled[0]!.reason, text, LOOK_AGAIN_MS);
}
