/**
 * Why a Pod does not run, in words a person can act on. Pure; shared by all kinds that have Pods.
 *
 * One failure gives one text, however often the kubelet changes between its faces: between two crashes a container
 * runs for a moment, and a pull is tried again and again. Only the number of restarts moves on.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";

/** What is wrong with one Pod. */
export interface PodFailure {
  pod: KubeObject;
  /** Name of the container, `""` where it is the Pod as a whole. */
  container: string;
  /** CamelCase: the container's waiting or terminated reason. */
  reason: string;
  message: string;
  /** Time alone may mend it (a node may come, another Pod is made): no verdict before the rollout's deadline. */
  mayPass: boolean;
  /** When it began, in milliseconds since the epoch, where that is known. */
  since?: number;
  /** Where the log that explains it is, `run` naming the run of the container; absent where nothing ever ran. */
  log?: { previous: boolean; run: string };
}

interface Ended {
  reason?: string;
  exitCode: number;
  message?: string;
  containerID?: string;
  finishedAt?: string;
}
interface ContainerState {
  waiting?: { reason?: string; message?: string };
  running?: unknown;
  terminated?: Ended;
}
interface ContainerStatus {
  name: string;
  ready?: boolean;
  restartCount?: number;
  state?: ContainerState;
  lastState?: ContainerState;
}

