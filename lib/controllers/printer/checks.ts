/**
 * The facts that a decision about a Printer turns on. Pure.
 *
 * ```
 *            ┌───────────── text, image or mode changed: the old child goes first ─────────────┐
 *            ▼                                                                                 │
 *  (none) → Pending ── container runs → Running ── exit 0, log read → Completed ───────────────┤
 *            │  ▲  ▲                       │                                                   │
 *            │  │  └── gone while running ─┤                                                   │
 *            ▼  │ pulled after all         ▼ other exit, Pod or Job given up                   │
 *           Failed (mends itself)        Failed (for good) ─────────────────────────────────────┘
 *                                           └── its Pod deleted by hand → Pending
 * ```
 *
 * Completed is remembered in the status, by the digest of what was asked for: deleting the Pod prints nothing again, nor
 * does its TTL, another operator image or a restart. Failed for good is remembered, too, until somebody deletes the Pod
 * or Job to have it tried again.
 *
 * @module
 */
import type { KubeObject } from "../../api/object.ts";
import { MAX_OUTPUT_LENGTH, type Printer } from "../../api/printer.ts";
import { JOB } from "../../api/resources.ts";
import { difference } from "../../runtime/differs.ts";
import { stamp } from "../../runtime/ownership.ts";
import { nameOf, rfc3339 } from "../../runtime/status.ts";
import { jobEnd } from "../../workload/job.ts";
import { withLog } from "../../workload/logs.ts";
import { CONTAINER, desiredChild, desiredMarks, requestDigest, TEMPLATE_LABEL } from "./desired.ts";
import type { Seen } from "./gather.ts";

/** How long a log that cannot be read (the node is away) keeps a Printer from being Completed, and how often it is tried. */
const LOG_PATIENCE_MS = 10_000;
const LOG_RETRY_MS = 1_000;

/** What became of the printing, for good. Absent failure: it printed. */
export interface Ending {
  failure?: { reason: string; message: string };
  podName?: string;
  exitCode?: number;
  output?: string;
  /** RFC 3339. */
  finishedAt: string;
}

/** How far the printing is. */
export type Progress =
  /** Nothing is wrong yet. */
  | { is: "waiting" | "printing"; reason: string; message: string; lookAgainAt?: number }
  /** Somebody has to act, but what they do need not touch the Printer. */
  | { is: "stuck"; reason: string; message: string }
  | { is: "over"; ending: Ending };

/** What the kubelet gave no reason for. */
const UNTOLD = { reason: "PodFailed", message: "The Pod failed, and the cluster does not say why" };

interface ContainerState {
  waiting?: unknown;
  running?: unknown;
  terminated?: { exitCode: number; finishedAt?: string };
}

/** State of the container that prints; sidecars that admission put beside it do not count. */
export function containerState(pod: KubeObject): ContainerState | undefined {
  const statuses: { name: string; state?: ContainerState }[] = pod.status?.containerStatuses ?? [];
  return statuses.find(({ name }) => name === CONTAINER)?.state;
}

/** The ending that the status remembers, if it is that of what is asked for now. */
export function recordedEnding({ spec, status }: Printer): Ending | undefined {
  if (!status?.finishedAt || status.requestDigest !== requestDigest(spec)) return undefined;
  const { podName, exitCode, output, finishedAt, failureReason: reason, failureMessage: message = "" } = status;
  return { podName, exitCode, output, finishedAt, ...(reason ? { failure: { reason, message } } : {}) };
}

/** When the finished Pod or Job is removed, in milliseconds since the epoch; undefined when it is kept. */
export function removalTime({ spec }: Printer, { finishedAt }: Ending): number | undefined {
  const ttl = spec.ttlSecondsAfterFinished;
  return ttl === undefined ? undefined : Date.parse(finishedAt) + ttl * 1000;
}

/** What failed for good was there when the status was last written, and neither its TTL nor we took it away. */
export function wasDeletedByHand(seen: Seen, ending: Ending, now: number): boolean {
  const isOver = (removalTime(seen.owner, ending) ?? Infinity) <= now;
  return !seen.child && seen.others.length === 0 && ending.failure !== undefined && !isOver && isListed(seen.owner);
}

/** The child stands in the inventory. */
export function isListed(owner: Printer): boolean {
  const { kind, metadata: { name } } = desiredMarks(owner);
  return owner.status?.inventory?.some((entry) => entry.kind === kind && entry.name === name) ?? false;
}

/** Somebody changed the labels, the annotation or the ownerReference of the child. */
export function isDefaced(child: KubeObject, owner: Printer): boolean {
  return difference(stamp(desiredMarks(owner), owner).metadata, child.metadata) !== undefined;
}

