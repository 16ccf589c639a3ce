/**
 * Compares a cluster with what was asked for: nothing lost, nothing leaked, nothing stuck. What is right is what the
 * pure half of each kind says (`gather` and `decide`, as `maquette plan` uses them), fed with fresh lists.
 *
 * @module
 */
import { ANNOTATION_OWNER, FINALIZER, LABEL_MANAGED_BY, LABEL_OWNER_UID, MANAGED_BY } from "../lib/api/names.ts";
import { keyOf, type KubeObject, type Resource } from "../lib/api/object.ts";
import { Cache } from "../lib/runtime/cache.ts";
import { changesFor } from "../lib/runtime/changes.ts";
import type { Clock } from "../lib/runtime/clock.ts";
import type { ControllerDefinition, GatherDeps, WatchNeed, WatchScope } from "../lib/runtime/definition.ts";
import { difference } from "../lib/runtime/differs.ts";
import { inventoryEntry, nameOf } from "../lib/runtime/status.ts";
import { statusRules } from "../lib/runtime/status_rules.ts";

/** Everything in a cluster that may be ours, and what our kinds read beside it. */
export class World {
  readonly definitions: readonly ControllerDefinition[];
  readonly clock: Clock;
  readonly #caches = new Map<string, Cache>();

  constructor(definitions: readonly ControllerDefinition[], clock: Clock) {
    this.definitions = definitions;
    this.clock = clock;
  }

  /** Takes in the whole list of one need. */
  fill({ resource, scope, shape }: WatchNeed, objects: Iterable<KubeObject>): void {
    const cache = new Cache();
    for (const definition of this.definitions) {
      if (definition.kind !== resource) continue;
      for (const [name, of] of Object.entries(definition.indexes ?? {})) cache.addIndex(name, of);
    }
    for (const object of objects) cache.put(shape ? shape(object) : object);
    this.#caches.set(keyOfNeed(resource, scope), cache);
  }

  /** What a list held. @throws {Error} When it was not filled in. */
  cache(resource: Resource, scope: WatchScope): Cache {
    const cache = this.#caches.get(keyOfNeed(resource, scope));
    if (!cache) throw new Error(`Cannot compare "${resource.plural}" (${scope}): they were not listed`);
    return cache;
  }

  /** What `gather` reads. A log never changes what is wanted. */
  gatherDeps(): GatherDeps {
    const refuse = (): never => {
      throw new Error("A comparison reads only what was listed");
    };
    return {
      clock: this.clock,
      cache: (resource, scope) => this.cache(resource, scope),
      kube: { get: refuse, logs: () => Promise.resolve("") },
      wake: refuse,
    };
  }
}

function keyOfNeed(resource: Resource, scope: WatchScope): string {
  return `${resource.plural}.${resource.group}/${scope}`;
}

/** The list of all owners of a kind. */
export function ownersNeed(definition: ControllerDefinition): WatchNeed {
  return { resource: definition.kind, scope: "all" };
}

/** Every list that a comparison rests on, each once. */
export function needsOf(definitions: readonly ControllerDefinition[]): WatchNeed[] {
  const all = definitions.flatMap((definition) => [
    ownersNeed(definition),
    ...definition.owns,
    // Owners are listed once, and as a whole.
    ...definition.watches.filter(({ resource }) => !definitions.some(({ kind }) => kind === resource)),
  ]);
  return [...new Map(all.map((need) => [keyOfNeed(need.resource, need.scope), need])).values()];
}

/**
 * What of the owners themselves is not as it was asked for. Needs their lists only.
 *
 * @param asked Owners that shall exist, with the spec that was asked for last; all others shall not.
 * @returns One sentence for each problem.
 */
export function ownerProblems(asked: readonly KubeObject[], world: World): string[] {
  return world.definitions.flatMap(({ kind }) => {
    const wanted = new Map(
      asked.filter((object) => object.kind === kind.kind).map((object) => [keyOf(object), object]),
    );
    const cache = world.cache(kind, "all");
    const surplus = [...cache.values()].filter((owner) => !wanted.has(keyOf(owner)));
    return [
      ...[...wanted].flatMap(([key, object]) => {
        const owner = cache.get(key);
        return owner ? stateProblems(object, owner) : [`${nameOf(object)} is lost`];
      }),
      ...surplus.map((owner) => `${nameOf(owner)} is there and was not asked for${stuck(owner)}`),
    ];
  });
}

