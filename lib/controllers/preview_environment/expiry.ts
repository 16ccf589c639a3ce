/**
 * When an environment's time is over. Pure.
 *
 * @module
 */
import type { PreviewEnvironment } from "../../api/preview_environment.ts";
import { lifetimeFrom } from "../../lifetime.ts";

/** All in milliseconds since the epoch. */
export interface Expiry {
  /** When the present generation of the spec was first seen. */
  updatedAt: number;
  /** When the environment is deleted; undefined without a TTL. */
  expiresAt?: number;
  /** From when on people are told. */
  warnAt?: number;
}

/**
 * @param now Milliseconds since the epoch.
 * @param maxTtlSeconds Longest life that an extension can reach; 0 is no limit.
 */
export function expiryOf(owner: PreviewEnvironment, now: number, maxTtlSeconds: number): Expiry {
  const createdAt = Date.parse(owner.metadata.creationTimestamp!);
  const updatedAt = updateTime(owner, { createdAt, now });
  const { ttl_seconds: ttl, ttl_from: from } = owner.spec;
  if (ttl === undefined) return { updatedAt };
  const start = from === "updated" ? updatedAt : createdAt;
  const { annotations } = owner.metadata;
  return { updatedAt, ...lifetimeFrom(start, { ttlSeconds: ttl, annotations, maxTtlSeconds }) };
}

/** Kept in the status, because the API server does not tell when a spec changed. */
function updateTime(owner: PreviewEnvironment, at: { createdAt: number; now: number }): number {
  const { status, metadata } = owner;
  if (status?.observedGeneration === metadata.generation && status?.updatedAt) return Date.parse(status.updatedAt);
  // In whole seconds, as the status keeps it: the end must not depend on whether it has been written yet.
  return (metadata.generation ?? 1) <= 1 ? at.createdAt : Math.floor(at.now / 1000) * 1000;
}
