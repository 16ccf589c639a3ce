/**
 * How an application goes: what brings traffic goes first, then the Pods, then everything is saved, and only then the
 * rest may go. Pure.
 *
 * ```
 *  StoppingTraffic ── no endpoint is left ──► Draining ── a moment, then 0 Pods ──► BackingUp ── read back ──► (cleanup)
 *                                                                                   │   ▲
 *                                                                  failed, Continue │   │ a Secret, the spec or the annotation
 *                                                                    ──► (cleanup)  ▼   │ changed, or some time has passed
 *                                                                               BackupFailed (Block: everything is kept)
 * ```
 *
 * Nothing is remembered but in the status: where a step stands is read from what is there.
 *
 * @module
 */
import type { KubeObject } from "../../api/object.ts";
import { holdersOf, leavingSince } from "../../runtime/cleanup.ts";
import type { Plan } from "../../runtime/definition.ts";
import { type Finding, nameOf, type Report, WARNINGS } from "../../runtime/status.ts";
import type { PodTemplate } from "../../workload/pod_template.ts";
import { rolloutOf } from "../../workload/rollout.ts";
import { backupProgress, keptJobs } from "./backup.ts";
import { taskJob, type TaskSpec } from "./backup_job.ts";
import { commonReport } from "./decide.ts";
import { deployment } from "./desired.ts";
import type { Seen } from "./gather.ts";
import { graceSeconds } from "./pod.ts";
import type { TaskState } from "./tasks.ts";

/** True from when no endpoint of the application was left. */
const TRAFFIC_STOPPED = "TrafficStopped";
/** True from when all may go; its reason says whether it has been saved. */
const DELETION_ALLOWED = "DeletionAllowed";
/** So long may it take until every node and every ingress controller knows that an endpoint has gone. */
const PROPAGATION_MS = 5_000;
/** Beyond the grace period nothing but a node that is away keeps a Pod. */
const LATE_MS = 60_000;

/** @param now Milliseconds since the epoch. @returns Nothing when all may go. */
export function part(seen: Seen, now: number): Plan | undefined {
  const allowed = findingOf(seen, DELETION_ALLOWED);
  if (allowed) return releasing(seen, allowed);
  return stoppingTraffic(seen, now) ?? draining(seen, now) ?? saving(seen, now);
}

function stoppingTraffic(seen: Seen, now: number): Plan | undefined {
  const { frontage, endpointSlices } = seen;
  const left = [...frontage, ...endpointSlices];
  if (left.length === 0) return undefined;
  const report = leaving(seen, "StoppingTraffic", "The application is taken out of traffic");
  const plan = { desired: [], keep: allBut(seen, frontage) };
  const lateAt = leavingSince(left, now) + LATE_MS;
  if (now < lateAt) return { ...plan, report: { ...report, lookAgainAt: lateAt } };
  const names = left.map((object) => {
    const holders = holdersOf(object);
    return `${nameOf(object)}${holders && ` (${holders})`}`;
  });
  const message = `The application is not taken out of traffic: ${names.join(", ")} is still there`;
  return { ...plan, report: { ...report, state: "stalled", reason: "TrafficBlocked", message } };
}

function draining(seen: Seen, now: number): Plan | undefined {
  const { owner, deployment: observed, allPods } = seen;
  if (allPods.length === 0 && (!observed || isDown(observed))) return undefined;
  const grace = graceSeconds(owner);
  const message = `Pods finish their requests, for ${grace} s at most`;
  const report = leaving(seen, "Draining", message, [stopped()]);
  const stoppedAt = transitionTime(seen, TRAFFIC_STOPPED) ?? now;
  const drainAt = stoppedAt + Math.min(PROPAGATION_MS, grace * 1000);
  if (now < drainAt) return { desired: [], keep: allBut(seen, []), report: { ...report, lookAgainAt: drainAt } };
  const lateAt = drainAt + grace * 1000 + LATE_MS;
  const plan = observed
    ? { desired: [withoutPods(seen, observed)], keep: allBut(seen, [observed]) }
    : { desired: [], keep: allBut(seen, []) };
  if (now < lateAt) return { ...plan, report: { ...report, lookAgainAt: lateAt } };
  const names = allPods.map(({ metadata }) => `"${metadata.name}"`).join(", ");
  const late = `Pods do not end within their ${grace} s: ${names || "none, but the Deployment is not down"}`;
  return { ...plan, report: { ...report, state: "stalled", reason: "DrainBlocked", message: late } };
}

/** As it is: what the spec asks for by now may be refused, and starts nothing any more. */
function withoutPods({ owner, settings }: Seen, observed: KubeObject): KubeObject {
  const template: PodTemplate = observed.spec.template;
  return deployment(owner, settings, { scale: { replicas: 0, scaledBy: "spec" }, template });
}

/** Asked for, seen and done. */
function isDown(observed: KubeObject): boolean {
  return rolloutOf(observed).wanted === 0 && (observed.status?.replicas ?? 0) === 0 &&
    (observed.status?.observedGeneration ?? 0) >= (observed.metadata.generation ?? 0);
}

function saving(seen: Seen, now: number): Plan | undefined {
  const { owner: { spec, status }, deployment: observed, claim, otherClaims } = seen;
  // What never ran has nothing of its own to save, and what has no volume none.
  const hasRun = observed !== undefined || status?.image !== undefined ||
    findingOf(seen, TRAFFIC_STOPPED) !== undefined;
  if (!spec.backup || !hasRun || (spec.backup.tool === "volume" && !claim)) {
    return (claim ?? otherClaims[0]) && allowing(seen, now, { reason: "NotSaved", message: "No backup is asked for" });
  }
  const { task, state } = backupProgress(seen, spec.backup, now);
  if (state.is === "done") {
    const reason = spec.backup.tool === "volume" ? "VolumeSaved" : "Saved";
    return allowing(seen, now, { reason, message: "The backup has been read back" });
  }
  if (state.is === "failed") return unsaved(seen, now, state);
  if (state.is === "running") return underWay(seen, state);
  return seen.isNamespaceLeaving ? unsaved(seen, now, noJob(seen)) : starting(seen, task, state.attempt);
}

