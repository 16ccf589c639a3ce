/**
 * What separates the children that are wanted from those that are there. Pure.
 *
 * @module
 */
import { LABEL_DEPLOYED } from "../api/names.ts";
import { keyOf, type KubeObject } from "../api/object.ts";
import { NAMESPACE } from "../api/resources.ts";
import type { Root } from "./definition.ts";
import { asCached } from "./copies.ts";
import { difference, withDigest } from "./differs.ts";
import { stamp } from "./ownership.ts";
import type { InventoryEntry } from "./status.ts";

/** Changes that make the cluster what was asked for. */
export interface Changes {
  create: KubeObject[];
  /** `why` is the path of the first difference. */
  update: { desired: KubeObject; observed: KubeObject; why: string }[];
  remove: KubeObject[];
  /** Wanted, but being deleted: they must be gone before they can be made again. */
  leaving: KubeObject[];
}

/** Kind and key: children of several kinds may share a name. */
export function childKey(object: KubeObject): string {
  return `${object.kind} ${keyOf(object)}`;
}

/** Of an inventory, what is there. @param there Children, by {@link childKey}. */
export function listedOf(
  inventory: readonly InventoryEntry[] | undefined,
  there: ReadonlySet<string>,
): InventoryEntry[] | undefined {
  return inventory?.filter(({ kind, ...metadata }) => there.has(childKey({ apiVersion: "", kind, metadata })));
}

/**
 * @param desired Children as the kind wants them.
 * @param owned Children of this owner that the caches hold: {@link withinReach}.
 * @param revoked Of them, those that go whoever applies them.
 */
export function changesFor(
  owner: KubeObject,
  desired: readonly KubeObject[],
  owned: readonly KubeObject[],
  revoked: readonly KubeObject[] = [],
): Changes {
  const revokedKeys = new Set(revoked.map(childKey));
  const there = new Map(owned.map((object) => [childKey(object), object]));
  const changes: Changes = { create: [], update: [], remove: [], leaving: [] };
  for (const child of desired) {
    const wanted = withDigest(stamp(child, owner));
    const observed = there.get(childKey(wanted));
    there.delete(childKey(wanted));
    if (!observed) changes.create.push(wanted);
    else if (observed.metadata.deletionTimestamp) changes.leaving.push(observed);
    else {
      const why = difference(asCached(wanted), observed);
      if (why !== undefined) changes.update.push({ desired: wanted, observed, why });
    }
  }
  changes.remove = [...there.values()].filter((object) =>
    !object.metadata.deletionTimestamp && !isMadeByOther(object, owner) &&
    (!isDeployed(object) || revokedKeys.has(childKey(object)))
  );
  return changes;
}

/**
 * Of what carries an owner's uid, the children that it answers for: those in its own namespace, in namespaces that it
 * has or wants children in, and those namespaces. A label proves nothing elsewhere: a backup may have been restored
 * there, or somebody may have written it. That is never changed, counted or deleted.
 *
 * @param desired Children as the kind wants them. @param roots What the owner's deletion must see gone.
 */
export function withinReach(
  owned: readonly KubeObject[],
  owner: KubeObject,
  { desired, roots }: { desired: readonly KubeObject[]; roots: readonly Root[] },
): KubeObject[] {
  const made = [
    ...desired.map(madeNamespace),
    ...roots.map(({ resource, name }) => resource.kind === NAMESPACE.kind ? name : undefined),
  ];
  const named = [...desired.map(({ metadata }) => metadata.namespace), ...roots.map(({ namespace }) => namespace)];
  const places = new Set([owner.metadata.namespace, ...named, ...made]);
  return owned.filter((object) =>
    object.kind === NAMESPACE.kind ? made.includes(object.metadata.name) : places.has(object.metadata.namespace)
  );
}

function madeNamespace({ kind, metadata }: KubeObject): string | undefined {
  return kind === NAMESPACE.kind ? metadata.name : undefined;
}

/** What came from a source is applied and pruned by lib/deploy. */
function isDeployed({ metadata }: KubeObject): boolean {
  return metadata.labels?.[LABEL_DEPLOYED] !== undefined;
}

/** A Pod that a Job or a ReplicaSet of ours made with our labels goes with what made it. */
function isMadeByOther(object: KubeObject, owner: KubeObject): boolean {
  return object.metadata.ownerReferences?.some((maker) => maker.controller && maker.uid !== owner.metadata.uid) ??
    false;
}

/** How many objects the changes touch. */
export function countOf(changes: Changes): number {
  return changes.create.length + changes.update.length + changes.remove.length + changes.leaving.length;
}
