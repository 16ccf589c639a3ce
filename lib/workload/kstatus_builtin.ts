/**
 * The rules of kstatus for the built-in kinds that need rules of their own. Pure.
 *
 * @see https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/status/core.go
 * @module
 */
import type { KubeObject } from "../api/object.ts";
import { jobEnd } from "./job.ts";
import { conditionsOf, count, current, failed, inProgress, type KStatus, shortOf } from "./kstatus_result.ts";
import { rolloutOf } from "./rollout.ts";

/** A Pod may be without a node for so long before that counts as a failure. */
const SCHEDULE_WINDOW_MS = 15_000;

/** Rolled out: all Pods new and available, none of older templates left. Failed past its own deadline. */
export function deploymentStatus(deployment: KubeObject): KStatus {
  const rollout = rolloutOf(deployment);
  if (rollout.isOverdue) return failed("The rollout has made no progress within its deadline");
  if (rollout.refusal) return inProgress(`Pods cannot be made: ${rollout.refusal.message}`);
  const { updatedReplicas, readyReplicas, replicas } = deployment.status ?? {};
  const { wanted, available, older } = rollout;
  if (deployment.status?.observedGeneration === undefined) return inProgress("Not looked at yet");
  const short = shortOf([
    ["Pods of the new version", count(updatedReplicas), wanted],
    ["Pods that are available", available, wanted],
    ["Pods that are ready", count(readyReplicas), wanted],
  ]);
  if (short) return short;
  if (older > 0) return inProgress(`Pods of older versions that are left: ${older}`);
  if (count(replicas) > wanted) return inProgress(`Pods that are too many: ${count(replicas) - wanted}`);
  const isAvailable = conditionsOf(deployment).some((each) => each.type === "Available" && each.status === "True");
  return isAvailable ? current() : inProgress("Not available yet");
}

/** All Pods ready and of the revision that is wanted, as far as the partition asks for it. */
export function statefulSetStatus({ spec, status = {} }: KubeObject): KStatus {
  // Whoever chooses OnDelete rolls by hand.
  if (spec?.updateStrategy?.type === "OnDelete") return current();
  if (status.observedGeneration === undefined) return inProgress("Not looked at yet");
  const wanted = count(spec?.replicas, 1);
  const replicas = count(status.replicas);
  const short = shortOf([["Pods", replicas, wanted], ["Pods that are ready", count(status.readyReplicas), wanted]]);
  if (short) return short;
  if (replicas > wanted) return inProgress(`Pods that are too many: ${replicas - wanted}`);
  const partition = count(spec?.updateStrategy?.rollingUpdate?.partition);
  if (partition > 0) {
    return shortOf([["Pods of the new version", count(status.updatedReplicas), wanted - partition]]) ?? current();
  }
  if (status.updateRevision && status.currentRevision !== status.updateRevision) {
    return inProgress(`Pods of the new version: ${count(status.updatedReplicas)} of ${wanted}`);
  }
  return current();
}

/** A Pod of the new version available on every node that it is for. */
export function daemonSetStatus({ status = {} }: KubeObject): KStatus {
  if (status.observedGeneration === undefined) return inProgress("Not looked at yet");
  const wanted = count(status.desiredNumberScheduled);
  return shortOf([
    ["Pods", count(status.currentNumberScheduled), wanted],
    ["Pods of the new version", count(status.updatedNumberScheduled), wanted],
    ["Pods that are available", count(status.numberAvailable), wanted],
    ["Pods that are ready", count(status.numberReady), wanted],
  ]) ?? current();
}

/** All Pods available. */
export function replicaSetStatus(replicaSet: KubeObject): KStatus {
  const { spec, status = {} } = replicaSet;
  const failure = conditionsOf(replicaSet).find((each) => each.type === "ReplicaFailure" && each.status === "True");
  if (failure) return inProgress(`Pods cannot be made: ${failure.message ?? failure.reason ?? ""}`);
  if (status.observedGeneration === undefined) return inProgress("Not looked at yet");
  const wanted = count(spec?.replicas, 1);
  const short = shortOf([
    ["Pods that are labelled", count(status.fullyLabeledReplicas), wanted],
    ["Pods that are available", count(status.availableReplicas), wanted],
    ["Pods that are ready", count(status.readyReplicas), wanted],
  ]);
  if (short) return short;
  const surplus = count(status.replicas) - wanted;
  return surplus > 0 ? inProgress(`Pods that are too many: ${surplus}`) : current();
}

/** Complete, or suspended by its author. */
export function jobStatus(job: KubeObject): KStatus {
  const end = jobEnd(job);
  if (end) return end.succeeded ? current() : failed(`Failed (${end.reason}): ${end.message}`);
  const isSuspended = conditionsOf(job).some((each) => each.type === "Suspended" && each.status === "True");
  if (job.spec?.suspend && isSuspended) return current();
  const { startTime, active, succeeded, failed: failures } = job.status ?? {};
  if (!startTime) return inProgress("Not started yet");
  return inProgress(`Runs: ${count(active)} active, ${count(succeeded)} succeeded, ${count(failures)} failed`);
}

/** Ready, or over. How it ended is told by the Pod's own failure (lib/workload/pod_failure.ts). */
export function podStatus(pod: KubeObject, now: number): KStatus {
  const { phase } = pod.status ?? {};
  if (phase === "Succeeded") return current();
  if (phase === "Failed") return failed(`Ended with a failure${pod.status?.reason ? ` (${pod.status.reason})` : ""}`);
  const conditions = conditionsOf(pod);
  if (phase === "Running") {
    if (conditions.some(({ type, status }) => type === "Ready" && status === "True")) return current();
    const looping = loopingContainers(pod);
    return looping.length > 0
      ? failed(`Containers end again and again: ${looping.join(", ")}`)
      : inProgress("Runs, but is not ready");
  }
  const unscheduled = conditions.find(({ type, status, reason }) =>
    type === "PodScheduled" && status === "False" && reason === "Unschedulable"
  );
  const isLate = now - (Date.parse(pod.metadata.creationTimestamp ?? "") || now) >= SCHEDULE_WINDOW_MS;
  if (unscheduled && isLate) return failed(`Cannot be scheduled: ${unscheduled.message ?? ""}`);
  return inProgress(phase === "Pending" ? "Is being started" : "Not looked at yet");
}

function loopingContainers(pod: KubeObject): string[] {
  const statuses: { name: string; state?: { waiting?: { reason?: string } } }[] = pod.status?.containerStatuses ?? [];
  return statuses.filter(({ state }) => state?.waiting?.reason === "CrashLoopBackOff").map(({ name }) => name);
}

/** Bound, or lost with its volume. */
export function claimStatus({ status = {} }: KubeObject): KStatus {
  if (status.phase === "Bound") return current();
  return status.phase === "Lost" ? failed("The volume that it was bound to is gone") : inProgress("Is not bound yet");
}

/** Everything but a load balancer is there at once. */
export function serviceStatus({ spec, status }: KubeObject): KStatus {
  if (spec?.type !== "LoadBalancer") return current();
  return status?.loadBalancer?.ingress?.length > 0 ? current() : inProgress("The load balancer has no address yet");
}
