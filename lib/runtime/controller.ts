/**
 * Runs one kind: events become names, names wait in the queue once, workers reconcile them, and the exit writes the
 * status once.
 *
 * @module
 */
import { LABEL_OWNER_UID, STATUS_FIELD_MANAGER } from "../api/names.ts";
import { type Condition, keyOf, type KubeObject, splitKey } from "../api/object.ts";
import type { KubeClient } from "../kube/client.ts";
import { hasStatus, isConflict, isFenced, KubeError } from "../kube/errors.ts";
import { type Change, isNoNews } from "./cache.ts";
import { cleanup } from "./cleanup.ts";
import { countOf } from "./changes.ts";
import type { Clock } from "./clock.ts";
import { BY_UID, type ControllerDefinition, type Root, type WatchNeed } from "./definition.ts";
import { Stalled, Waiting } from "./errors.ts";
import { addFinalizer, hasFinalizer, removeFinalizer } from "./finalizer.ts";
import type { Informer } from "./informer.ts";
import type { InformerSet } from "./informer_set.ts";
import type { Logger } from "./log.ts";
import { annotatedOwner } from "./ownership.ts";
import { partingOf } from "./parting.ts";
import { WorkQueue } from "./queue.ts";
import { failed, type Outcome, repairsOf, settle, type SettleDeps } from "./settle.ts";
import { keptFields, type Report, sameJson, statusOf, transitions, WARNINGS } from "./status.ts";

/** How a reconcile ended, as metrics count it. */
export type ReconcileResult = "success" | "waiting" | "stalled" | "conflict" | "error";

/** Makes Events about owners; never fails and never waits. */
export interface EventSink {
  record(about: KubeObject, event: { type: "Normal" | "Warning"; reason: string; note: string }): void;
}

export interface ControllerDeps {
  kube: KubeClient;
  informers: InformerSet;
  clock: Clock;
  random: () => number;
  log: Logger;
  events: EventSink;
  /** Reconciles at once. */
  workers: number;
  /** Milliseconds after which a deletion that does not end is called stuck. */
  cleanupDeadlineMs: number;
  metrics?: {
    reconciled(kind: string, result: ReconcileResult, seconds: number): void;
  };
}

const BACKOFF = { baseMs: 200, capMs: 5 * 60_000 };

/** See the module. */
export class Controller {
  readonly definition: ControllerDefinition;
  readonly queue: WorkQueue;
  readonly owners: Informer;
  readonly #deps: ControllerDeps;
  readonly #settleDeps: SettleDeps;
  /** Owners as they were when our finalizer was taken away: the watch has not shown yet that they are gone. */
  readonly #released = new WeakSet<KubeObject>();

