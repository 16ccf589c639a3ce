/**
 * How a build is doing, by its Job and Pods. Pure.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";
import { jobEnd } from "../workload/job.ts";
import { firstFailure, type PodFailure } from "../workload/pod_failure.ts";
import { BUILDER } from "./containers.ts";
import { BUILD_LABEL } from "./names.ts";

/**
 * - `none`: there is no Job
 * - `running`: it is under way; `failure` is what keeps its Pod from it at the moment, if anything does
 * - `succeeded`: the image is pushed; the digest is missing where its Pod is gone
 * - `failed`: it is over; `failure` says where its log is
 */
export type BuildState =
  | { phase: "none" }
  | { phase: "running"; failure?: PodFailure }
  | { phase: "succeeded"; digest?: string }
  | { phase: "failed"; reason: BuildFailure; message: string; failure?: PodFailure };

/** Why a build failed: it said so, or its time was over. */
export type BuildFailure = "BuildFailed" | "BuildTimedOut";

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** @param pods any Pods; those of the Job are found among them */
export function buildState(job: KubeObject | undefined, pods: readonly KubeObject[]): BuildState {
  if (!job) return { phase: "none" };
  const own = pods.filter((pod) => isPodOf(pod, job));
  const end = jobEnd(job);
  const failure = firstFailure(own.map(withoutDigest));
  if (!end) return { phase: "running", ...(failure ? { failure } : {}) };
  if (end.succeeded) return { phase: "succeeded", digest: digestOf(own) };
  if (end.reason === "DeadlineExceeded") {
    const message = `Build did not end within ${job.spec?.activeDeadlineSeconds} s`;
    return { phase: "failed", reason: "BuildTimedOut", message };
  }
  const message = failure?.message ?? `Build failed (${end.reason})${end.message ? `: ${end.message}` : ""}`;
  return { phase: "failed", reason: "BuildFailed", message, ...(failure ? { failure } : {}) };
}

/** Job names come again, uids do not: a Pod of an earlier Job of this name says nothing of this one. */
function isPodOf(pod: KubeObject, job: KubeObject): boolean {
  if (pod.metadata.labels?.[BUILD_LABEL] !== job.metadata.name) return false;
  return pod.metadata.namespace === job.metadata.namespace &&
    (pod.metadata.ownerReferences ?? []).some(({ uid }) => uid === job.metadata.uid);
}

interface Status {
  name: string;
  state?: { terminated?: { exitCode: number; message?: string } };
}

/** Kaniko leaves the digest before it pushes: where that fails, the digest is no reason, and the log has one. */
function withoutDigest(pod: KubeObject): KubeObject {
  const statuses: Status[] = pod.status?.containerStatuses ?? [];
  const containerStatuses = statuses.map((status): Status => {
    const end = status.state?.terminated;
    if (!end || end.exitCode === 0 || !DIGEST.test(end.message?.trim() ?? "")) return status;
    return { ...status, state: { terminated: { ...end, message: undefined } } };
  });
  return { ...pod, status: { ...pod.status, containerStatuses } };
}

/** The termination message of the container that built. */
function digestOf(pods: readonly KubeObject[]): string | undefined {
  const statuses = pods.flatMap((pod): Status[] => pod.status?.containerStatuses ?? []);
  const ended = statuses.filter(({ name }) => name === BUILDER).map(({ state }) => state?.terminated);
  const message = ended.find((end) => end?.exitCode === 0)?.message?.trim();
  return message && DIGEST.test(message) ? message : undefined;
}
