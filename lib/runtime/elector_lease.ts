/**
 * The Lease object that replicas agree by: what is written into it, and the watch that shows it.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";
import { LEASE } from "../api/resources.ts";
import { Informer, type InformerDeps } from "./informer.ts";

/** Which Lease. */
export interface LeaseTarget {
  namespace: string;
  name: string;
}

/** A watch of this one Lease, which the operator's role may watch by its name only. */
export function leaseInformer({ namespace, name }: LeaseTarget, deps: InformerDeps): Informer {
  return new Informer({ resource: LEASE, namespace, fieldSelector: `metadata.name=${name}` }, deps);
}

/** Who holds it; `""` where nobody does. */
export function holderOf(lease: KubeObject | undefined): string {
  return lease?.spec?.holderIdentity ?? "";
}

/** Milliseconds for which others leave it alone after they saw it change. */
export function durationOf(lease: KubeObject | undefined): number {
  return (lease?.spec?.leaseDurationSeconds ?? 0) * 1000;
}

/**
 * What a holder writes over what was there.
 *
 * @param by `now` in milliseconds since the epoch, `leaseMs` rounded up to seconds.
 */
export function heldSpec(
  before: KubeObject | undefined,
  { identity, now, leaseMs }: { identity: string; now: number; leaseMs: number },
): Record<string, unknown> {
  const isOurs = holderOf(before) === identity;
  const time = microTime(now);
  return {
    holderIdentity: identity,
    leaseDurationSeconds: Math.ceil(leaseMs / 1000),
    acquireTime: isOurs ? before?.spec.acquireTime : time,
    renewTime: time,
    leaseTransitions: (before?.spec?.leaseTransitions ?? 0) + (before && !isOurs ? 1 : 0),
  };
}

/** What is written by whoever gives it up. */
export function freeSpec(before: KubeObject, now: number): Record<string, unknown> {
  return { ...before.spec, holderIdentity: "", renewTime: microTime(now) };
}

function microTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace("Z", "000Z");
}