  constructor(definition: ControllerDefinition, deps: ControllerDeps) {
    this.definition = definition;
    this.#deps = deps;
    this.queue = new WorkQueue(deps.clock, { ...BACKOFF, random: deps.random });
    this.owners = deps.informers.need({ resource: definition.kind, scope: "all" });
    this.owners.cache.addIndex(BY_UID, (owner) => [owner.metadata.uid ?? ""]);
    for (const [name, of] of Object.entries(definition.indexes ?? {})) this.owners.cache.addIndex(name, of);
    this.owners.subscribe((change) => this.#ownerChanged(change));
    for (const need of [...definition.owns, ...definition.watches]) this.#follow(need);
    this.#settleDeps = this.#createSettleDeps();
  }

  /** Works until the queue is closed by the signal; what is under way is finished. */
  async run(signal: AbortSignal): Promise<void> {
    const close = (): void => this.queue.close();
    if (signal.aborted) return close();
    signal.addEventListener("abort", close);
    await Promise.all(Array.from({ length: this.#deps.workers }, () => this.#work()));
    signal.removeEventListener("abort", close);
  }

  #createSettleDeps(): SettleDeps {
    const { informers, kube, clock } = this.#deps;
    const { owns } = this.definition;
    return {
      kube,
      clock,
      cache: (resource, scope) => informers.get({ resource, scope }).cache,
      children: (object) => {
        const need = owns.find((candidate) => candidate.resource.kind === object.kind);
        if (!need) throw new Error(`Cannot act on kind "${object.kind}": ${this.definition.kind.kind} does not own it`);
        return informers.get(need);
      },
      wake: (owner) => this.queue.add(keyOf(owner)),
      owned: (owner) => owns.flatMap((need) => informers.get(need).cache.ownedBy(owner.metadata.uid!)),
    };
  }

  #ownerChanged({ type, object, old, isOwn }: Change): void {
    // No news, and nothing of somebody else's hides in it: a status is only written onto the version that was looked at.
    if (isOwn) return;
    const touched = type === "MODIFIED" && (object.metadata.generation !== old?.metadata.generation ||
      object.metadata.deletionTimestamp !== old?.metadata.deletionTimestamp ||
      !sameJson(object.metadata.annotations, old?.metadata.annotations));
    this.queue.add(keyOf(object), touched || (type === "ADDED" && this.owners.synced) ? "high" : "low");
  }

  #follow(need: WatchNeed): void {
    const informer = this.#deps.informers.need(need);
    const isOwned = this.definition.owns.includes(need);
    informer.subscribe((change) => {
      // The reconcile that wrote to a child of its own looks at it again by itself.
      if (change.isOwn && isOwned) return;
      // Where only metadata is asked for, what has changed is elsewhere: the version is the news.
      if (!need.metadataOnly && isNoNews(change, need.reads)) return;
      const owners = need.owners?.(change, this.owners.cache) ?? this.#ownersOfChild(change);
      for (const key of owners) this.queue.add(key, "low");
    });
  }

  /** As it was, too: the change may be that somebody took our marks away. */
  #ownersOfChild({ object, old }: Change): string[] {
    return [...new Set([object, ...(old ? [old] : [])].flatMap((child) => this.#ownersBy(child)))];
  }

  /** By annotation also an owner that was deleted and made anew; by label what the API server made of our children. */
  #ownersBy(child: KubeObject): string[] {
    const annotated = annotatedOwner(child, this.definition.kind);
    if (annotated) return [annotated];
    const uid = child.metadata.labels?.[LABEL_OWNER_UID];
    return uid ? this.owners.cache.indexed(BY_UID, uid).map(keyOf) : [];
  }

  async #work(): Promise<void> {
    for (;;) {
      const key = await this.queue.take();
      if (key === undefined) return;
      const started = this.#deps.clock.now();
      const result = await this.#reconcile(key);
      this.#deps.metrics?.reconciled(this.definition.kind.kind, result, (this.#deps.clock.now() - started) / 1000);
      this.queue.done(key);
    }
  }

  async #reconcile(key: string): Promise<ReconcileResult> {
    this.queue.cancelTimer(key);
    const owner = this.owners.cache.get(key);
    if (!owner) {
      this.queue.forget(key);
      return "success";
    }
    try {
      return owner.metadata.deletionTimestamp ? await this.#clean(owner) : await this.#settle(owner);
    } catch (error) {
      return this.#tryAgain(key, error);
    }
  }

