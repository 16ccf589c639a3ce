/**
 * When the time of an object with a TTL is over. Pure.
 *
 * @module
 */
import { ANNOTATION_EXTEND_UNTIL } from "./api/names.ts";

const LEAD_MS = 10 * 60_000;
/** Without offset or time of day a text would mean another time on every machine. */
const RFC_3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[-+]\d{2}:\d{2})$/;

/** Both in milliseconds since the epoch. */
export interface Lifetime {
  /** When the object is deleted. */
  expiresAt: number;
  /** From when on people are told. */
  warnAt: number;
}

/** What a lifetime follows from. */
export interface LifetimeOptions {
  ttlSeconds: number;
  annotations?: Readonly<Record<string, string>>;
  /** Longest life that an extension can reach; 0 is no limit. */
  maxTtlSeconds: number;
}

/** @param start When the TTL began: milliseconds since the epoch. */
export function lifetimeFrom(start: number, { ttlSeconds, annotations, maxTtlSeconds }: LifetimeOptions): Lifetime {
  const limit = maxTtlSeconds > 0 ? start + maxTtlSeconds * 1000 : Infinity;
  const extended = Math.min(extensionIn(annotations) ?? 0, limit);
  const expiresAt = Math.max(start + ttlSeconds * 1000, extended);
  // Ten minutes before, or a tenth of a short life.
  return { expiresAt, warnAt: expiresAt - Math.min(LEAD_MS, (expiresAt - start) / 10) };
}

/** The time has run out. */
export function hasExpired({ expiresAt }: Partial<Lifetime>, now: number): boolean {
  return expiresAt !== undefined && now >= expiresAt;
}

/** The time is about to run out. */
export function isExpiring({ warnAt }: Partial<Lifetime>, now: number): boolean {
  return warnAt !== undefined && now >= warnAt;
}

/** The time in the annotation; admission refuses what is no time, here it counts as absent. */
function extensionIn(annotations: Readonly<Record<string, string>> = {}): number | undefined {
  const text = annotations[ANNOTATION_EXTEND_UNTIL]?.trim() ?? "";
  const time = RFC_3339.test(text) ? Date.parse(text.toUpperCase().replace(" ", "T")) : NaN;
  return Number.isNaN(time) ? undefined : time;
}
