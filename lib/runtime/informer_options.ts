/**
 * What an informer is told: what to keep, how patient to be, and whom to ask and tell.
 *
 * @module
 */
import type { KubeObject, Resource } from "../api/object.ts";
import type { KubeClient, Scope } from "../kube/client.ts";
import type { Clock } from "./clock.ts";
import type { Logger } from "./log.ts";

/** What an informer needs of the API server. */
export type ListWatch = Pick<KubeClient, "list" | "watch">;

/** What to keep. */
export interface InformerSpec extends Scope {
  resource: Resource;
  /** Drops what nobody reads before it is cached. */
  shape?: (object: KubeObject) => KubeObject;
}

/** All in milliseconds, but the two that say seconds. */
export interface InformerTimings {
  /** A watch that shows nothing for this long, not even a bookmark, is dead. */
  idleMs: number;
  /** The server ends a watch after a random time between these. */
  watchSeconds: readonly [least: number, most: number];
  /** Between two comparisons of the cache with a fresh list. */
  verifyMs: number;
  backoffBaseMs: number;
  backoffCapMs: number;
}

export const DEFAULT_TIMINGS: InformerTimings = Object.freeze({
  idleMs: 90_000,
  watchSeconds: [300, 600] as const,
  verifyMs: 30 * 60_000,
  backoffBaseMs: 500,
  backoffCapMs: 30_000,
});

/** Why a watch connection ended. */
export type WatchEnd = "closed" | "idle" | "expired" | "error";

export interface InformerDeps {
  kube: ListWatch;
  clock: Clock;
  random: () => number;
  log: Logger;
  timings?: InformerTimings;
  metrics?: {
    watchEnded(resource: Resource, why: WatchEnd): void;
    eventsMissed(resource: Resource, count: number): void;
  };
}
