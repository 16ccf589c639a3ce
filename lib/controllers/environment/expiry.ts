/**
 * When an environment's time is over. Pure.
 *
 * @module
 */
import type { Environment } from "../../api/environment.ts";
import { type Lifetime, lifetimeFrom } from "../../lifetime.ts";

/** Counted from the creation. Nothing where the Environment has no TTL. */
export function expiryOf({ metadata, spec }: Environment, maxTtlSeconds: number): Partial<Lifetime> {
  if (spec.ttlSeconds === undefined) return {};
  const { annotations, creationTimestamp = "" } = metadata;
  return lifetimeFrom(Date.parse(creationTimestamp), { ttlSeconds: spec.ttlSeconds, annotations, maxTtlSeconds });
}
