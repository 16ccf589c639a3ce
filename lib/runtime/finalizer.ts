/**
 * The finalizer that keeps an owner until what it made is gone (promise 6). The mutating webhook adds it at creation,
 * which costs no request; here it is added where that did not happen, and taken away.
 *
 * @module
 */
import { FINALIZER } from "../api/names.ts";
import type { KubeObject, Resource } from "../api/object.ts";
import type { KubeClient } from "../kube/client.ts";
import { unlessMissing } from "../kube/errors.ts";
import type { JsonPatch } from "../kube/paths.ts";

/** Whether the owner carries our finalizer. */
export function hasFinalizer(owner: KubeObject): boolean {
  return owner.metadata.finalizers?.includes(FINALIZER) ?? false;
}

/** Adds it. @throws {KubeError} A conflict (`isConflict`) when somebody changed the finalizers since. */
export async function addFinalizer(owner: KubeObject, resource: Resource, kube: KubeClient): Promise<KubeObject> {
  const { finalizers } = owner.metadata;
  // The tests keep another writer's finalizer from being lost: a list is replaced only as it was seen.
  const patch: JsonPatch = finalizers?.length
    ? [{ op: "test", path: "/metadata/finalizers", value: finalizers }, {
      op: "add",
      path: "/metadata/finalizers/-",
      value: FINALIZER,
    }]
    : [{ op: "test", path: "/metadata/finalizers", value: null }, {
      op: "add",
      path: "/metadata/finalizers",
      value: [FINALIZER],
    }];
  return await kube.patch(resource, owner.metadata, [...sameObject(owner), ...patch]);
}

/** Takes it away, which lets the API server delete the owner, if that has not happened. @throws {KubeError} A conflict when the list changed since. */
export async function removeFinalizer(owner: KubeObject, resource: Resource, kube: KubeClient): Promise<void> {
  const index = owner.metadata.finalizers!.indexOf(FINALIZER);
  const path = `/metadata/finalizers/${index}`;
  const patch: JsonPatch = [...sameObject(owner), { op: "test", path, value: FINALIZER }, { op: "remove", path }];
  await unlessMissing(kube.patch(resource, owner.metadata, patch));
}

function sameObject(owner: KubeObject): JsonPatch {
  return [{ op: "test", path: "/metadata/uid", value: owner.metadata.uid }];
}
