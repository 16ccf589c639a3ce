/**
 * Backups and restores that are under way or over: Jobs, told apart by what they are for and by their attempt. Pure, but
 * for reading the log of one that failed.
 *
 * A Job is made once for what it is to do (its digest) and for each attempt. What it came to is read from the Job and
 * its Pod and remembered nowhere else, so a restart of the operator forgets nothing.
 *
 * @module
 */
import type { KubeObject } from "../../api/object.ts";
import type { KubeClient } from "../../kube/client.ts";
import { type LogReader, withLog } from "../../workload/logs.ts";
import { type JobEnd, jobEnd } from "../../workload/job.ts";
import { failureOf, type PodFailure } from "../../workload/pod_failure.ts";

/** What a Job is for. */
export const TASK_LABEL = "maquette.dev/task";
/** Digest of everything that could make it come out otherwise. */
export const TASK_DIGEST_LABEL = "maquette.dev/task-digest";
/** Digest of what is saved, and where to: a success at something else is none. */
export const TASK_SUBJECT_LABEL = "maquette.dev/task-subject";
/** 1 for the first. */
export const ATTEMPT_LABEL = "maquette.dev/attempt";

/** What Jobs are for; a `scheduled` one is made by a CronJob. */
export type TaskKind = "backup" | "restore" | "scheduled";

/** What a Job's Pod says when it has succeeded. */
export interface TaskResult {
  archive: string;
  sha256?: string;
  bytes?: number;
  entries?: number;
}

/** One Job. */
export interface SeenTask {
  job: KubeObject;
  kind: TaskKind;
  digest: string;
  subject: string;
  attempt: number;
  end?: JobEnd;
  /** Without a second try (`backoffLimit` 0), a Job makes one. */
  pod?: KubeObject;
  result?: TaskResult;
  failure?: PodFailure;
  /** The end of its log, when it failed. */
  log: string;
}

/** What decisions about backups rest on. */
export interface SeenTasks {
  /** The latest of each kind last. */
  tasks: SeenTask[];
  /** Metadata of the Secrets that they log in with. */
  secrets: KubeObject[];
}

/** What may pass by itself is not spoken of before. */
const PATIENCE_MS = 30_000;
const FIRST_WAIT_MS = 30_000;
const LONGEST_WAIT_MS = 10 * 60_000;

/** Reads what Jobs and their Pods tell. */
export async function seenTasks(
  seen: { jobs: KubeObject[]; pods: KubeObject[]; secrets: KubeObject[] },
  { logs, kube }: { logs: LogReader; kube: Pick<KubeClient, "logs"> },
): Promise<SeenTasks> {
  const tasks: SeenTask[] = [];
  for (const job of seen.jobs.filter(({ metadata }) => metadata.labels?.[TASK_LABEL] && !metadata.deletionTimestamp)) {
    const pod = seen.pods.find(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === job.metadata.uid));
    const failure = pod && failureOf(pod);
    const { [TASK_LABEL]: kind, [ATTEMPT_LABEL]: attempt, ...labels } = job.metadata.labels!;
    tasks.push({
      job,
      kind: kind as TaskKind,
      digest: labels[TASK_DIGEST_LABEL] ?? "",
      subject: labels[TASK_SUBJECT_LABEL] ?? "",
      attempt: Number(attempt ?? 1),
      end: jobEnd(job),
      pod,
      result: pod && resultOf(pod),
      failure,
      log: failure ? await logs.tail(failure, kube) : "",
    });
  }
  tasks.sort((a, b) => byAge(a.job, b.job) || a.attempt - b.attempt);
  return { tasks, secrets: seen.secrets };
}

function byAge(a: KubeObject, b: KubeObject): number {
  const [first = "", second = ""] = [a, b].map(({ metadata }) => metadata.creationTimestamp ?? "");
  return first < second ? -1 : first > second ? 1 : 0;
}

/** The message that the last container left. */
function resultOf(pod: KubeObject): TaskResult | undefined {
  const statuses: { state?: { terminated?: { exitCode: number; message?: string } } }[] =
    pod.status?.containerStatuses ?? [];
  const { exitCode, message = "" } = statuses[0]?.state?.terminated ?? {};
  if (exitCode !== 0) return undefined;
  try {
    const result = JSON.parse(message);
    return typeof result?.archive === "string" ? result : undefined;
  } catch {
    // Not ours: an image that says something else. The Job's success counts nevertheless.
    return undefined;
  }
}

/** How far a task is. */
export type TaskState =
  | { is: "due"; attempt: number }
  /** `message` tells what keeps it; `lookAgainAt` is when it would. */
  | { is: "running"; task: SeenTask; message?: string; lookAgainAt?: number }
  | { is: "done" }
  | { is: "failed"; message: string; retryAt: number };

/**
 * @param task What is to be done now: a Job that failed at something else, or waits for it, is no reason to wait, and one
 * that saved something else has not saved this.
 * @param now Milliseconds since the epoch.
 */
export function taskState(
  tasks: readonly SeenTask[],
  task: { kind: TaskKind; digest: string; subject: string },
  now: number,
): TaskState {
  const latest = tasks.filter(({ kind }) => kind === task.kind).at(-1);
  if (!latest) return { is: "due", attempt: 1 };
  const { end, attempt } = latest;
  const again: TaskState = { is: "due", attempt: attempt + 1 };
  const isSame = latest.digest === task.digest;
  if (!end) return isSame || isAtWork(latest) ? { is: "running", task: latest, ...hindrance(latest, now) } : again;
  if (end.succeeded) return latest.subject === task.subject ? { is: "done" } : again;
  if (!isSame) return again;
  const retryAt = Date.parse(end.at) + Math.min(FIRST_WAIT_MS * 2 ** (attempt - 1), LONGEST_WAIT_MS);
  return now >= retryAt ? again : { is: "failed", message: explained(latest), retryAt };
}

/** A container of it runs, or has run, and nothing keeps the others. */
function isAtWork({ pod, failure }: SeenTask): boolean {
  const { initContainerStatuses = [], containerStatuses = [] } = pod?.status ?? {};
  const statuses: { state?: { running?: unknown; terminated?: unknown } }[] = [
    ...initContainerStatuses,
    ...containerStatuses,
  ];
  return !failure && statuses.some(({ state }) => state?.running || state?.terminated);
}

/** What keeps a Job that has not ended: a login or a volume that is not there, a quota. */
function hindrance(task: SeenTask, now: number): { message?: string; lookAgainAt?: number } {
  const { job, pod, failure } = task;
  if (pod && !failure) return {};
  if (failure && !failure.mayPass) return { message: explained(task) };
  const since = failure ? failure.since ?? 0 : Date.parse(job.metadata.creationTimestamp ?? "") || 0;
  const lookAgainAt = since + PATIENCE_MS;
  if (now < lookAgainAt) return { lookAgainAt };
  if (failure) return { message: explained(task) };
  return { message: `Job "${job.metadata.name}" has no Pod yet: its Events say what refuses one` };
}

/** Why a Job has failed, in the words of its container where it has said any. */
export function explained({ end, failure, log, job }: SeenTask): string {
  if (failure && end?.reason !== "DeadlineExceeded") return withLog(failure.message, log);
  const why = end?.reason === "DeadlineExceeded" ? "it took longer than timeoutSeconds" : end?.message || end?.reason;
  return withLog(`Job "${job.metadata.name}" failed: ${why}`, log);
}
