/**
 * Leader election on a Lease, after client-go's: of several replicas one reconciles.
 *
 * Guarantees: two never lead at once as long as their clocks run equally fast (they need not agree): whoever leads stops
 * when it could not renew for {@link ElectionTimings.renewDeadlineMs}, also while a request hangs, and others take over
 * only when the lease stayed unchanged before their own eyes for {@link ElectionTimings.leaseMs}, which is longer. A
 * leader that stops gives the lease up.
 *
 * @see https://github.com/kubernetes/client-go/blob/master/tools/leaderelection/leaderelection.go
 * @module
 */
import type { KubeObject } from "../api/object.ts";
import { LEASE } from "../api/resources.ts";
import type { KubeClient } from "../kube/client.ts";
import { hasStatus } from "../kube/errors.ts";
import { type Clock, sleep } from "./clock.ts";
import type { Logger } from "./log.ts";

/** All in milliseconds. */
export interface ElectionTimings {
  leaseMs: number;
  renewDeadlineMs: number;
  retryMs: number;
}

export const DEFAULT_ELECTION: ElectionTimings = Object.freeze({
  leaseMs: 15_000,
  renewDeadlineMs: 10_000,
  retryMs: 2_000,
});

export interface ElectorDeps {
  kube: Pick<KubeClient, "get" | "create" | "replace">;
  clock: Clock;
  log: Logger;
  lease: { namespace: string; name: string };
  /** Unique among replicas: the Pod's name and something random. */
  identity: string;
  timings?: ElectionTimings;
}

/** See the module. */
export class Elector {
  readonly #deps: ElectorDeps;
  readonly #timings: ElectionTimings;
  /** The lease as last seen, and when it was first seen so. */
  #seen: { resourceVersion?: string; at: number } = { at: 0 };
  /** Until when nobody else can have taken the lease, milliseconds since the epoch: counted from before it was written. */
  #heldUntil = 0;
  #leading = false;

  constructor(deps: ElectorDeps) {
    this.#deps = deps;
    this.#timings = deps.timings ?? DEFAULT_ELECTION;
  }

  get isLeading(): boolean {
    return this.#leading;
  }

  /** Waits to lead. @returns False when the signal came first. */
  async acquire(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      if (await this.#tryOnce() && this.#deps.clock.now() < this.#heldUntil) {
        this.#leading = true;
        this.#deps.log.info("Leading", { identity: this.#deps.identity });
        return true;
      }
      await sleep(this.#deps.clock, this.#timings.retryMs, signal);
    }
    return false;
  }

  /**
   * Renews until the signal or until the lease is lost. Call it as soon as {@link acquire} is done, and end it when no
   * work runs any more: what is under way after it works without the lease.
   *
   * @returns Whether it was lost.
   */
  async hold(signal: AbortSignal): Promise<boolean> {
    const { clock, log } = this.#deps;
    for (;;) {
      await sleep(clock, Math.min(this.#timings.retryMs, this.#heldUntil - clock.now()), signal);
      if (!signal.aborted) await this.#tryInTime(signal);
      if (signal.aborted) return false;
      if (clock.now() < this.#heldUntil) continue;
      this.#leading = false;
      log.error("Lease was lost", { identity: this.#deps.identity });
      return true;
    }
  }

  /** Waits for a try as long as the lease is ours for certain, and no longer: an API server may take long to answer. */
  async #tryInTime(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    const tried = new AbortController();
    const isOver = sleep(clock, this.#heldUntil - clock.now(), AbortSignal.any([signal, tried.signal]));
    await Promise.race([this.#tryOnce(), isOver]);
    tried.abort();
  }

  /** Lets the next replica lead at once. Call it when nothing of this one's work runs any more. */
  async release(): Promise<void> {
    if (!this.#leading) return;
    this.#leading = false;
    try {
      const lease = await this.#deps.kube.get(LEASE, this.#deps.lease);
      if (lease.spec?.holderIdentity !== this.#deps.identity) return;
      await this.#deps.kube.replace({ ...lease, spec: { ...lease.spec, holderIdentity: "" } }, LEASE, "maquette");
    } catch (error) {
      this.#deps.log.warn("Lease could not be given up, it will run out", { error });
    }
  }

  async #tryOnce(): Promise<boolean> {
    try {
      return await this.#tryTake();
    } catch (error) {
      // A conflict is another replica that was faster.
      if (!hasStatus(error, 409)) this.#deps.log.warn("Lease could not be read or written", { error });
      return false;
    }
  }

  async #tryTake(): Promise<boolean> {
    const { kube, clock, identity, lease: target } = this.#deps;
    const heldUntil = clock.now() + this.#timings.renewDeadlineMs;
    const lease = await kube.get(LEASE, target).catch((error) => {
      if (hasStatus(error, 404)) return undefined;
      throw error;
    });
    if (!lease) {
      const spec = this.#spec(undefined);
      await kube.create(
        { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: target, spec },
        LEASE,
        "maquette",
      );
      this.#heldUntil = heldUntil;
      return true;
    }
    const holder = lease.spec?.holderIdentity;
    if (lease.metadata.resourceVersion !== this.#seen.resourceVersion) {
      this.#seen = { resourceVersion: lease.metadata.resourceVersion, at: clock.now() };
    }
    const runsOut = this.#seen.at + (lease.spec?.leaseDurationSeconds ?? 0) * 1000;
    if (holder && holder !== identity && clock.now() < runsOut) {
      this.#heldUntil = 0;
      return false;
    }
    const renewed = await kube.replace({ ...lease, spec: this.#spec(lease) }, LEASE, "maquette");
    this.#seen = { resourceVersion: renewed.metadata.resourceVersion, at: clock.now() };
    this.#heldUntil = heldUntil;
    return true;
  }

  #spec(lease: KubeObject | undefined): Record<string, unknown> {
    const { clock, identity } = this.#deps;
    const now = new Date(clock.now()).toISOString().replace("Z", "000Z");
    const isOurs = lease?.spec?.holderIdentity === identity;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(this.#timings.leaseMs / 1000),
      acquireTime: isOurs ? lease.spec.acquireTime : now,
      renewTime: now,
      leaseTransitions: (lease?.spec?.leaseTransitions ?? 0) + (lease && !isOurs ? 1 : 0),
    };
  }
}
