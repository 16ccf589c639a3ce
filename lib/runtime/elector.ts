/**
 * Leader election on a Lease, after client-go's: of several replicas one reconciles.
 *
 * Guarantees:
 * - Two never lead at once as long as their clocks run equally fast (they need not agree). Whoever leads calls the lease
 *   held for {@link ElectionTimings.renewDeadlineMs} from before it was written, also while a request hangs; others take
 *   it over only when it stayed unchanged before their own eyes for {@link ElectionTimings.leaseMs}, which is longer.
 * - Held is what both clocks call held, free is what the monotonic one calls so: neither a machine whose time is set nor
 *   one that was suspended stretches a lease or cuts another's short.
 * - A leader that stops gives the lease up, and the next one takes it as soon as its watch shows that. A watch that is
 *   blind makes it late, never wrong: every write carries the version that was seen, and what was renewed since refuses it.
 * - Fencing: each write of those behind {@link Elector.reconciling} is checked against the clocks as it is handed to
 *   `fetch`, so that a process which was frozen past its lease begins none when it wakes, and ends those under way.
 *
 * What remains: requests that `fetch` had been given and had not sent when the process froze (the rest of one turn of the
 * event loop, or a connection that was being made) may leave when it wakes, before a timer of ours ends them; so may what
 * a broken network had swallowed. The API server refuses those (see fence.ts). Where it has no fence, they do no lasting
 * harm, because writes carry what they were decided on: status and deletion of owners their version, changes and deletions
 * of children their uid, the finalizer what was seen of it. An apply that comes late brings at worst something older back,
 * which the next leader sees and sets right. Only a namespace may come late whose owner is gone meanwhile.
 *
 * @see https://github.com/kubernetes/client-go/blob/master/tools/leaderelection/leaderelection.go
 * @module
 */
import { apiVersionOf, type KubeObject } from "../api/object.ts";
import { LEASE } from "../api/resources.ts";
import type { KubeClient } from "../kube/client.ts";
import { hasStatus, unlessMissing } from "../kube/errors.ts";
import type { WriteGuard } from "../kube/guard.ts";
import type { Change } from "./cache.ts";
import { type Clock, sleep } from "./clock.ts";
import { durationOf, freeSpec, heldSpec, holderOf, type LeaseTarget } from "./elector_lease.ts";
import type { Informer } from "./informer.ts";
import type { Logger } from "./log.ts";
import { isNewer } from "./version.ts";

/** All in milliseconds. */
export interface ElectionTimings {
  leaseMs: number;
  /** Two answers of 5 s each come in time. */
  renewDeadlineMs: number;
  retryMs: number;
}

export const DEFAULT_ELECTION: ElectionTimings = Object.freeze({
  leaseMs: 15_000,
  renewDeadlineMs: 12_000,
  retryMs: 2_000,
});

/** For the client of the elector: a request that a dead connection has swallowed leaves time for another. */
export const LEASE_REQUEST_MS = 6_000;

/** What is thrown instead of writing without the lease. */
export class LeadershipLost extends Error {
  override readonly name = "LeadershipLost";

  constructor() {
    super("Lease is not held any more: nothing is written");
  }
}

export interface ElectorDeps {
  kube: Pick<KubeClient, "get" | "create" | "replace">;
  /** Shows the lease; whoever made it runs it. */
  informer: Pick<Informer, "subscribe">;
  clock: Clock;
  log: Logger;
  lease: LeaseTarget;
  /** Unique among replicas: the Pod's name and something random. */
  identity: string;
  timings?: ElectionTimings;
}

/** See the module. Leads once at most. */
export class Elector {
  readonly #deps: ElectorDeps;
  readonly #timings: ElectionTimings;
  readonly #lost = new AbortController();
  #state: "standby" | "leading" | "released" | "lost" = "standby";
  /** The lease as last seen, also when it is gone since. */
  #lease: KubeObject | undefined;
  #isGone = true;
  /** When it was seen to change, and when we last began to write it; by the monotonic clock. */
  #changedAt = 0;
  #triedAt = 0;
  /** Until when nobody else can have taken the lease. */
  #heldUntil = { wall: -Infinity, monotonic: -Infinity };
  /** Counts what may change the mind of somebody who waits. */
  #news = 0;
  readonly #waiting = new Set<() => void>();

