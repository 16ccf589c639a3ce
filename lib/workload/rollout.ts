/**
 * Whether a Deployment is what it was asked to be: the rules of `kubectl rollout status` and kstatus. Pure.
 *
 * @see https://github.com/kubernetes/kubectl/blob/master/pkg/polymorphichelpers/rollout_status.go
 * @module
 */
import type { KubeObject } from "../api/object.ts";

/** `updating`: Pods of an older template are still there or new ones are missing. `short`: all new, some not available. */
export interface Rollout {
  state: "updating" | "short" | "complete";
  /** The Deployment's own deadline has passed without progress. */
  isOverdue: boolean;
  /** Pods that serve, of whatever template. */
  available: number;
  message: string;
}

/** @param deployment As observed; absent when it does not exist yet. */
export function rolloutOf(deployment: KubeObject | undefined): Rollout {
  if (!deployment) {
    return { state: "updating", isOverdue: false, available: 0, message: "Deployment does not exist yet" };
  }
  const { metadata, spec, status = {} } = deployment;
  const wanted: number = spec?.replicas ?? 1;
  const { replicas = 0, updatedReplicas = 0, availableReplicas: available = 0 } = status;
  const isCurrent = (status.observedGeneration ?? 0) >= (metadata.generation ?? 0);
  const conditions: { type: string; reason?: string }[] = status.conditions ?? [];
  const isOverdue = isCurrent && conditions.some((condition) => condition.reason === "ProgressDeadlineExceeded");
  const name = `Deployment "${metadata.name}"`;
  const isUpdating = !isCurrent || updatedReplicas < wanted || replicas > updatedReplicas;
  if (isUpdating) {
    return { state: "updating", isOverdue, available, message: `Waiting for the rollout of ${name}` };
  }
  if (available < wanted) {
    return { state: "short", isOverdue, available, message: `${available} of ${wanted} Pods of ${name} are available` };
  }
  return { state: "complete", isOverdue, available, message: `${name} is rolled out` };
}

/** Endpoints that take traffic, over all slices of a Service. */
export function readyEndpoints(slices: readonly KubeObject[]): number {
  const endpoints: { conditions?: { ready?: boolean } }[] = slices.flatMap((slice) => slice.endpoints ?? []);
  // No condition means ready (discovery.k8s.io/v1).
  return endpoints.filter((endpoint) => endpoint.conditions?.ready ?? true).length;
}
