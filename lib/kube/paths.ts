/**
 * URL paths of the Kubernetes API.
 *
 * @module
 */
import type { Resource } from "../api/object.ts";

/** What a request is aimed at: a collection without `name`, an object with it. */
export interface Target {
  namespace?: string;
  name?: string;
  subresource?: string;
}

/** One operation of a JSON Patch (RFC 6902). */
export type JsonPatch = { op: "add" | "remove" | "replace" | "test"; path: string; value?: unknown }[];

/** @example objectPath(SERVICE, { namespace: "a", name: "b" }) // "/api/v1/namespaces/a/services/b" */
export function objectPath(resource: Resource, target: Target): string {
  const root = resource.group === "" ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const parts = [root];
  if (resource.namespaced && target.namespace) parts.push("namespaces", encodeURIComponent(target.namespace));
  parts.push(resource.plural);
  if (target.name) parts.push(encodeURIComponent(target.name));
  if (target.subresource) parts.push(target.subresource);
  return parts.join("/");
}
