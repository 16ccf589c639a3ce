/**
 * Whether an object of any kind has become what was asked for, from what it says itself: the rules of kstatus. Pure.
 *
 * Told in other words or otherwise than there: a Job is current when it is complete (not when it has started), as Flux
 * and Helm's `--wait-for-jobs` have it; a Service of type LoadBalancer when it has an address; a Deployment is not
 * current before its controller has seen it at all; `Available=False` counts for kinds that know no `Ready`.
 *
 * @see https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md
 * @module
 */
import type { KubeObject } from "../api/object.ts";
import {
  claimStatus,
  daemonSetStatus,
  deploymentStatus,
  jobStatus,
  podStatus,
  replicaSetStatus,
  serviceStatus,
  statefulSetStatus,
} from "./kstatus_builtin.ts";
import {
  type AnyCondition,
  conditionsOf,
  current,
  failed,
  inProgress,
  type KStatus,
  sentence,
} from "./kstatus_result.ts";

export type { KStatus } from "./kstatus_result.ts";

/** Rules of built-in kinds by `<Kind>.<group>`. */
const BUILTIN: Readonly<Record<string, (object: KubeObject, now: number) => KStatus>> = {
  "Deployment.apps": deploymentStatus,
  "StatefulSet.apps": statefulSetStatus,
  "DaemonSet.apps": daemonSetStatus,
  "ReplicaSet.apps": replicaSetStatus,
  "Job.batch": jobStatus,
  "Pod.": podStatus,
  "PersistentVolumeClaim.": claimStatus,
  "Service.": serviceStatus,
};

const UNSEEN = "The last change is not looked at yet";

/**
 * @param object As observed, with its status.
 * @param now Milliseconds since the epoch: a Pod may be without a node for a while.
 */
export function kstatusOf(object: KubeObject, now: number): KStatus {
  const { metadata, status } = object;
  if (metadata.deletionTimestamp) return { state: "terminating", message: "Is being deleted" };
  const name = `${object.kind}.${groupOf(object)}`;
  const observed: unknown = status?.observedGeneration;
  if (metadata.generation !== undefined && observed !== undefined && observed !== metadata.generation) {
    return inProgress(UNSEEN);
  }
  return standardStatus(object) ?? BUILTIN[name]?.(object, now) ?? readyStatus(object);
}

function groupOf({ apiVersion }: KubeObject): string {
  return apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
}

/** Conditions that kstatus defines: who uses them means them. */
function standardStatus(object: KubeObject): KStatus | undefined {
  const isTrue = (type: string): AnyCondition | undefined =>
    conditionsOf(object).find((each) => each.type === type && each.status === "True");
  const [reconciling, stalled] = [isTrue("Reconciling"), isTrue("Stalled")];
  if (reconciling) return inProgress(sentence(reconciling));
  return stalled && failed(sentence(stalled));
}

/** Kinds that nobody here knows: what has no such condition is taken for current. */
function readyStatus(object: KubeObject): KStatus {
  const conditions = conditionsOf(object);
  const judged = conditions.find(({ type }) => type === "Ready") ?? conditions.find(({ type }) => type === "Available");
  const { generation = 0 } = object.metadata;
  if (judged && (judged.observedGeneration ?? generation) < generation) return inProgress(UNSEEN);
  return !judged || judged.status === "True" ? current() : inProgress(sentence(judged));
}
