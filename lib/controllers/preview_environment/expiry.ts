/**
 * When an environment's time is over. Pure.
 *
 * @module
 */
import { ANNOTATION_EXTEND_UNTIL } from "../../api/names.ts";
import type { PreviewEnvironment } from "../../api/preview_environment.ts";

const LEAD_MS = 10 * 60_000;
/** Without offset or time of day a text would mean another time on every machine. */
const RFC_3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[-+]\d{2}:\d{2})$/;

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
  const limit = maxTtlSeconds > 0 ? start + maxTtlSeconds * 1000 : Infinity;
  const extended = Math.min(extensionOf(owner) ?? 0, limit);
  const expiresAt = Math.max(start + ttl * 1000, extended);
  // Ten minutes before, or a tenth of a short life.
  return { updatedAt, expiresAt, warnAt: expiresAt - Math.min(LEAD_MS, (expiresAt - start) / 10) };
}

/** Kept in the status, because the API server does not tell when a spec changed. */
function updateTime(owner: PreviewEnvironment, at: { createdAt: number; now: number }): number {
  const { status, metadata } = owner;
  if (status?.observedGeneration === metadata.generation && status?.updatedAt) return Date.parse(status.updatedAt);
  // In whole seconds, as the status keeps it: the end must not depend on whether it has been written yet.
  return (metadata.generation ?? 1) <= 1 ? at.createdAt : Math.floor(at.now / 1000) * 1000;
}

/** The time in the annotation; admission refuses what is no time, here it counts as absent. */
function extensionOf(owner: PreviewEnvironment): number | undefined {
  const text = owner.metadata.annotations?.[ANNOTATION_EXTEND_UNTIL]?.trim() ?? "";
  const time = RFC_3339.test(text) ? Date.parse(text.toUpperCase().replace(" ", "T")) : NaN;
  return Number.isNaN(time) ? undefined : time;
}
