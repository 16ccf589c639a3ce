/**
 * What is made of the objects that the API server answers with.
 *
 * @module
 */
import { apiVersionOf, type KubeObject, type Resource } from "../api/object.ts";

/** managedFields are a fifth of what a cache would hold, and nothing here reads them. */
export function slim(object: KubeObject): KubeObject {
  if (object?.metadata) delete (object.metadata as { managedFields?: unknown }).managedFields;
  return object;
}

/** Items of a list carry no kind, and partial ones the wrong one. */
export function typed(object: KubeObject, resource: Resource): KubeObject {
  if (object.kind === "Status") return object;
  object.apiVersion = apiVersionOf(resource);
  object.kind = resource.kind;
  return object;
}
