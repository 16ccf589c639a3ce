/**
 * Why a Pod does not run, in words a person can act on. Pure; shared by all kinds that have Pods.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";

/** What is wrong with one container. */
export interface PodFailure {
  pod: KubeObject;
  container: string;
  /** CamelCase: the container's waiting or terminated reason. */
  reason: string;
  message: string;
  /** Time alone may mend it (a node may come): no verdict before the rollout's deadline. */
  mayPass: boolean;
  /** Where the log that explains it is; absent where nothing ever ran. */
  log?: { previous: boolean; restarts: number };
}

interface ContainerState {
  waiting?: { reason?: string; message?: string };
  running?: unknown;
  terminated?: { reason?: string; exitCode: number; message?: string };
}
interface ContainerStatus {
  name: string;
  image?: string;
  ready?: boolean;
  restartCount?: number;
  state?: ContainerState;
  lastState?: ContainerState;
}

/** States that every container passes through on its way. */
const ON_ITS_WAY = new Set(["ContainerCreating", "PodInitializing", ""]);
/** The two faces of one failure, between which the kubelet switches. */
const PULLS = new Set(["ErrImagePull", "ImagePullBackOff"]);

/** The first failure of the Pods that are not being deleted, in the order of their names. */
export function firstFailure(pods: readonly KubeObject[]): PodFailure | undefined {
  const living = pods.filter((pod) => !pod.metadata.deletionTimestamp);
  living.sort((a, b) => a.metadata.name < b.metadata.name ? -1 : 1);
  for (const pod of living) {
    const failure = failureOf(pod);
    if (failure) return failure;
  }
  return undefined;
}

/** @returns What keeps this Pod from running, if anything does. */
export function failureOf(pod: KubeObject): PodFailure | undefined {
  const statuses: ContainerStatus[] = [
    ...(pod.status?.initContainerStatuses ?? []),
    ...(pod.status?.containerStatuses ?? []),
  ];
  for (const status of statuses) {
    const failure = waitingFailure(pod, status) ?? exitFailure(pod, status);
    if (failure) return failure;
  }
  return unschedulable(pod);
}

function waitingFailure(pod: KubeObject, status: ContainerStatus): PodFailure | undefined {
  const { reason = "", message = "" } = status.state?.waiting ?? {};
  if (ON_ITS_WAY.has(reason) || reason === "CrashLoopBackOff") return undefined;
  const about = { pod, container: status.name, mayPass: false };
  if (PULLS.has(reason)) {
    const image = imageOf(pod, status.name);
    const detail = message.replace(/^Back-off pulling image "[^"]*"(: ErrImagePull: )?/, "");
    const text = `${subject(pod, status)} cannot pull image "${image}"${detail ? `: ${detail}` : ""}`;
    return { ...about, reason: "ImagePullBackOff", message: text };
  }
  return { ...about, reason, message: `${subject(pod, status)} cannot start: ${message || reason}` };
}

/** Between two crashes a container runs for a moment: it still is the one that crashed. */
function exitFailure(pod: KubeObject, status: ContainerStatus): PodFailure | undefined {
  if (status.ready) return undefined;
  const restarts = status.restartCount ?? 0;
  const now = status.state?.terminated;
  const end = now ?? (restarts > 0 ? status.lastState?.terminated : undefined);
  if (!end || (now && now.exitCode === 0 && pod.spec?.restartPolicy !== "Always")) return undefined;
  const times = restarts > 0 ? `, restarted ${restarts === 1 ? "once" : `${restarts} times`}` : "";
  const why = end.reason ? ` (${end.reason})` : "";
  return {
    pod,
    container: status.name,
    reason: end.reason === "OOMKilled" ? end.reason : restarts > 0 ? "CrashLoopBackOff" : end.reason ?? "Error",
    message: `${subject(pod, status)} exited with code ${end.exitCode}${why}${times}`,
    mayPass: false,
    log: { previous: !now, restarts },
  };
}

function unschedulable(pod: KubeObject): PodFailure | undefined {
  const conditions: { type: string; status: string; reason?: string; message?: string }[] = pod.status?.conditions ??
    [];
  const scheduled = conditions.find((condition) => condition.type === "PodScheduled");
  if (scheduled?.status !== "False" || scheduled.reason !== "Unschedulable") return undefined;
  const message = `Pod "${pod.metadata.name}" cannot be scheduled: ${scheduled.message ?? ""}`;
  return { pod, container: "", reason: "Unschedulable", message, mayPass: true };
}

function subject(pod: KubeObject, status: ContainerStatus): string {
  return `Container "${status.name}" of Pod "${pod.metadata.name}"`;
}

function imageOf(pod: KubeObject, container: string): string {
  const specs: { name: string; image: string }[] = [
    ...(pod.spec?.initContainers ?? []),
    ...(pod.spec?.containers ?? []),
  ];
  return specs.find((spec) => spec.name === container)?.image ?? "";
}

/** What a cache keeps of a Pod: who it is and how it is. */
export function podShape(pod: KubeObject): KubeObject {
  const { name, namespace, uid, resourceVersion, labels, annotations, deletionTimestamp } = pod.metadata;
  return {
    apiVersion: pod.apiVersion,
    kind: pod.kind,
    metadata: {
      ...{ name, namespace, uid, resourceVersion, labels, annotations, deletionTimestamp },
      ownerReferences: pod.metadata.ownerReferences,
      finalizers: pod.metadata.finalizers,
    },
    spec: {
      restartPolicy: pod.spec?.restartPolicy,
      containers: pod.spec?.containers?.map(namedImage),
      initContainers: pod.spec?.initContainers?.map(namedImage),
    },
    status: {
      phase: pod.status?.phase,
      reason: pod.status?.reason,
      message: pod.status?.message,
      conditions: pod.status?.conditions?.filter((condition: { type: string }) => condition.type === "PodScheduled"),
      containerStatuses: pod.status?.containerStatuses,
      initContainerStatuses: pod.status?.initContainerStatuses,
    },
  };
}

function namedImage({ name, image }: { name: string; image: string }): { name: string; image: string } {
  return { name, image };
}
