/**
 * What is read of objects that many kinds make.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";

/** Of an object that is only compared with what is wanted: a quota's status changes with every Pod. */
export function withoutStatus(object: KubeObject): KubeObject {
  const { status: _status, ...rest } = object;
  return rest;
}
