/**
 * What a cluster's own controllers do behind the API server: namespaces that leave are emptied and ended, and what lost
 * its owner is deleted.
 *
 * @module
 */
import { keyOf, type KubeObject } from "../api/object.ts";
import { NAMESPACE } from "../api/resources.ts";
import type { ScriptedStore } from "./scripted_store.ts";

/** One round; objects with finalizers stay, and their namespaces with them. */
export function collectGarbage(store: ScriptedStore): void {
  for (const namespace of store.list(NAMESPACE)) if (namespace.metadata.deletionTimestamp) empty(store, namespace);
  const uids = new Set(store.everything().map(({ object }) => object.metadata.uid));
  for (const { resource, object } of store.everything()) {
    const { ownerReferences = [] } = object.metadata;
    const isOrphan = ownerReferences.length > 0 && !ownerReferences.some(({ uid }) => uids.has(uid));
    if (isOrphan) store.remove(resource, keyOf(object));
  }
}

function empty(store: ScriptedStore, namespace: KubeObject): void {
  const content = (): ReturnType<ScriptedStore["everything"]> =>
    store.everything().filter(({ object }) => object.metadata.namespace === namespace.metadata.name);
  for (const { resource, object } of content()) store.remove(resource, keyOf(object));
  if (content().length === 0) store.drop(NAMESPACE, namespace);
}
