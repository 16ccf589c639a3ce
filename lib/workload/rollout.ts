/**
 * Whether a Deployment is what it was asked to be: the rules of `kubectl rollout status` and kstatus. Pure.
 *
 * @see https://github.com/kubernetes/kubectl/blob/master/pkg/polymorphichelpers/rollout_status.go
 * @module
 */
import type { KubeObject } from "../api/object.ts";

/** How far a Deployment is. */
export interface Rollout {
  /** `updating`: not looked at yet, or Pods of older templates are left. `short`: Pods are missing or not available. */
  state: "updating" | "short" | "complete";
  /** The Deployment's own deadline has passed without progress. */
  isOverdue: boolean;
  /** Pods that are asked for. */
  wanted: number;
  /** Pods that serve, of whatever template. */
  available: number;
  /** Pods of older templates that are left. */
  older: number;
  /** Why Pods cannot even be made (a quota, an admission webhook), and since when in milliseconds since the epoch. */
  refusal?: { message: string; since: number };
}

const OVERDUE = "ProgressDeadlineExceeded";

interface Endpoint {
  conditions?: { ready?: boolean };
  targetRef?: { uid?: string };
}

interface DeploymentCondition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

/** A Deployment without the parts of its status that {@link rolloutOf} does not read. */
export function rolloutShape(deployment: KubeObject): KubeObject {
  const { observedGeneration, replicas, updatedReplicas, availableReplicas, conditions } = deployment.status ?? {};
  const telling = (conditions as DeploymentCondition[] | undefined)?.filter((condition) =>
    condition.type === "ReplicaFailure" || condition.reason === OVERDUE
  ).map(({ type, status, reason, message, lastTransitionTime }) => ({
    ...{ type, status, reason, message, lastTransitionTime },
  }));
  const status = { observedGeneration, replicas, updatedReplicas, availableReplicas, conditions: telling };
  return { ...deployment, status };
}

/** What a cache keeps of an EndpointSlice: whose it is, and what {@link servingPods} reads. */
export function endpointsShape({ apiVersion, kind, metadata, endpoints }: KubeObject): KubeObject {
  const { name, namespace, uid, resourceVersion, labels } = metadata;
  return {
    ...{ apiVersion, kind, metadata: { name, namespace, uid, resourceVersion, labels } },
    endpoints: (endpoints as Endpoint[] | undefined)?.map(({ conditions, targetRef }) => ({
      conditions: { ready: conditions?.ready },
      targetRef: { uid: targetRef?.uid },
    })),
  };
}

/** How far a rollout is. @param deployment As observed; absent when it does not exist yet. */
export function rolloutOf(deployment: KubeObject | undefined): Rollout {
  if (!deployment) return { state: "updating", isOverdue: false, wanted: 1, available: 0, older: 0 };
  const { metadata, spec, status = {} } = deployment;
  const wanted: number = spec?.replicas ?? 1;
  const { replicas = 0, updatedReplicas = 0, availableReplicas: available = 0 } = status;
  const isCurrent = (status.observedGeneration ?? 0) >= (metadata.generation ?? 0);
  const conditions: DeploymentCondition[] = status.conditions ?? [];
  const older = Math.max(0, replicas - updatedReplicas);
  const isShort = Math.min(updatedReplicas, available) < wanted;
  return {
    state: !isCurrent || older > 0 ? "updating" : isShort ? "short" : "complete",
    isOverdue: isCurrent && conditions.some((condition) => condition.reason === OVERDUE),
    wanted,
    available,
    older,
    refusal: isCurrent ? refusalOf(conditions) : undefined,
  };
}

function refusalOf(conditions: readonly DeploymentCondition[]): Rollout["refusal"] {
  const failure = conditions.find(({ type, status }) => type === "ReplicaFailure" && status === "True");
  if (failure?.reason !== "FailedCreate") return undefined;
  // The name is another one at every try, and no such Pod exists.
  const message = (failure.message ?? "").replace(/^pods "[^"]*" (is )?/, "");
  return { message, since: Date.parse(failure.lastTransitionTime ?? "") || 0 };
}

/**
 * Those of the Pods that a Service sends traffic to. A slice may still list Pods that are gone, or not yet list new
 * ones: endpoints count only for the Pods that are given.
 *
 * @param slices EndpointSlices of the Service.
 */
export function servingPods(slices: readonly KubeObject[], pods: readonly KubeObject[]): KubeObject[] {
  const endpoints: Endpoint[] = slices.flatMap((slice) => slice.endpoints ?? []);
  // No condition means ready (discovery.k8s.io/v1).
  const ready = new Set(endpoints.filter(({ conditions }) => conditions?.ready ?? true).map((e) => e.targetRef?.uid));
  return pods.filter(({ metadata }) => metadata.uid !== undefined && ready.has(metadata.uid));
}
