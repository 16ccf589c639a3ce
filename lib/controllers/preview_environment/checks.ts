/**
 * The facts that a decision about an environment turns on, each named for what is wrong. Pure.
 *
 * ```
 *             ┌──────────── spec changed ────────────┐
 *             ▼                                      │
 *  (none) → Provisioning ── rolled out, endpoints → Ready ── Pods lost → Degraded ── back → Ready
 *             │    ▲                                 │
 *             ▼    └── mended ── Failed ◄── rollout stuck
 *  any: a source is missing, NotOwned → Failed       older namespace still there → Pending
 *  any: time over → Expired → deleted → Terminating → (gone)
 * ```
 *
 * @module
 */
import { readyEndpoints, type Rollout, rolloutOf } from "../../workload/rollout.ts";
import type { Expiry } from "./expiry.ts";
import type { Seen } from "./gather.ts";
import { sourceKey, type SourceRef, sourcesOf } from "./sources.ts";

/** The TTL has run out. */
export function hasExpired({ expiresAt }: Expiry, now: number): boolean {
  return expiresAt !== undefined && now >= expiresAt;
}

/** The TTL is about to run out. */
export function isExpiring({ warnAt }: Expiry, now: number): boolean {
  return warnAt !== undefined && now >= warnAt;
}

/** The first Secret or ConfigMap that the environment needs and that does not exist. */
export function missingSource({ owner, settings, sources }: Seen): SourceRef | undefined {
  return sourcesOf(owner, settings).find((ref) => !ref.isOptional && !sources.has(sourceKey(ref)));
}

/** What there is to say about the Pods. */
export type Verdict =
  | { is: "ready" }
  /** New Pods cannot run, or the Deployment's deadline has passed. */
  | { is: "stuck"; reason: string; message: string }
  /** It was ready as it is asked for now, and is not any more. */
  | { is: "degraded"; reason: string; message: string }
  | { is: "onItsWay"; reason: string; message: string };

/** Judges the rollout and the endpoints. */
export function verdictOn(seen: Seen): Verdict {
  const rollout = rolloutOf(seen.deployment);
  const endpoints = readyEndpoints(seen.endpointSlices);
  if (rollout.state === "complete" && endpoints > 0) return { is: "ready" };
  const wasReady = rollout.state !== "updating" && hadBeenReady(seen);
  const failure = failureText(seen, rollout);
  if (failure) return { is: wasReady ? "degraded" : "stuck", ...failure };
  if (wasReady) return { is: "degraded", reason: "PodsNotReady", message: waitingText(rollout) };
  return { is: "onItsWay", reason: "RollingOut", message: waitingText(rollout) };
}

function waitingText(rollout: Rollout): string {
  return rollout.state === "complete" ? "Waiting until the Service has a ready endpoint" : rollout.message;
}

/** Ready at this very generation of the spec. */
function hadBeenReady({ owner }: Seen): boolean {
  const { phase, observedGeneration } = owner.status ?? {};
  return observedGeneration === owner.metadata.generation && (phase === "Ready" || phase === "Degraded");
}

function failureText({ failure, log }: Seen, rollout: Rollout): { reason: string; message: string } | undefined {
  const serving = rollout.state === "updating" && rollout.available > 0 ? "; the version before keeps serving" : "";
  if (failure && (!failure.mayPass || rollout.isOverdue)) {
    const tail = log ? `; the last lines of its log:\n${log}` : "";
    return { reason: failure.reason, message: `${failure.message}${serving}${tail}` };
  }
  if (!rollout.isOverdue || rollout.state === "complete") return undefined;
  const message = `${rollout.message}: no progress within its deadline, the Pods run but do not become ready${serving}`;
  return { reason: "ProgressDeadlineExceeded", message };
}
