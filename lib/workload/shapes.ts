/**
 * What caches keep of objects that many kinds make. What is dropped costs no memory, and its changes no reconcile.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";

/** Of an object that is only compared with what is wanted: a quota's status changes with every Pod. */
export function withoutStatus(object: KubeObject): KubeObject {
  const { status: _status, ...rest } = object;
  return rest;
}
