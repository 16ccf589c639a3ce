/**
 * The writes of a deployment, all of them as the environment's ServiceAccount.
 *
 * Guarantees: an object that is not ours is never changed or deleted, by the rules of lib/runtime/act.ts: what is new is
 * applied without force after a look, and given back where somebody was faster; updates and deletions carry the uid of
 * what was seen. A stage begins when the one before is done without an error; within one everything is tried, and all
 * that people must act on is said at once. Not more than {@link AT_ONCE} requests are under way.
 *
 * @module
 */
import { FIELD_MANAGER, LABEL_DEPLOYED } from "../api/names.ts";
import type { KubeObject, Resource } from "../api/object.ts";
import { applyNew } from "../kube/apply.ts";
import type { KubeClient } from "../kube/client.ts";
import { hasStatus, unlessMissing } from "../kube/errors.ts";
import { removeForeground } from "../kube/removal.ts";
import { Stalled, Waiting } from "../runtime/errors.ts";
import { isOwnedBy } from "../runtime/ownership.ts";
import { nameOf } from "../runtime/status.ts";
import { listAll, type Observer, type Seen } from "./observer.ts";
import { isImmutable, LOOK_AGAIN_MS, refusal, type Refused, united } from "./refusals.ts";
import { type Answers, differenceOf, type SetChanges } from "./set_changes.ts";
import { STAGE_COUNT, stageOf } from "./stages.ts";
import type { Wanted } from "./wanted.ts";

/** Requests at once for one environment. */
export const AT_ONCE = 8;
const SOON_MS = 1_000;
/** From so many new objects of a kind on, one list of the kind is the shorter look. */
const LIST_FROM = 3;

/** What writing needs. */
export interface WriteDeps extends Refused {
  owner: KubeObject;
  /** Acts as the environment's ServiceAccount. */
  kube: KubeClient;
  observer: Pick<Observer, "observe" | "doubt">;
  answers: Pick<Answers, "remember">;
}

/**
 * Makes the changes, stage by stage, then deletes what left, last stages first.
 *
 * @throws {Stalled} NotOwned, Forbidden, Refused, ImmutableField, QuotaExceeded. @throws {Waiting} While something old is
 * being deleted. @throws {KubeError} Anything that another try may mend.
 */
export async function applyChanges(changes: SetChanges, deps: WriteDeps): Promise<void> {
  for (let stage = 0; stage < STAGE_COUNT; stage++) {
    const isNow = (wanted: Wanted): boolean => stageOf(wanted.kind.resource) === stage;
    const created = changes.create.filter(isNow);
    const present = await presentOf(created, deps);
    await inParallel([
      ...created.map((wanted) => () => create(wanted, present.get(wanted), deps)),
      ...changes.update.filter(({ wanted }) => isNow(wanted))
        .map(({ wanted, observed }) => () => update(wanted, observed, deps)),
    ]);
  }
  const leaving = [...changes.remove].sort((a, b) => stageOf(b.resource) - stageOf(a.resource));
  await inParallel(leaving.map((seen) => () => remove(seen, deps)));
  const blocked = changes.leaving[0];
  if (blocked) throw new Waiting("Terminating", `Waiting until the older ${nameOf(blocked)} is gone`, SOON_MS);
}

/** Lets everything finish before it throws: nothing runs on behind the caller's back. */
async function inParallel(work: (() => Promise<void>)[]): Promise<void> {
  const errors: unknown[] = [];
  const queue = work.values();
  const worker = async (): Promise<void> => {
    for (const task of queue) await task().catch((error) => errors.push(error));
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, work.length) }, worker));
  if (errors.length > 0) throw united(errors);
}

/** What is there already under the names of new objects: no watch shows what is not ours. */
async function presentOf(created: readonly Wanted[], deps: WriteDeps): Promise<Map<Wanted, KubeObject>> {
  const kinds = Map.groupBy(created, ({ kind }) => kind.resource);
  const found = new Map<Wanted, KubeObject>();
  await inParallel([...kinds].flatMap(([resource, all]) =>
    all.length < LIST_FROM
      ? all.map((wanted) => async () => {
        const there = await lookUp(wanted, deps);
        if (there) found.set(wanted, there);
      })
      : [() => listed(resource, all, { found, deps })]
  ));
  return found;
}

