/**
 * The longest life that the configuration allows. Pure.
 *
 * @module
 */
import type { Problem } from "../../lib/api/validate.ts";

/** What a TTL is cut to, where it is over the maximum; undefined where nothing is to be cut. 0 is no maximum. */
export function cutTtl(ttl: unknown, maxSeconds: number): number | undefined {
  return typeof ttl === "number" && maxSeconds > 0 && ttl > maxSeconds ? maxSeconds : undefined;
}

/** What the person is told whose TTL was cut. */
export function cutWarning(field: string, ttl: unknown, maxSeconds: number): string {
  return `${field}: ${ttl} is over the maximum, ${maxSeconds} is used instead`;
}

/** The cap again: on an object that did not pass mutating admission, or was changed after it. */
export function ttlProblems(field: string, ttl: unknown, maxSeconds: number): Problem[] {
  return cutTtl(ttl, maxSeconds) === undefined ? [] : [{ field, message: `Must be at most ${maxSeconds}` }];
}
