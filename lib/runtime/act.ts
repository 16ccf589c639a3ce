/**
 * The only writes to children. Ownership is checked before anything is taken: an object that exists without our
 * owner-uid is never changed, adopted or deleted (SPEC section 1), whatever the caches say.
 *
 * How that holds without asking first: objects that can be claimed by creation alone (namespaces, Leases, and Pods and
 * Jobs, which never change) are created, which fails when they exist. Others are applied without force, into a namespace that
 * this very pass has not created only after a look; where somebody was faster even so, their object is given back.
 * Updates and deletions carry the uid of the object that was seen.
 *
 * @module
 */
import { FIELD_MANAGER, LABEL_MANAGED_BY, MANAGED_BY } from "../api/names.ts";
import { keyOf, type KubeObject, type Resource } from "../api/object.ts";
import { CLAIM, JOB, LEASE, NAMESPACE, POD } from "../api/resources.ts";
import { applyNew } from "../kube/apply.ts";
import type { KubeClient } from "../kube/client.ts";
import { hasStatus, unlessMissing } from "../kube/errors.ts";
import type { Changes } from "./changes.ts";
import { filled, isCopy } from "./copies.ts";
import { Stalled, Waiting } from "./errors.ts";
import type { Informer } from "./informer.ts";
import { isOwnedBy } from "./ownership.ts";
import { nameOf } from "./status.ts";

/** What acting needs. */
export interface ActDeps {
  kube: KubeClient;
  /** The informer of children of this kind. @throws {Error} When the definition does not own the kind. */
  children(object: KubeObject): Informer;
}

const CLAIMED_BY_CREATION = new Set([NAMESPACE.kind, LEASE.kind, POD.kind, JOB.kind]);
/** Of those, what cannot be brought up to date: it is replaced. */
const NEVER_CHANGED = new Set([POD.kind, JOB.kind]);
const WORKLOADS = new Set(["Deployment", "StatefulSet", "DaemonSet", "CronJob", JOB.kind, POD.kind]);
/** No watch shows objects that are not ours. */
const LOOK_AGAIN_MS = 60_000;

/**
 * Makes the changes: the namespace first, then everything else at once, then workloads, so that no Pod starts before
 * the limits, policies and Secrets it lives under.
 *
 * @throws {Stalled} NotOwned. @throws {Waiting} While an older object of the name is being deleted.
 */
export async function act(owner: KubeObject, changes: Changes, deps: ActDeps): Promise<void> {
  const fresh = new Set<string>();
  const leavingNamespace = changes.leaving.find((object) => object.kind === NAMESPACE.kind);
  if (leavingNamespace) throw blockedBy(leavingNamespace);
  for (const wave of [0, 1, 2]) {
    await all([
      ...changes.create.filter((o) => waveOf(o) === wave).map((o) => create(owner, o, { ...deps, fresh })),
      ...changes.update.filter((u) => updateWaveOf(u.desired) === wave).map((u) => update(owner, u, deps)),
    ]);
  }
  await all(changes.remove.map((object) => remove(object, deps)));
  if (changes.leaving[0]) throw blockedBy(changes.leaving[0]);
}

function waveOf(object: KubeObject): number {
  if (object.kind === NAMESPACE.kind) return 0;
  return WORKLOADS.has(object.kind) ? 2 : 1;
}

/** A volume that its class does not let grow keeps no Pod from changing. */
function updateWaveOf(object: KubeObject): number {
  return object.kind === CLAIM.kind ? 2 : waveOf(object);
}

/** Lets everything finish before it throws the first error: nothing runs on behind the caller's back. */
async function all(work: Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find((result) => result.status === "rejected");
  if (failed) throw (failed as PromiseRejectedResult).reason;
}

async function create(owner: KubeObject, desired: KubeObject, deps: ActDeps & { fresh: Set<string> }): Promise<void> {
  const informer = deps.children(desired);
  const { resource } = informer;
  const cached = informer.cache.get(keyOf(desired));
  if (cached) throw blockedBy(cached);
  const isNew = CLAIMED_BY_CREATION.has(desired.kind) || deps.fresh.has(desired.metadata.namespace ?? "");
  const found = isNew ? undefined : await lookUp(resource, desired, deps.kube);
  if (found) return await takeBack(owner, desired, { there: found, informer, kube: deps.kube });
  try {
    informer.observe(await make(desired, resource, deps.kube));
    if (resource === NAMESPACE) deps.fresh.add(desired.metadata.name);
  } catch (error) {
    if (!hasStatus(error, 409, 422)) throw error;
    const there = await lookUp(resource, desired, deps.kube);
    if (!there) throw error;
    await takeBack(owner, desired, { there, informer, kube: deps.kube });
  }
}