  async #settle(seen: KubeObject): Promise<ReconcileResult> {
    let owner = seen;
    if (!hasFinalizer(owner)) {
      owner = await addFinalizer(owner, this.definition.kind, this.#deps.kube);
      this.owners.observe(owner);
    }
    const outcome = await this.#outcome(owner);
    // A conflict is no news about the owner: the next look, which comes soon, says what is true.
    if (isConflict(outcome.error)) return this.#scheduleAfter(keyOf(owner), outcome);
    const current = await this.#report(owner, outcome.report).catch((error) => {
      // What is over must go, also where nobody may be told.
      if (!outcome.deleteOwner || !(error instanceof KubeError)) throw error;
      return owner;
    });
    this.#tellRepairs(owner, outcome);
    if (outcome.deleteOwner) await this.#deleteOwner(current);
    return this.#scheduleAfter(keyOf(owner), outcome);
  }

  async #outcome(owner: KubeObject, definition = this.definition): Promise<Outcome> {
    try {
      return await settle(owner, definition, this.#settleDeps);
    } catch (error) {
      const { phase = "Pending", inventory } = owner.status ?? {};
      const kept = { ...keptFields(owner), inventory };
      const isUnseen = !(error instanceof Stalled);
      const report = { phase, state: "reconciling" as const, reason: "", message: "", ...kept, isUnseen };
      return { report: failed(report, error), deleteOwner: false, error };
    }
  }

  /** @returns The owner as it is after its status was written. */
  async #report(owner: KubeObject, report: Report): Promise<KubeObject> {
    const status = statusOf(owner, report, this.#deps.clock.now());
    let current = owner;
    if (!sameJson(owner.status, status)) {
      // The version, because the status of a custom resource takes any uid: nobody else's status is ever written.
      const { namespace, name, resourceVersion } = owner.metadata;
      const metadata = { namespace, name, resourceVersion };
      const applied = { apiVersion: owner.apiVersion, kind: owner.kind, metadata, status };
      const options = { manager: STATUS_FIELD_MANAGER, force: true, subresource: "status" };
      current = await this.#deps.kube.apply(applied, this.definition.kind, options);
      this.owners.observe(current);
      this.#tellTransitions(owner, report, current);
    }
    this.definition.reconciled?.(owner, status);
    return current;
  }

  #tellTransitions(owner: KubeObject, report: Report, current: KubeObject): void {
    for (const condition of transitions(owner.status?.conditions ?? [], current.status.conditions)) {
      const isBad = condition.type === WARNINGS || (condition.type === "Ready" && report.state === "stalled");
      const { reason, message } = condition;
      this.#deps.events.record(owner, { type: isBad ? "Warning" : "Normal", reason, note: message });
    }
  }

  #tellRepairs(owner: KubeObject, { changes }: Outcome): void {
    const conditions: Condition[] = owner.status?.conditions ?? [];
    const wasRight = conditions.some(({ type, status, observedGeneration }) =>
      type === "Ready" && status === "True" && observedGeneration === owner.metadata.generation
    );
    if (!changes || !wasRight || countOf(changes) === 0) return;
    for (const note of repairsOf(changes)) {
      this.#deps.events.record(owner, { type: "Normal", reason: "Repaired", note });
    }
  }

  /** Deletes what was decided about, and nothing that somebody changed (extended, say) since: by its version. */
  async #deleteOwner({ metadata }: KubeObject): Promise<void> {
    const { namespace, name, uid, resourceVersion } = metadata;
    await this.#deps.kube.remove(this.definition.kind, { namespace, name }, { uid, resourceVersion });
  }

  async #clean(owner: KubeObject): Promise<ReconcileResult> {
    if (!hasFinalizer(owner) || this.#released.has(owner)) return "success";
    const { kube, informers, clock, cleanupDeadlineMs: deadlineMs } = this.#deps;
    const informer = (root: Root): Informer =>
      informers.get(this.definition.owns.find((need) => need.resource === root.resource)!);
    const parting = await this.#part(owner);
    if (parting) return parting;
    const held = this.definition.heldBack?.(owner, this.#settleDeps);
    const report = held ??
      await cleanup(owner, this.definition.roots(owner, this.#settleDeps), {
        ...{ kube, informer, now: clock.now(), deadlineMs },
      });
    if (!report) {
      await removeFinalizer(owner, this.definition.kind, kube);
      this.#released.add(owner);
      this.definition.released?.(owner);
      return "success";
    }
    await this.#report(owner, { ...report, ...keptFields(owner), inventory: owner.status?.inventory });
    return this.#scheduleAfter(keyOf(owner), { report, deleteOwner: false });
  }

  /** Lets the kind take leave in steps of its own. @returns Nothing when there is nothing more of that. */
  async #part(owner: KubeObject): Promise<ReconcileResult | undefined> {
    const parting = partingOf(this.definition);
    if (!parting) return undefined;
    const outcome = await this.#outcome(owner, parting.definition);
    if (parting.isOver() && outcome.error === undefined) return undefined;
    if (!isConflict(outcome.error)) await this.#report(owner, outcome.report);
    return this.#scheduleAfter(keyOf(owner), outcome);
  }

  /** The error's kind is the retry policy, read here and nowhere else. */
  #scheduleAfter(key: string, { report, error }: Outcome): ReconcileResult {
    if (report.lookAgainAt !== undefined) this.queue.addAt(key, report.lookAgainAt);
    if (error === undefined || error instanceof Waiting || error instanceof Stalled) {
      this.queue.forget(key);
      if (error?.lookAgainMs !== undefined) this.queue.addAt(key, this.#deps.clock.now() + error.lookAgainMs);
      return error
        ? error instanceof Waiting ? "waiting" : "stalled"
        : report.state === "stalled"
        ? "stalled"
        : "success";
    }
    return this.#tryAgain(key, error);
  }

  #tryAgain(key: string, error: unknown): ReconcileResult {
    // The owner went while we worked on it; its deletion event has been or is on its way.
    if (hasStatus(error, 404) && !this.owners.cache.get(key)) return "success";
    const delayMs = this.queue.retry(key, error instanceof KubeError ? error.retryAfterMs : 0);
    const fields = { kind: this.definition.kind.kind, ...splitKey(key), error, delayMs: Math.round(delayMs) };
    if (isConflict(error) && !isFenced(error)) this.#deps.log.debug("Reconcile met a conflict, trying again", fields);
    else this.#deps.log.warn("Reconcile failed, trying again", fields);
    return isConflict(error) ? "conflict" : "error";
  }
}
