/**
 * What a kind gives to the runtime: data and pure functions. The runtime knows no kind.
 *
 * @module
 */
import type { KubeObject, Resource } from "../api/object.ts";
import type { KubeClient } from "../kube/client.ts";
import type { Change, Lister } from "./cache.ts";
import type { Clock } from "./clock.ts";
import type { InventoryEntry, Report } from "./status.ts";

/** Index over the owners of every kind. */
export const BY_UID = "uid";

/** Which objects of a resource are watched: those that carry our marks (`childSelector`), or all. */
export type WatchScope = "children" | "all";

/** One watch that a kind needs. The same resource and scope of several kinds is watched once. */
export interface WatchNeed {
  resource: Resource;
  scope: WatchScope;
  /** The only namespace that is watched; left out: all. */
  namespace?: string;
  metadataOnly?: boolean;
  /** Drops what nobody reads before it is cached. */
  shape?: (object: KubeObject) => KubeObject;
  /** What this kind reads of what is cached: a change of anything else is no news to it. Not for bare metadata. */
  reads?: (object: KubeObject) => KubeObject;
  /** Keys of the owners that a change concerns; for children it is found by label and annotation when left out. */
  owners?: (change: Change, owners: Lister) => string[];
}

/** One rule of the operator's ClusterRole. */
export interface Permission {
  groups: readonly string[];
  resources: readonly string[];
  verbs: readonly string[];
  /** Objects that it is limited to; left out: all. */
  resourceNames?: readonly string[];
  /** In the operator's own namespace only. */
  isOwnNamespace?: boolean;
}

/** What is wanted, and what is to be said about it. Made by a pure `decide`. */
export interface Plan {
  /** Children as they shall be, before the runtime marks them as their owner's. Undefined: leave all as they are. */
  desired?: readonly KubeObject[];
  /** Children that are there and stay as they are: neither changed nor pruned, whatever `desired` says of others. */
  keep?: readonly KubeObject[];
  /**
   * Children that the owner has no right to any more as they are: they go, although all others are left as they are, and
   * although its author stopped changes. One that is among `desired`, too, becomes what is desired where changes go on.
   */
  revoked?: readonly KubeObject[];
  report: Report;
  /** The owner's time is over: delete it, once the status says so. */
  deleteOwner?: boolean;
  /** For {@link ControllerDefinition.perform}, once the children are as desired. Undefined: nothing. */
  further?: unknown;
}

/** What `gather` reads from: caches, and where no cache has it (a log) the API server. Reads only. */
export interface GatherDeps {
  cache(resource: Resource, scope: WatchScope): Lister;
  kube: Pick<KubeClient, "get" | "logs">;
  clock: Clock;
  /** Has an owner looked at again soon: what was read slowly, beside the reconciles, is there. */
  wake(owner: KubeObject): void;
}

/** An object that deletion of the owner must see gone; what it contains goes with it. */
export interface Root {
  resource: Resource;
  namespace?: string;
  name: string;
}

/** See the module. `Seen` is what `gather` hands to `decide`. */
export interface ControllerDefinition<Seen = unknown> {
  readonly kind: Resource;
  /** Kinds of children: watched by label, repaired, pruned. */
  readonly owns: readonly WatchNeed[];
  /** What else is watched. */
  readonly watches: readonly WatchNeed[];
  readonly permissions: readonly Permission[];
  /** Indexes over the owners, for `owners` of watches and for the webhook. */
  readonly indexes?: Readonly<Record<string, (owner: KubeObject) => string[]>>;
  /** @param performed What `perform` came to, where it was asked just before. */
  gather(owner: KubeObject, deps: GatherDeps, performed?: unknown): Seen | Promise<Seen>;
  /** Pure. @param now Milliseconds since the epoch. */
  decide(seen: Seen, now: number): Plan;
  /**
   * What goes beyond children that the operator itself makes, at every look: it must find out by itself whether
   * anything is to do. What it throws is reported as what `act` throws.
   */
  perform?(owner: KubeObject, further: unknown, deps: { kube: KubeClient; clock: Clock }): Promise<unknown>;
  /**
   * What is wanted while an owner that is being deleted takes leave, step by step, before its roots are deleted. Pure;
   * a pause does not stop it. @returns Nothing when that is over.
   */
  part?(seen: Seen, now: number): Plan | undefined;
  /** What an owner says that is deleted while it has to wait for others, and nothing of it goes. */
  heldBack?(owner: KubeObject, deps: Pick<GatherDeps, "cache">): Report | undefined;
  /** What must be gone before the finalizer goes; follows from the owner, and from what carries its uid. */
  roots(owner: KubeObject, deps: Pick<GatherDeps, "cache">): Root[];
  /** Told when the finalizer has gone: nothing needs to be remembered of the owner. */
  released?(owner: KubeObject): void;
  /** Told once after every reconcile, for the kind's own metrics. */
  reconciled?(owner: KubeObject, status: Readonly<Record<string, unknown>>): void;
}

export type { Change, InventoryEntry, Lister, Report };