async function make(desired: KubeObject, resource: Resource, kube: KubeClient): Promise<KubeObject> {
  if (CLAIMED_BY_CREATION.has(desired.kind)) return await kube.create(desired, resource, FIELD_MANAGER);
  return await applyNew(await filled(desired, resource, kube), resource, { kube, manager: FIELD_MANAGER });
}

/** Our own object that the cache had not shown yet is brought up to date; anything else is left alone. */
async function takeBack(
  owner: KubeObject,
  desired: KubeObject,
  found: { there: KubeObject; informer: Informer; kube: KubeClient },
): Promise<void> {
  const { there, informer, kube } = found;
  if (!isOwnedBy(there, owner) || there.metadata.deletionTimestamp) throw blockedBy(there);
  if (!NEVER_CHANGED.has(desired.kind)) {
    informer.observe(there);
    return await update(owner, { desired, observed: there }, { kube, children: () => informer });
  }
  // Without the label that the watch selects by it is invisible, and only a newer version is taken in again.
  const isVisible = there.metadata.labels?.[LABEL_MANAGED_BY] === MANAGED_BY;
  informer.observe(
    isVisible ? there : await kube.patch(informer.resource, there.metadata, [
      { op: "test", path: "/metadata/uid", value: there.metadata.uid },
      { op: "add", path: `/metadata/labels/${LABEL_MANAGED_BY.replace("/", "~1")}`, value: MANAGED_BY },
    ]),
  );
}

function blockedBy(there: KubeObject): Error {
  if (there.metadata.deletionTimestamp) {
    return new Waiting("Terminating", `Waiting until the older ${nameOf(there)} is gone`, LOOK_AGAIN_MS);
  }
  // That is what Leases are for.
  if (there.kind === LEASE.kind) {
    return new Waiting("Held", `Waiting until ${nameOf(there)} is released`, LOOK_AGAIN_MS);
  }
  return new Stalled(
    "NotOwned",
    `${nameOf(there)} exists and was not made for this object; delete or rename it, it will not be touched`,
    LOOK_AGAIN_MS,
  );
}

async function lookUp(resource: Resource, object: KubeObject, kube: KubeClient): Promise<KubeObject | undefined> {
  return await unlessMissing(kube.get(resource, { namespace: object.metadata.namespace, name: object.metadata.name }));
}

async function update(
  owner: KubeObject,
  { desired, observed }: Pick<Changes["update"][number], "desired" | "observed">,
  { kube, children }: ActDeps,
): Promise<void> {
  const informer = children(desired);
  const complete = await filled(desired, informer.resource, kube);
  const exact = { ...complete, metadata: { ...complete.metadata, uid: observed.metadata.uid } };
  try {
    informer.observe(await kube.apply(exact, informer.resource, { manager: FIELD_MANAGER, force: true }));
  } catch (error) {
    if (!isCopy(desired) || !hasStatus(error, 422)) throw error;
    await makeAnew(owner, complete, { error, informer, kube });
  }
}

/**
 * A Secret keeps its type, and one that is `immutable` its content, whatever becomes of its source. Nothing is in a copy
 * that is not in its source: it goes and is made anew, if it is the owner's in the very version that goes.
 *
 * @throws `refused.error` where that would not help.
 */
async function makeAnew(
  owner: KubeObject,
  copy: KubeObject,
  refused: { error: unknown; informer: Informer; kube: KubeClient },
): Promise<void> {
  const { error, informer, kube } = refused;
  const there = await lookUp(informer.resource, copy, kube);
  const cannotFollow = there && (there.type !== copy.type || there.immutable === true);
  if (!cannotFollow || !isOwnedBy(there, owner)) throw error;
  const { namespace, name, uid, resourceVersion } = there.metadata;
  await kube.remove(informer.resource, { namespace, name }, { uid, resourceVersion });
  informer.observe(await applyNew(copy, informer.resource, { kube, manager: FIELD_MANAGER }));
}

async function remove(object: KubeObject, deps: ActDeps): Promise<void> {
  const { namespace, name, uid } = object.metadata;
  try {
    await deps.kube.remove(deps.children(object).resource, { namespace, name }, { uid });
  } catch (error) {
    // Gone, or another object by now: either way not what was to be removed.
    if (!hasStatus(error, 404, 409)) throw error;
  }
}
