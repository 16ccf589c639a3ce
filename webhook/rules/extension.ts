/**
 * The annotation that keeps a PreviewEnvironment beyond its TTL (SPEC section 3). Pure.
 *
 * It is judged only where it is written anew: an object that carries a bad one from a time without the webhook must
 * stay editable, for the operator's finalizer too.
 *
 * @module
 */
import { ANNOTATION_EXTEND_UNTIL } from "../../lib/api/names.ts";
import { time } from "../../lib/api/fields.ts";
import type { Problem } from "../../lib/api/validate.ts";
import { type AdmissionContext, type Change, newAnnotation, specOf } from "./admission_rules.ts";
import { annotationPath } from "./shared.ts";

const FIELD = annotationPath(ANNOTATION_EXTEND_UNTIL);
/** zod takes a time without seconds, RFC 3339 does not. */
const HAS_SECONDS = /T\d\d:\d\d:\d\d/;

/** Refuses what is not a time. */
export function extensionProblems(change: Change): Problem[] {
  const value = newAnnotation(change, ANNOTATION_EXTEND_UNTIL);
  if (value === undefined || isTime(value)) return [];
  const shown = JSON.stringify(value.slice(0, 40));
  return [{ field: FIELD, message: `Must be a time by RFC 3339, for instance 2026-01-31T18:00:00Z: ${shown}` }];
}

/** Warns where an extension does nothing, or less than it says. */
export function extensionWarnings(change: Change, context: AdmissionContext): string[] {
  const value = newAnnotation(change, ANNOTATION_EXTEND_UNTIL);
  if (value === undefined || !isTime(value)) return [];
  const until = Date.parse(value);
  if ((specOf(change.object).ttl_seconds ?? undefined) === undefined) {
    return [`${FIELD}: Extends nothing, because the environment has no TTL`];
  }
  if (until <= context.now()) return [`${FIELD}: Extends nothing, because the time is over: ${value}`];
  const limit = latestEnd(change, context);
  if (until <= limit) return [];
  return [`${FIELD}: Is beyond the longest life: the environment ends ${new Date(limit).toISOString()}`];
}

/** When an environment ends at the latest, in milliseconds since the epoch. */
function latestEnd({ object }: Change, { config, now }: AdmissionContext): number {
  if (config.maxTtlSeconds === 0) return Infinity;
  const updatedAt: unknown = specOf(object).ttl_from === "updated" ? object.status?.updatedAt : undefined;
  const start = typeof updatedAt === "string" ? updatedAt : object.metadata.creationTimestamp;
  const startMs = start ? Date.parse(start) : NaN;
  return (Number.isNaN(startMs) ? now() : startMs) + config.maxTtlSeconds * 1000;
}

function isTime(value: string): boolean {
  return HAS_SECONDS.test(value) && time().safeParse(value).success;
}