async function listed(
  resource: Resource,
  all: readonly Wanted[],
  { found, deps }: { found: Map<Wanted, KubeObject>; deps: WriteDeps },
): Promise<void> {
  const { namespace } = all[0]!.object.metadata;
  const items = await tried(
    all[0]!.object,
    deps,
    () => listAll(deps.kube, resource, { namespace, metadataOnly: true }),
  );
  const byName = new Map(items.map((object) => [object.metadata.name, object]));
  for (const wanted of all) {
    const there = byName.get(wanted.object.metadata.name);
    if (there) found.set(wanted, there);
  }
}

async function lookUp({ object, kind }: Wanted, deps: WriteDeps): Promise<KubeObject | undefined> {
  return await tried(object, deps, () => unlessMissing(deps.kube.get(kind.resource, object.metadata)));
}

/** @throws What a refusal means. */
async function tried<T>(object: KubeObject, deps: Refused, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw refusal(error, object, deps);
  }
}

async function create(wanted: Wanted, there: KubeObject | undefined, deps: WriteDeps): Promise<void> {
  if (there) return await takeBack(wanted, there, deps);
  const { object, kind: { resource } } = wanted;
  try {
    const made = await applyNew(object, resource, { kube: deps.kube, manager: FIELD_MANAGER });
    taken(wanted, made, deps);
  } catch (error) {
    const present = hasStatus(error, 409) ? await lookUp(wanted, deps) : undefined;
    if (!present) throw refusal(error, object, deps);
    await takeBack(wanted, present, deps);
  }
}

/** Our own object that was not shown yet is brought up to date; anything else is left alone. */
async function takeBack(wanted: Wanted, there: KubeObject, deps: WriteDeps): Promise<void> {
  const isOurs = isOwnedBy(there, deps.owner);
  if (there.metadata.deletionTimestamp) {
    throw new Waiting("Terminating", `Waiting until the older ${nameOf(there)} is gone`, SOON_MS);
  }
  if (isOurs && there.metadata.labels?.[LABEL_DEPLOYED]) return await update(wanted, there, deps);
  const whose = isOurs
    ? "is the environment's own; give the one in the source another name"
    : "exists and was not made for this environment; delete or rename it, it will not be touched";
  throw new Stalled("NotOwned", `${nameOf(there)} ${whose}`, LOOK_AGAIN_MS);
}

async function update(wanted: Wanted, observed: KubeObject, deps: WriteDeps): Promise<void> {
  const { object, kind: { resource } } = wanted;
  const exact = { ...object, metadata: { ...object.metadata, uid: observed.metadata.uid } };
  try {
    taken(wanted, await deps.kube.apply(exact, resource, { manager: FIELD_MANAGER, force: true }), deps);
  } catch (error) {
    deps.observer.doubt(deps.owner, resource);
    if (!isImmutable(error) || !mayBeMadeAnew(resource)) throw refusal(error, object, deps);
    await remove({ object: observed, resource }, deps);
    throw new Waiting("Replacing", `${nameOf(object)} cannot be changed and is being made anew`, SOON_MS);
  }
}

/** What the server makes of it, where that is not what was asked for in so many words, is remembered. */
function taken({ object, kind: { resource } }: Wanted, answer: KubeObject, deps: WriteDeps): void {
  const shown = deps.observer.observe(deps.owner, answer, resource);
  if (differenceOf(object, shown) !== undefined) deps.answers.remember(object, shown);
}

/** Nothing is lost with them but that they run again, which is what a change of them asks for. */
function mayBeMadeAnew({ group, kind }: Resource): boolean {
  return (group === "batch" && kind === "Job") || (group === "" && kind === "Pod");
}

async function remove({ object, resource }: Seen, deps: WriteDeps): Promise<void> {
  const { namespace, name, uid } = object.metadata;
  deps.observer.doubt(deps.owner, resource);
  try {
    await removeForeground(deps.kube, resource, { namespace, name, uid });
  } catch (error) {
    // Gone, or another object by now: either way not what was to be removed.
    if (!hasStatus(error, 404, 409)) throw refusal(error, object, deps);
  }
}
