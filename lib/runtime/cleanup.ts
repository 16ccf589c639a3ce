/**
 * Deletion of an owner: everything it made goes, and is seen gone, before the finalizer does. Needs nothing but the
 * owner itself.
 *
 * @module
 */
import { keyOf, type KubeObject } from "../api/object.ts";
import { NAMESPACE, POD } from "../api/resources.ts";
import type { KubeClient } from "../kube/client.ts";
import { hasStatus } from "../kube/errors.ts";
import type { Root } from "./definition.ts";
import type { Informer } from "./informer.ts";
import { isOwnedBy } from "./ownership.ts";
import { nameOf, type Report } from "./status.ts";

/** The first ones tell enough. */
const MOST_PODS = 5;

export interface CleanupDeps {
  kube: Pick<KubeClient, "get" | "list" | "remove">;
  informer(root: Root): Informer;
  now: number;
  /** Milliseconds after which a deletion that does not end is called stuck, from that of the first object that is left. */
  deadlineMs: number;
}

/**
 * Deletes what is left of the roots.
 *
 * @returns What to say while something is left; nothing when all is gone.
 */
export async function cleanup(owner: KubeObject, roots: Root[], deps: CleanupDeps): Promise<Report | undefined> {
  const left = (await Promise.all(roots.map((root) => deleteRoot(owner, root, deps)))).filter((root) => !!root);
  if (left.length === 0) return undefined;
  const since = leavingSince(left, deps.now);
  const names = left.map(nameOf).join(", ");
  if (deps.now < since + deps.deadlineMs) {
    return {
      phase: "Terminating",
      state: "reconciling",
      reason: "Deleting",
      message: `Waiting until ${names} is gone`,
      lookAgainAt: since + deps.deadlineMs,
    };
  }
  const blockers = await Promise.all(left.map((object) => blocker(object, deps)));
  return {
    phase: "Terminating",
    state: "stalled",
    reason: "DeletionBlocked",
    message: blockers.join("; "),
    lookAgainAt: deps.now + deps.deadlineMs,
  };
}

/** When the first of these, one at least, was told to go; `now` for what was not. Milliseconds since the epoch. */
export function leavingSince(objects: readonly KubeObject[], now: number): number {
  return Math.min(...objects.map(({ metadata }) => Date.parse(metadata.deletionTimestamp ?? "") || now));
}

/** Who keeps an object that is being deleted, in words; `""` where nobody says so. */
export function holdersOf({ metadata: { finalizers = [] } }: KubeObject): string {
  return finalizers.length > 0 ? `held by finalizers ${finalizers.join(", ")}` : "";
}

/** @returns The object while it is there and ours. */
async function deleteRoot(owner: KubeObject, root: Root, deps: CleanupDeps): Promise<KubeObject | undefined> {
  const informer = deps.informer(root);
  const target = { namespace: root.namespace, name: root.name };
  try {
    // A cache may lag behind what another replica did a moment ago: that nothing of ours is there is asked for, not
    // read from the cache, before the finalizer goes.
    const cached = informer.cache.get(keyOf({ metadata: target }));
    const object = cached && isOwnedBy(cached, owner) ? cached : await deps.kube.get(root.resource, target);
    if (!isOwnedBy(object, owner)) return undefined;
    if (object.metadata.deletionTimestamp) return object;
    return await deleteNow(owner, object, { root, kube: deps.kube });
  } catch (error) {
    if (hasStatus(error, 404)) return undefined;
    throw error;
  }
}

async function deleteNow(
  owner: KubeObject,
  object: KubeObject,
  { root, kube }: { root: Root; kube: CleanupDeps["kube"] },
): Promise<KubeObject | undefined> {
  const target = { namespace: root.namespace, name: root.name };
  try {
    await kube.remove(root.resource, target, { uid: object.metadata.uid });
    return object;
  } catch (error) {
    if (!hasStatus(error, 409)) throw error;
    // Another object of the name by now, or ours and the server is at it: only a look can tell.
    const present = await kube.get(root.resource, target);
    return isOwnedBy(present, owner) ? present : undefined;
  }
}

/** What holds an object that is being deleted, in words. */
async function blocker(object: KubeObject, deps: CleanupDeps): Promise<string> {
  if (object.kind !== NAMESPACE.kind) {
    const holders = holdersOf(object);
    return `${nameOf(object)} is still there${holders && `, ${holders}`}`;
  }
  const conditions: { type: string; status: string; message?: string }[] = object.status?.conditions ?? [];
  const texts = conditions.filter((c) => c.status === "True" && c.message).map((c) => c.message!);
  const held = await Promise.all(
    heldResources(texts).map((resource) => heldObjects(object.metadata.name, resource, deps)),
  );
  const named = held.flat();
  const why = [...named, ...texts, ...(texts.length === 0 ? await remainingPods(object.metadata.name, deps) : [])];
  if (why.length === 0) return `${nameOf(object)} is still there, and the cluster does not say why`;
  return `${nameOf(object)} cannot be deleted: ${why.join("; ")}`;
}

/** The namespace controller names resources as `configmaps. has 1 resource instances` or `jobs.batch has 2 …`. */
function heldResources(texts: string[]): { plural: string; group: string }[] {
  return texts.flatMap((text) => [...text.matchAll(/([a-z0-9]+)\.([a-z0-9.-]*) has \d+ resource instances/g)])
    .map((match) => ({ plural: match[1]!, group: match[2]! }));
}

/** Since Kubernetes 1.33 Pods go first, and until they are gone the namespace's conditions tell of nothing. */
async function remainingPods(namespace: string, { kube }: CleanupDeps): Promise<string[]> {
  try {
    const { items } = await kube.list(POD, { namespace, metadataOnly: true }, { limit: MOST_PODS });
    return items.map(({ metadata: { name, finalizers = [] } }) =>
      `Pod "${name}" is still there${finalizers.length > 0 ? `, held by finalizer ${finalizers.join(", ")}` : ""}`
    );
  } catch {
    // Not ours to read.
    return [];
  }
}

/** Names the objects that hold, as far as we may read their kind. */
async function heldObjects(
  namespace: string,
  held: { plural: string; group: string },
  deps: CleanupDeps,
): Promise<string[]> {
  try {
    const resource = { group: held.group, version: "v1", kind: held.plural, plural: held.plural, namespaced: true };
    const page = await deps.kube.list(resource, { namespace, metadataOnly: true }, { limit: 20 });
    return page.items.filter((item) => item.metadata.finalizers?.length).map((item) =>
      `${held.plural} "${item.metadata.name}" is held by finalizer ${item.metadata.finalizers!.join(", ")}`
    );
  } catch {
    // Not ours to read, or not served as v1: the namespace's own words must do.
    return [];
  }
}
