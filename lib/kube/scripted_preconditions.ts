/**
 * How the scripted API server refuses what is meant for another object.
 *
 * @module
 */
import type { KubeObject, Resource } from "../api/object.ts";
import { KubeError } from "./errors.ts";

/** `uid` and `resourceVersion` that must still be the object's. */
export interface Preconditions {
  uid?: string;
  resourceVersion?: string;
}

/** @throws {KubeError} 409 when the object is another one or was changed. */
export function checkPreconditions(object: KubeObject, seen: Preconditions): void {
  for (const field of ["uid", "resourceVersion"] as const) {
    if (seen[field] === undefined || seen[field] === object.metadata[field]) continue;
    throw new KubeError(409, "Conflict", `Precondition failed: ${field} is "${object.metadata[field]}"`);
  }
}

/** Two answers to one mistake, as the real server gives them. */
export function uidMismatch(
  resource: Resource,
  key: string,
  { uid, isThere }: { uid: string; isThere: boolean },
): KubeError {
  if (isThere) {
    const message = `${resource.kind} "${key}" is invalid: metadata.uid: Invalid value: "${uid}": field is immutable`;
    return new KubeError(422, "Invalid", message);
  }
  return new KubeError(409, "Conflict", `uid mismatch: ${uid}, and no existing object was found`);
}