/** Nothing can be made in a namespace that is being deleted. */
function noJob({ owner: { metadata } }: Seen): { message: string } {
  const message = `Namespace "${metadata.namespace}" is being deleted, so no backup can be made: set ` +
    "spec.backup.onFailure to Continue, or save what is needed by hand and do so then";
  return { message };
}

function unsaved(seen: Seen, now: number, { message, retryAt }: { message: string; retryAt?: number }): Plan {
  if (seen.owner.spec.backup?.onFailure === "Continue") {
    return allowing(seen, now, { reason: "BackupFailed", message: `onFailure is Continue: ${message}` });
  }
  const said = `Nothing is deleted before a backup has succeeded: ${message}`;
  const report: Report = {
    ...leaving(seen, "BackupFailed", said, [stopped()]),
    state: "stalled",
    lookAgainAt: retryAt,
  };
  const outcome = { outcome: "BackupFailed", reason: "BackupFailed", message };
  return { desired: [], keep: allBut(seen, []), report: { ...report, outcome } };
}

function starting(seen: Seen, task: TaskSpec, attempt: number): Plan {
  const report = leaving(seen, "BackingUp", `Backup, attempt ${attempt}, is about to start`, [stopped()]);
  return { desired: [taskJob(seen.owner, task, attempt)], keep: allBut(seen, keptJobs(seen)), report };
}

function underWay(seen: Seen, { task, message, lookAgainAt }: Extract<TaskState, { is: "running" }>): Plan {
  const report = leaving(seen, "BackingUp", `Backup, attempt ${task.attempt}, is under way`, [stopped()]);
  const plan = { desired: [], keep: allBut(seen, []) };
  if (!message) return { ...plan, report: { ...report, lookAgainAt } };
  const said = `Nothing is deleted before a backup has succeeded: ${message}`;
  return { ...plan, report: { ...report, state: "stalled", reason: "BackupFailed", message: said } };
}

interface Allowance {
  /** Of what is to be deleted only `VolumeSaved` says that the volume may go, too. */
  reason: "Saved" | "VolumeSaved" | "NotSaved" | "BackupFailed";
  message: string;
}

/** The last word, and it is in the status before anything goes: afterwards there is nobody left to say it. */
function allowing(seen: Seen, now: number, { reason, message }: Allowance): Plan {
  const allowed: Finding = { type: DELETION_ALLOWED, status: "True", reason, message };
  const stay = staying(seen, reason).map(({ metadata }) =>
    `PersistentVolumeClaim "${metadata.name}" is kept: no backup holds what is in it`
  );
  const warnings = [...(reason === "BackupFailed" ? [message] : []), ...stay];
  const warning: Finding = {
    ...{ type: WARNINGS, status: "True", reason: reason === "BackupFailed" ? reason : "VolumeKept" },
    message: warnings.join("; "),
  };
  const findings = [stopped(), allowed, ...(warnings.length > 0 ? [warning] : [])];
  return {
    desired: [],
    keep: allBut(seen, []),
    report: { ...leaving(seen, reason, message, findings), lookAgainAt: now },
  };
}

/** The volume goes with its application when it has been saved: what was, not what the spec asks for by now. */
function staying({ claim, otherClaims }: Seen, reason: string): KubeObject[] {
  return [...otherClaims, ...(claim && reason !== "VolumeSaved" ? [claim] : [])];
}

function releasing(seen: Seen, { reason, message }: Finding): Plan | undefined {
  const release = staying(seen, reason).find(({ metadata }) => !metadata.deletionTimestamp);
  if (!release) return undefined;
  const said = [TRAFFIC_STOPPED, DELETION_ALLOWED, WARNINGS].map((type) => findingOf(seen, type));
  return {
    further: { release },
    report: leaving(seen, reason, message, said.filter((each) => each !== undefined)),
  };
}

function findingOf({ owner }: Seen, type: string): Finding | undefined {
  const found = owner.status?.conditions?.find((condition) => condition.type === type && condition.status === "True");
  return found && { type, status: "True", reason: found.reason, message: found.message };
}

function allBut(
  { deployment: observed, claim, otherClaims, frontage, tasks, others }: Seen,
  gone: readonly KubeObject[],
): KubeObject[] {
  const all = [observed, claim, ...otherClaims, ...frontage, ...others, ...tasks.map(({ job }) => job)];
  return all.filter((object) => object !== undefined && !gone.includes(object)) as KubeObject[];
}

function stopped(): Finding {
  const message = "No endpoint of the application is left";
  return { type: TRAFFIC_STOPPED, status: "True", reason: "EndpointsRemoved", message };
}

/** Milliseconds since the epoch. */
function transitionTime({ owner }: Seen, type: string): number | undefined {
  const found = owner.status?.conditions?.find((condition) => condition.type === type);
  return found?.status === "True" ? Date.parse(found.lastTransitionTime) : undefined;
}

function leaving(seen: Seen, reason: string, message: string, findings: readonly Finding[] = []): Report {
  const { fields, conditions = [] } = commonReport(seen);
  const types = new Set(findings.map(({ type }) => type));
  return {
    phase: "Terminating",
    state: "reconciling",
    reason,
    message,
    fields,
    conditions: [...conditions.filter(({ type }) => !types.has(type)), ...findings],
  };
}
