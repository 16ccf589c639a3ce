/**
 * How a Job ended. Pure; shared by all kinds that have Jobs.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";

/** The end of a Job. */
export interface JobEnd {
  succeeded: boolean;
  /** RFC 3339. */
  at: string;
  /** The Job controller's words for a failure: `BackoffLimitExceeded`, `DeadlineExceeded` …; `""` after a success. */
  reason: string;
  message: string;
}

interface JobCondition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime: string;
}

/** @returns Nothing while Pods of the Job may still run: `FailureTarget` and `SuccessCriteriaMet` are no end yet. */
export function jobEnd(job: KubeObject): JobEnd | undefined {
  const conditions: JobCondition[] = job.status?.conditions ?? [];
  const end = conditions.find(({ type, status }) => status === "True" && (type === "Complete" || type === "Failed"));
  if (!end) return undefined;
  const { reason = "", message = "", lastTransitionTime } = end;
  if (end.type === "Failed") return { succeeded: false, at: lastTransitionTime, reason, message };
  return { succeeded: true, at: job.status!.completionTime ?? lastTransitionTime, reason: "", message: "" };
}