function stateProblems(asked: KubeObject, owner: KubeObject): string[] {
  const { metadata, status } = owner;
  const { deletionTimestamp, generation, finalizers = [] } = metadata;
  const wrongField = difference(asked.spec, owner.spec, "spec");
  const problems = [
    deletionTimestamp !== undefined && `is being deleted${stuck(owner)}`,
    wrongField !== undefined && `is not as it was asked for: ${wrongField} differs`,
    !finalizers.includes(FINALIZER) && `lacks the finalizer "${FINALIZER}"`,
    status?.phase !== "Ready" && `is "${status?.phase ?? ""}" and not Ready: ${readyMessage(owner)}`,
    status?.observedGeneration !== generation &&
    `was last looked at in generation ${status?.observedGeneration} of ${generation}`,
    ...statusRules(owner).map((rule) => `breaks rule ${rule}`),
  ];
  return problems.filter((problem) => problem !== false).map((problem) => `${nameOf(owner)} ${problem}`);
}

function readyMessage({ status }: KubeObject): string {
  return status?.conditions?.find(({ type }: { type: string }) => type === "Ready")?.message ?? "no condition";
}

/** What holds an object that is being deleted. */
function stuck({ metadata: { deletionTimestamp, finalizers = [] } }: KubeObject): string {
  if (deletionTimestamp === undefined) return "";
  return `, held since ${deletionTimestamp} by ${finalizers.join(", ") || "no finalizer"}`;
}

/** {@link ownerProblems}, and what of the children is not as the owners want it. Needs all lists of {@link needsOf}. */
export async function problemsOf(asked: readonly KubeObject[], world: World): Promise<string[]> {
  const owners = world.definitions.map((definition) => ({
    definition,
    present: presentOwners(asked, definition, world),
  }));
  const wrong = owners.flatMap(({ definition, present }) =>
    present.map((owner) => childProblems(owner, definition, world))
  );
  const uids = new Set(owners.flatMap(({ present }) => present.map(({ metadata }) => metadata.uid)));
  return [...ownerProblems(asked, world), ...(await Promise.all(wrong)).flat(), ...straysOf(uids, world)];
}

function presentOwners(asked: readonly KubeObject[], { kind }: ControllerDefinition, world: World): KubeObject[] {
  const cache = world.cache(kind, "all");
  return asked.filter((object) => object.kind === kind.kind).map((object) => cache.get(keyOf(object)))
    .filter((owner) => owner !== undefined);
}

/** What is there is judged anew: a status that says Ready while the children say otherwise is a problem, too. */
async function childProblems(owner: KubeObject, definition: ControllerDefinition, world: World): Promise<string[]> {
  const { desired = [], report } = definition.decide(
    await definition.gather(owner, world.gatherDeps()),
    world.clock.now(),
  );
  const owned = definition.owns.flatMap(({ resource, scope }) =>
    world.cache(resource, scope).ownedBy(owner.metadata.uid!)
  );
  const { create, update, remove } = changesFor(owner, desired, owned);
  const told = { ...report.fields, inventory: desired.map(inventoryEntry) };
  const wrongField = difference(told, owner.status, "status");
  return [
    ...(report.phase === "Ready" ? [] : [`is "${report.phase}" by what is there: ${report.message}`]),
    ...(wrongField === undefined ? [] : [`says something else than what is there: ${wrongField} differs`]),
    ...create.map((object) => `lacks ${nameOf(object)}`),
    ...update.map(({ observed, why }) => `wants another ${nameOf(observed)}: ${why} differs`),
    ...remove.map((object) => `has ${nameOf(object)}, which is not wanted`),
  ].map((problem) => `${nameOf(owner)} ${problem}`);
}

/** Children of nobody, and children that do not go or will not. */
function straysOf(uids: ReadonlySet<string | undefined>, world: World): string[] {
  const ours = needsOf(world.definitions).flatMap(({ resource, scope }) => [...world.cache(resource, scope).values()])
    .filter(({ metadata }) => metadata.labels?.[LABEL_MANAGED_BY] === MANAGED_BY);
  return ours.flatMap((child) => {
    const { labels, annotations, deletionTimestamp, finalizers = [] } = child.metadata;
    const isLeaked = !uids.has(labels?.[LABEL_OWNER_UID]);
    // What the cluster itself makes of our children (a Job's Pod) may well have some.
    const isHeld = !deletionTimestamp && finalizers.length > 0 && annotations?.[ANNOTATION_OWNER] !== undefined;
    return [
      ...(isLeaked ? [`${nameOf(child)} is left of an owner that was not asked for`] : []),
      ...(deletionTimestamp ? [`${nameOf(child)} is being deleted${stuck(child)}`] : []),
      ...(isHeld ? [`${nameOf(child)} has finalizers: ${finalizers.join(", ")}`] : []),
    ];
  });
}
