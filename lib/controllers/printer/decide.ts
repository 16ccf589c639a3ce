/**
 * What is to be done about one Printer and what is to be said. Pure: it powers `maquette plan`, too.
 *
 * @module
 */
import type { KubeObject } from "../../api/object.ts";
import type { Plan } from "../../runtime/definition.ts";
import { nameOf, type Report } from "../../runtime/status.ts";
import {
  type Ending,
  isDefaced,
  isListed,
  obstacleOf,
  type Progress,
  progressOf,
  recordedEnding,
  removalTime,
  wasDeletedByHand,
} from "./checks.ts";
import { desiredChild, desiredMarks, imageOf, requestDigest } from "./desired.ts";
import type { Seen } from "./gather.ts";

/** @param now Milliseconds since the epoch. */
export function decide(seen: Seen, now: number): Plan {
  const recorded = recordedEnding(seen.owner);
  if (recorded) return wasDeletedByHand(seen, recorded, now) ? making(seen) : finished(seen, recorded, now);
  const progress = progressOf(seen, now);
  if (progress?.is === "over") return justFinished(seen, progress.ending, now);
  const obstacle = obstacleOf(seen, progress);
  if (obstacle) return replacing(obstacle);
  return progress ? underWay(seen, progress) : making(seen);
}

function making({ owner, settings }: Seen): Plan {
  const child = desiredChild(owner, settings);
  return { desired: [child], report: pending("Creating", `${nameOf(child)} is to be made`) };
}

/** The child is made when the old one is gone: they share a name, and two texts shall not be printed at once. */
function replacing(obstacle: KubeObject): Plan {
  return { desired: [], report: pending("Replacing", `Waiting until the older ${nameOf(obstacle)} is gone`) };
}

function pending(reason: string, message: string): Report {
  return { phase: "Pending", state: "reconciling", reason, message };
}

function underWay(seen: Seen, progress: Exclude<Progress, { is: "over" }>): Plan {
  const { reason, message } = progress;
  const desired = keep(seen);
  const fields = { podName: seen.pod?.metadata.name };
  if (progress.is === "stuck") {
    const outcome = { outcome: "Failed", image: imageOf(seen.owner, seen.settings), reason, message };
    return { desired, report: { phase: "Failed", state: "stalled", reason, message, fields, outcome } };
  }
  const phase = progress.is === "printing" ? "Running" : "Pending";
  const { lookAgainAt } = progress;
  return { desired, report: { phase, state: "reconciling", reason, message, fields, lookAgainAt } };
}

/** The status must know of it before the child may go: that order lets nothing be printed twice. */
function justFinished(seen: Seen, ending: Ending, now: number): Plan {
  const { reason, message } = said(ending);
  const image = imageOf(seen.owner, seen.settings);
  const outcome = ending.failure
    ? { outcome: "Failed", image, reason, message }
    : { outcome: "Completed", image, reason };
  const removal = removalTime(seen.owner, ending);
  const lookAgainAt = removal === undefined ? undefined : Math.max(removal, now);
  return { desired: keep(seen), report: { ...finalReport(seen, ending), outcome, lookAgainAt } };
}

/** What the status knows stays as it was said; there is a child, or there is not. */
function finished(seen: Seen, ending: Ending, now: number): Plan {
  const report = finalReport(seen, ending);
  const removal = removalTime(seen.owner, ending) ?? Infinity;
  if (!seen.child || removal <= now) return { desired: [], report };
  return { desired: keep(seen), report: { ...report, lookAgainAt: removal === Infinity ? undefined : removal } };
}

function finalReport({ owner }: Seen, ending: Ending): Report {
  const { failure, ...fields } = ending;
  return {
    phase: failure ? "Failed" : "Completed",
    state: failure ? "stalled" : "ready",
    ...said(ending),
    fields: {
      ...fields,
      requestDigest: requestDigest(owner.spec),
      ...(failure ? { failureReason: failure.reason, failureMessage: failure.message } : {}),
    },
  };
}

function said({ failure, podName }: Ending): { reason: string; message: string } {
  return failure ?? { reason: "Printed", message: podName ? `Printed by Pod "${podName}"` : "Printed" };
}

/**
 * The plan for a child that shall stay. It never changes, so there is nothing to compare but its marks: only where those
 * are not as they should be, or where older children are to go, are they written.
 */
function keep({ owner, child, others }: Seen): KubeObject[] | undefined {
  if (!child || child.metadata.deletionTimestamp) return undefined;
  const isSettled = !isDefaced(child, owner) && others.length === 0 && isListed(owner);
  return isSettled ? undefined : [desiredMarks(owner)];
}
