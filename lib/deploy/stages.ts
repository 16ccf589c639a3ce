/**
 * In which order objects are made: first what Pods live under and read, workloads when that is there, then what leads to
 * them or acts on them. Pure.
 *
 * @module
 */
import type { Resource } from "../api/object.ts";

/** Kinds by stage; a kind that is in none comes last. A binding needs its Role: the server looks at what it grants. */
const STAGES: readonly (readonly string[])[] = [
  [
    ...["ServiceAccount.", "Secret.", "ConfigMap.", "PersistentVolumeClaim.", "ResourceQuota.", "LimitRange."],
    ...["Role.rbac.authorization.k8s.io", "NetworkPolicy.networking.k8s.io"],
  ],
  ["RoleBinding.rbac.authorization.k8s.io", "Service.", "Endpoints.", "EndpointSlice.discovery.k8s.io"],
  [
    ...["Deployment.apps", "StatefulSet.apps", "DaemonSet.apps", "ReplicaSet.apps", "ReplicationController."],
    ...["Pod.", "Job.batch", "CronJob.batch"],
  ],
  ["Ingress.networking.k8s.io", "HorizontalPodAutoscaler.autoscaling", "PodDisruptionBudget.policy"],
];

const STAGE_OF: ReadonlyMap<string, number> = new Map(
  STAGES.flatMap((kinds, stage) => kinds.map((kind) => [kind, stage])),
);

/** How many stages there are. */
export const STAGE_COUNT = STAGES.length + 1;

/** From 0 on. */
export function stageOf({ kind, group }: Pick<Resource, "kind" | "group">): number {
  return STAGE_OF.get(`${kind}.${group}`) ?? STAGES.length;
}