/** States that every container passes through on its way. */
const ON_ITS_WAY = new Set(["ContainerCreating", "PodInitializing", ""]);
/** Waiting for the next try after an end, which is what there is to tell. */
const RESTARTING = new Set(["CrashLoopBackOff", "RunContainerError"]);
/** The faces of one failure, between which the kubelet switches. */
const PULLS = new Set(["ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "SignatureValidationFailed"]);
/** Ends of containers that never ran: they have no log, the runtime's message tells why. */
const NEVER_RAN = new Set(["StartError", "ContainerCannotRun"]);
/** Most characters of a text of the kubelet or of a registry, which may send a whole HTML page. */
const DETAIL_LENGTH = 1000;

/** The first failure of the Pods that are not being deleted, in the order of their names; those that stay go first. */
export function firstFailure(pods: readonly KubeObject[]): PodFailure | undefined {
  const living = pods.filter((pod) => !pod.metadata.deletionTimestamp);
  living.sort((a, b) => a.metadata.name < b.metadata.name ? -1 : 1);
  const failures = living.map(failureOf).filter((failure) => failure !== undefined);
  return failures.find((failure) => !failure.mayPass) ?? failures[0];
}

/** Of Pods that are tried one after the other, the failure of the one that ended last, or else of any. */
export function lastFailure(pods: readonly KubeObject[]): PodFailure | undefined {
  const inOrder = [...pods].sort((a, b) => endedAt(a) < endedAt(b) ? -1 : 1);
  return inOrder.map(failureOf).findLast((failure) => failure !== undefined);
}

/** RFC 3339, as kubelets write it; `""` where nothing has ended. */
function endedAt({ status }: KubeObject): string {
  const statuses: ContainerStatus[] = [...status?.initContainerStatuses ?? [], ...status?.containerStatuses ?? []];
  return statuses.map(({ state }) => state?.terminated?.finishedAt ?? "").reduce((a, b) => a > b ? a : b, "");
}

/** @returns What keeps this Pod from running, if anything does. */
export function failureOf(pod: KubeObject): PodFailure | undefined {
  const failure = podEnd(pod) ?? containerFailure(pod) ?? unschedulable(pod);
  // A Pod that is over and would have been restarted for ever counts no more: another one is made.
  const isReplaced = pod.status?.phase === "Failed" && pod.spec?.restartPolicy === "Always";
  return failure && isReplaced ? { ...failure, mayPass: true } : failure;
}

/** The kubelet ended the Pod as a whole, or never took it: evicted, node shut down, deadline over. */
function podEnd(pod: KubeObject): PodFailure | undefined {
  const { phase, reason, message } = pod.status ?? {};
  if (phase !== "Failed" || !reason) return undefined;
  const text = `Pod "${pod.metadata.name}" was ended (${reason})${message ? `: ${brief(message)}` : ""}`;
  return { pod, container: "", reason: word(reason), message: text, mayPass: false };
}

function containerFailure(pod: KubeObject): PodFailure | undefined {
  const statuses: ContainerStatus[] = [
    ...(pod.status?.initContainerStatuses ?? []),
    ...(pod.status?.containerStatuses ?? []),
  ];
  for (const status of statuses) {
    const failure = waitingFailure(pod, status) ?? exitFailure(pod, status);
    if (failure) return failure;
  }
  return undefined;
}

function waitingFailure(pod: KubeObject, status: ContainerStatus): PodFailure | undefined {
  const { reason = "", message = "" } = status.state?.waiting ?? {};
  if (ON_ITS_WAY.has(reason) || (RESTARTING.has(reason) && status.lastState?.terminated)) return undefined;
  const about = { pod, container: status.name, mayPass: false };
  if (PULLS.has(reason)) {
    const image = imageOf(pod, status.name);
    const detail = pullDetail(message);
    const text = `${subject(pod, status)} cannot pull image "${image}"${detail ? `: ${detail}` : ""}`;
    return { ...about, reason: "ImagePullBackOff", message: text };
  }
  // Its message counts the seconds of the back-off.
  const detail = reason === "CrashLoopBackOff" ? "it ended again and again" : brief(message) || reason;
  return { ...about, reason: word(reason), message: `${subject(pod, status)} cannot start: ${detail}` };
}

/** What the registry said, without what the kubelet puts around it in one state and not in the other. */
function pullDetail(message: string): string {
  const backOff =
    /^Back-off pulling image "[^"]*"(: (ErrImagePull|RegistryUnavailable|SignatureValidationFailed))?(: )?/;
  const wrapping = /^(rpc error: code = \w+ desc = )?(failed to pull and unpack image "[^"]*": )?/;
  return brief(message.replace(backOff, "").replace(wrapping, ""));
}

function exitFailure(pod: KubeObject, status: ContainerStatus): PodFailure | undefined {
  if (status.ready) return undefined;
  const restarts = status.restartCount ?? 0;
  const isRestarting = RESTARTING.has(status.state?.waiting?.reason ?? "");
  const now = status.state?.terminated;
  const end = now ?? (restarts > 0 || isRestarting ? status.lastState?.terminated : undefined);
  if (!end || (now && now.exitCode === 0 && pod.spec?.restartPolicy !== "Always")) return undefined;
  const { reason = "Error" } = end;
  // What is always restarted is named so from its first end on: one failure, one name.
  const isAlwaysRestarted = pod.spec?.restartPolicy === "Always" && pod.status?.phase !== "Failed";
  const isLoop = restarts > 0 || isRestarting || isAlwaysRestarted;
  return {
    pod,
    container: status.name,
    reason: isLoop && reason !== "OOMKilled" ? "CrashLoopBackOff" : word(reason),
    message: `${subject(pod, status)} ${endText(end, restarts)}`,
    mayPass: false,
    ...(NEVER_RAN.has(reason) ? {} : { log: { previous: !now, run: runOf(end, restarts) } }),
  };
}

function endText({ exitCode, reason, message }: Ended, restarts: number): string {
  const why = reason ? ` (${reason})` : "";
  const times = restarts > 0 ? `, restarted ${restarts === 1 ? "once" : `${restarts} times`}` : "";
  return `exited with code ${exitCode}${why}${times}${message ? `: ${brief(message)}` : ""}`;
}

/** The restart count cannot tell: it is one more as soon as the next run begins. */
function runOf({ containerID, finishedAt }: Ended, restarts: number): string {
  return containerID || finishedAt || String(restarts);
}

function unschedulable(pod: KubeObject): PodFailure | undefined {
  const conditions: { type: string; status: string; reason?: string; message?: string; lastTransitionTime?: string }[] =
    pod.status?.conditions ?? [];
  const scheduled = conditions.find((condition) => condition.type === "PodScheduled");
  if (scheduled?.status !== "False" || scheduled.reason !== "Unschedulable") return undefined;
  const message = `Pod "${pod.metadata.name}" cannot be scheduled: ${brief(scheduled.message ?? "")}`;
  const since = Date.parse(scheduled.lastTransitionTime ?? "") || 0;
  return { pod, container: "", reason: "Unschedulable", message, mayPass: true, since };
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

/** Reasons are free text (`OutOfnvidia.com/gpu`), those of a condition are one word. */
function word(reason: string): string {
  return reason.replace(/^[^A-Za-z]+|[^A-Za-z0-9]+/g, "") || "Failed";
}

function brief(text: string): string {
  const characters = [...text.trim()];
  return characters.length > DETAIL_LENGTH ? `${characters.slice(0, DETAIL_LENGTH).join("")}…` : characters.join("");
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