/** What must be gone before the child can be made: what was asked for before, or leaves, or has not started and never should. */
export function obstacleOf({ owner, settings, child, others }: Seen, progress?: Progress): KubeObject | undefined {
  if (others[0] || !child) return others[0];
  if (child.metadata.deletionTimestamp) return child;
  const template = desiredChild(owner, settings).metadata.labels?.[TEMPLATE_LABEL];
  const isOutdated = child.metadata.labels?.[TEMPLATE_LABEL] !== template;
  return isOutdated && progress?.is !== "printing" ? child : undefined;
}

/** @param now Milliseconds since the epoch. @returns Nothing while there is no child. */
export function progressOf(seen: Seen, now: number): Progress | undefined {
  if (!seen.child) return undefined;
  const progress = seen.child.kind === JOB.kind ? jobProgress(seen, seen.child) : podProgress(seen, seen.child, now);
  if (progress.is !== "over" || !isLogDue(seen, progress.ending, now)) return progress;
  const message = `${nameOf(seen.pod ?? seen.child)} has printed; its log cannot be read yet`;
  return { is: "printing", reason: "ReadingLog", message, lookAgainAt: now + LOG_RETRY_MS };
}

/** Who waits for Completed reads the output next: a log that cannot be read is worth some patience. */
function isLogDue({ child, pod, output }: Seen, { failure, finishedAt }: Ending, now: number): boolean {
  if (failure || output || child?.metadata.deletionTimestamp) return false;
  // A container that the kubelet has lost sight of has no log, and no time to be patient from.
  const isLost = child === pod && !(pod && containerState(pod)?.terminated?.finishedAt);
  return !isLost && now < Date.parse(finishedAt) + LOG_PATIENCE_MS;
}

function podProgress(seen: Seen, pod: KubeObject, now: number): Progress {
  const phase = pod.status?.phase;
  const { terminated, running } = containerState(pod) ?? {};
  const isGood = terminated ? terminated.exitCode === 0 : phase === "Succeeded";
  // What is stopped because its Pod is deleted did not fail.
  const isBad = (terminated !== undefined || phase === "Failed") && !pod.metadata.deletionTimestamp;
  if (!isGood && !isBad) return underWay(seen, running !== undefined);
  // A Pod that was evicted, or whose node is lost, may never say when its container ended.
  const ending = { ...endingOf(seen), finishedAt: terminated?.finishedAt ?? rfc3339(now) };
  return { is: "over", ending: isGood ? ending : { ...ending, failure: failureText(seen) ?? UNTOLD } };
}

function jobProgress(seen: Seen, job: KubeObject): Progress {
  const end = jobEnd(job);
  const failure = failureText(seen);
  if (!end) return jobUnderWay(seen, job);
  const ending = { ...endingOf(seen), finishedAt: end.at };
  if (end.succeeded) return { is: "over", ending: { ...ending, exitCode: 0 } };
  const givenUp = `${nameOf(job)} gave up: ${end.message || end.reason}`;
  const message = failure ? `${givenUp}; ${failure.message}` : givenUp;
  return { is: "over", ending: { ...ending, failure: { reason: failure?.reason ?? end.reason, message } } };
}

/** A Pod that has ended is no end of its Job: that tries again, or has not counted it yet. */
function jobUnderWay(seen: Seen, job: KubeObject): Progress {
  const { terminated, running } = (seen.pod && containerState(seen.pod)) ?? {};
  const failure = failureText(seen);
  if (!terminated || !failure) return underWay(seen, running !== undefined || terminated !== undefined);
  return { is: "waiting", reason: "Retrying", message: `${nameOf(job)} tries again: ${failure.message}` };
}

/** Its container has not ended. */
function underWay(seen: Seen, isRunning: boolean): Progress {
  const about = nameOf(seen.pod ?? seen.child!);
  if (isRunning) return { is: "printing", reason: "Printing", message: `${about} prints` };
  const failure = failureText(seen);
  if (!failure) return { is: "waiting", reason: "Starting", message: `Waiting until ${about} has started` };
  return { is: seen.failure!.mayPass ? "waiting" : "stuck", ...failure };
}

function failureText({ failure, log }: Seen): { reason: string; message: string } | undefined {
  if (!failure) return undefined;
  return { reason: failure.reason, message: withLog(failure.message, log) };
}

/** What the Pod tells; the newline that `printf` adds is not part of the text. */
function endingOf({ pod, output }: Seen): Omit<Ending, "finishedAt"> {
  const printed = [...output.replace(/\n$/, "")].slice(0, MAX_OUTPUT_LENGTH).join("");
  return {
    podName: pod?.metadata.name,
    exitCode: pod && containerState(pod)?.terminated?.exitCode,
    ...(output ? { output: printed } : {}),
  };
}