  constructor(deps: ElectorDeps) {
    this.#deps = deps;
    this.#timings = deps.timings ?? DEFAULT_ELECTION;
    deps.informer.subscribe((change) => this.#watched(change));
  }

  /** Whether the lease is ours, by the clocks, at this moment. */
  get isLeading(): boolean {
    return this.#state === "leading" && this.#heldMs() > 0;
  }

  /** Fences those who reconcile. @throws {LeadershipLost} From its check, and into requests under way. */
  readonly reconciling: WriteGuard = {
    signal: this.#lost.signal,
    check: () => {
      if (this.isLeading) return;
      this.#lose("ran out");
      throw new LeadershipLost();
    },
  };

  /** Fences what they tell people: the same, but when the lease was given up, the rest of it may still be told. */
  readonly telling: WriteGuard = {
    signal: this.#lost.signal,
    check: () => {
      if (this.#state !== "released") this.reconciling.check();
    },
  };

  /** Waits to lead. @returns False when the signal came first. */
  async acquire(signal: AbortSignal): Promise<boolean> {
    const { log, identity } = this.#deps;
    while (!signal.aborted) {
      const news = this.#news;
      const isFree = this.#msUntilFree() <= 0;
      if (isFree && await this.#take() && this.#heldMs() > 0) {
        this.#state = "leading";
        log.info("Leading", { identity });
        return true;
      }
      await this.#pause(Math.max(this.#msUntilFree(), isFree ? this.#timings.retryMs : 0), { news, signal });
    }
    return false;
  }

  /**
   * Renews until the signal or until the lease is lost. Call it as soon as {@link acquire} is done, and end it when no
   * work runs any more.
   *
   * @returns Whether it was lost.
   */
  async hold(signal: AbortSignal): Promise<boolean> {
    const ending = new AbortController();
    // Not waited for: a request of it may hang.
    this.#renew(ending.signal);
    while (this.isLeading && !signal.aborted) await this.#pause(this.#heldMs(), { news: this.#news, signal });
    ending.abort();
    if (!this.isLeading) this.#lose("ran out");
    return this.#state === "lost";
  }

  /** Lets the next replica lead at once. Call it when nothing of this one's work runs any more. */
  async release(): Promise<void> {
    if (this.#state !== "leading") return;
    this.#state = "released";
    const { log, identity } = this.#deps;
    try {
      if (await this.#giveUp()) log.info("Lease given up", { identity });
    } catch (error) {
      log.warn("Lease could not be given up, it will run out", { error });
    }
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    let news = this.#news;
    for (;;) {
      await this.#pause(this.#triedAt + this.#timings.retryMs - clock.monotonic(), { news, signal });
      if (signal.aborted) return;
      news = this.#news;
      await this.#take();
    }
  }

  /** Writes that the lease is ours. Never throws. @returns Whether it is. */
  async #take(): Promise<boolean> {
    try {
      await this.#untilCurrent(() => this.#write());
      return this.#isOurs;
    } catch (error) {
      if (!hasStatus(error, 409)) this.#deps.log.warn("Lease could not be read or written", { error });
      return false;
    }
  }

  /** A write onto a version that is outdated is tried once more after a look, unless somebody else holds the lease. */
  async #untilCurrent(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      if (!hasStatus(error, 404, 409)) throw error;
      await this.#read();
      if (this.#msUntilFree() > 0) throw error;
      await write();
    }
  }

  async #write(): Promise<void> {
    // An answer may come when all is over.
    if (this.#state === "released" || this.#state === "lost") return;
    const { kube, clock, identity, lease: { namespace, name } } = this.#deps;
    const { leaseMs, renewDeadlineMs } = this.#timings;
    const [wall, monotonic] = [clock.now(), clock.monotonic()];
    this.#triedAt = monotonic;
    const spec = heldSpec(this.#lease, { identity, now: wall, leaseMs });
    const made = { apiVersion: apiVersionOf(LEASE), kind: LEASE.kind, metadata: { namespace, name }, spec };
    const written = this.#lease && !this.#isGone
      ? await kube.replace({ ...this.#lease, spec }, LEASE, "maquette")
      : await kube.create(made, LEASE, "maquette");
    this.#see(written);
    this.#heldUntil = { wall: wall + renewDeadlineMs, monotonic: monotonic + renewDeadlineMs };
  }

  async #giveUp(): Promise<boolean> {
    const { kube, clock } = this.#deps;
    await this.#untilCurrent(async () => {
      if (!this.#isOurs) return;
      this.#see(await kube.replace({ ...this.#lease!, spec: freeSpec(this.#lease!, clock.now()) }, LEASE, "maquette"));
    });
    return holderOf(this.#lease) === "";
  }

  /** Asks for the lease as it is. */
  async #read(): Promise<void> {
    const lease = await unlessMissing(this.#deps.kube.get(LEASE, this.#deps.lease));
    if (!lease) this.#isGone = true;
    else if (lease.metadata.resourceVersion !== this.#lease?.metadata.resourceVersion) this.#adopt(lease);
  }

  #watched({ type, object }: Change): void {
    if (type !== "DELETED") return this.#see(object);
    if (isNewer(this.#lease?.metadata.resourceVersion, object.metadata.resourceVersion)) return;
    // Who held it may not know yet, and is left its time.
    this.#isGone = true;
    this.#tell();
  }

  /** Takes in the lease, unless a newer one was seen: watch and answers overtake each other. */
  #see(lease: KubeObject): void {
    if (isNewer(lease.metadata.resourceVersion, this.#lease?.metadata.resourceVersion)) this.#adopt(lease);
  }

  #adopt(lease: KubeObject): void {
    const [before, holder] = [holderOf(this.#lease), holderOf(lease)];
    this.#lease = lease;
    this.#isGone = false;
    this.#changedAt = this.#deps.clock.monotonic();
    if (this.#isOurs) return;
    this.#lose("taken away");
    if (holder && holder !== before && this.#state === "standby") this.#deps.log.info("Standing by", { holder });
    this.#tell();
  }

  #lose(why: string): void {
    if (this.#state !== "leading") return;
    this.#state = "lost";
    this.#deps.log.error("Lease was lost", { identity: this.#deps.identity, why, holder: holderOf(this.#lease) });
    this.#lost.abort(new LeadershipLost());
    this.#tell();
  }

  get #isOurs(): boolean {
    return holderOf(this.#lease) === this.#deps.identity;
  }

  #heldMs(): number {
    const { clock } = this.#deps;
    return Math.min(this.#heldUntil.wall - clock.now(), this.#heldUntil.monotonic - clock.monotonic());
  }

  /** Milliseconds until the lease may be taken, should nobody renew it. */
  #msUntilFree(): number {
    if (this.#isOurs || holderOf(this.#lease) === "") return 0;
    return this.#changedAt + durationOf(this.#lease) - this.#deps.clock.monotonic();
  }

  #tell(): void {
    this.#news++;
    for (const wake of this.#waiting) wake();
  }

  /** Waits, unless there was news since the caller last looked. */
  async #pause(ms: number, { news, signal }: { news: number; signal: AbortSignal }): Promise<void> {
    if (news !== this.#news) return;
    const ending = new AbortController();
    const wake = (): void => ending.abort();
    this.#waiting.add(wake);
    signal.addEventListener("abort", wake);
    if (signal.aborted) wake();
    await sleep(this.#deps.clock, ms, ending.signal);
    this.#waiting.delete(wake);
    signal.removeEventListener("abort", wake);
  }
}
