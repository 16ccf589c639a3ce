/**
 * What is read of objects that many kinds make.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";

/** Annotations of foreign objects can be large (`last-applied-configuration`), and nobody here reads them. */
export function bareMetadata({ apiVersion, kind, metadata }: KubeObject): KubeObject {
  const { namespace, name, uid, resourceVersion, deletionTimestamp } = metadata;
  return { apiVersion, kind, metadata: { namespace, name, uid, resourceVersion, deletionTimestamp } };
}

/** Of an object that is only compared with what is wanted: a quota's status changes with every Pod. */
export function withoutStatus(object: KubeObject): KubeObject {
  const { status: _status, ...rest } = object;
  return rest;
}
