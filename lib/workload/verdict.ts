/**
 * What there is to say about the Pods of a Deployment that is being rolled out, or was. Pure; shared by all kinds that
 * run an application.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";
import { withLog } from "./logs.ts";
import type { PodFailure } from "./pod_failure.ts";
import { type Rollout, rolloutOf, servingPods } from "./rollout.ts";

/**
 * What passes by itself is not spoken of before: in every new namespace Pods are refused for a moment, until quota and
 * service account are known everywhere.
 */
const PATIENCE_MS = 30_000;

/** What a verdict rests on. */
export interface SeenRollout {
  deployment?: KubeObject;
  /** Of the Service. */
  endpointSlices: readonly KubeObject[];
  /** Those of the present template that are not being deleted. */
  pods: readonly KubeObject[];
  /** The first of them that does not run. */
  failure?: PodFailure;
  /** The end of its log. */
  log: string;
  /** It was ready as it is asked for now. */
  wasReady: boolean;
  /**
   * The fewest Pods, where an autoscaler decides how many there are: it is not ready with fewer, and once it was ready
   * these are enough. Left out: all that the Deployment asks for.
   */
  enough?: number;
  /** What is said while it is being rolled out. */
  underWay: string;
  /** Seconds without progress after which it is stuck. */
  deadlineSeconds: number;
  /** What makes a Pod ready, in words: `GET "/" on port 80 must answer with 200 to 399`. */
  healthy: string;
}

interface Explanation {
  /** CamelCase. */
  reason: string;
  message: string;
}

/**
 * What there is to say about the Pods. `stuck`: new Pods cannot run, or the Deployment's deadline has passed.
 * `degraded`: it was ready as it is asked for now, and is not any more.
 */
export type Verdict =
  | { is: "ready" }
  /** `lookAgainAt` in milliseconds since the epoch. */
  | Explanation & { is: "stuck" | "degraded" | "onItsWay"; lookAgainAt?: number };

/** Judges the rollout and the endpoints. @param now Milliseconds since the epoch. */
export function verdictOnRollout(seen: SeenRollout, now: number): Verdict {
  const rollout = rolloutOf(seen.deployment);
  const serving = Math.min(rollout.available, servingPods(seen.endpointSlices, seen.pods).length);
  const needed = Math.max(rollout.wanted, seen.enough ?? 0);
  if (rollout.state === "complete" && serving >= needed) return { is: "ready" };
  // Also while the Deployment has not been looked at yet: another number of Pods is no rollout.
  if (seen.wasReady && rollout.older === 0 && serving >= (seen.enough ?? Infinity)) return { is: "ready" };
  const wasReady = rollout.state !== "updating" && seen.wasReady;
  const trouble = troubleOf(seen, rollout);
  if (trouble?.isFinal) return { is: wasReady ? "degraded" : "stuck", ...explanationOf(trouble) };
  const is = wasReady ? "degraded" : "onItsWay";
  const tellAt = trouble?.since === undefined ? undefined : trouble.since + PATIENCE_MS;
  if (trouble && tellAt !== undefined && now >= tellAt) return { is, ...explanationOf(trouble) };
  // One text from the first Pod to the last endpoint: every other one would be one more write of the status.
  const waiting = wasReady
    ? { reason: "PodsNotReady", message: `${serving} of ${needed} Pods serve` }
    : { reason: "RollingOut", message: seen.underWay };
  return { is, ...waiting, lookAgainAt: tellAt };
}

/** What is in the way of the rollout. Not final: it may pass by itself. */
interface Trouble extends Explanation {
  isFinal: boolean;
  /** Milliseconds since the epoch, where it is known. */
  since?: number;
}

function explanationOf({ reason, message }: Trouble): Explanation {
  return { reason, message };
}

function troubleOf(seen: SeenRollout, rollout: Rollout): Trouble | undefined {
  const { failure, log } = seen;
  const { isOverdue: isFinal, refusal } = rollout;
  const serving = rollout.available > 0 && rollout.older > 0 ? "; the version before keeps serving" : "";
  if (failure && !failure.mayPass) {
    return { reason: failure.reason, message: withLog(`${failure.message}${serving}`, log), isFinal: true };
  }
  if (refusal) {
    const message = `Pods cannot be made: ${refusal.message}${serving}`;
    return { reason: "FailedCreate", message, isFinal, since: refusal.since };
  }
  if (failure) {
    return { reason: failure.reason, message: `${failure.message}${serving}`, isFinal, since: failure.since };
  }
  if (!isFinal || rollout.state === "complete") return undefined;
  const overdue = `No further Pod became ready within ${seen.deadlineSeconds} s: ${seen.healthy}`;
  return { reason: "ProgressDeadlineExceeded", message: `${overdue}${serving}`, isFinal };
}
