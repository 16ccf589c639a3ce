/**
 * Who decides how many Pods there are: the spec, or an autoscaler. Pure.
 *
 * The number of Pods is one field, `spec.replicas` of the Deployment. Who applies it owns it, and a field that its owner
 * applies no more falls back to its default, 1. So before it is left out it is handed over: applied as it is by a field
 * manager of its own ({@link SCALE_MANAGER}), together with an annotation that says that this has been done. The
 * autoscaler takes it from there with its first change. Taken back it is by applying it again, by force.
 *
 * @module
 */
import type { KubeObject } from "../../api/object.ts";
import type { PortfolioApp } from "../../api/portfolio_app.ts";
import type { Autoscaling, Metric } from "../../api/portfolio_autoscaling.ts";
import { appChild } from "../../portfolio_names.ts";

/** Field manager that holds `replicas` until the autoscaler has taken it. */
export const SCALE_MANAGER = "maquette-scale";
/** On the Deployment: `spec` or `autoscaler`. */
export const SCALED_BY = "maquette.dev/scaled-by";
const DEFAULT_CPU_PERCENTAGE = 80;

/** What the Deployment says about its number of Pods. */
export interface Scale {
  /** Left out: somebody else's. */
  replicas?: number;
  scaledBy: "spec" | "autoscaler";
}

/** Who decides the number of Pods, and the number, where that is us. @param deployment As observed. */
export function scaleOf({ spec }: PortfolioApp, deployment: KubeObject | undefined): Scale {
  if (!spec.autoscaling) return { replicas: spec.replicas, scaledBy: "spec" };
  if (deployment && isHandedOver(deployment)) return { scaledBy: "autoscaler" };
  if (deployment) return { replicas: deployment.spec?.replicas ?? 1, scaledBy: "spec" };
  // The autoscaler looks for the first time when some seconds have passed: until then there are the fewest.
  const { minReplicas } = spec.autoscaling;
  return minReplicas > 1 ? { replicas: minReplicas, scaledBy: "spec" } : { scaledBy: "autoscaler" };
}

function isHandedOver({ metadata }: KubeObject): boolean {
  return metadata.annotations?.[SCALED_BY] === "autoscaler";
}

/** The Deployment whose `replicas` is to be handed over; nothing where that is done or not wanted. */
export function handOver(owner: PortfolioApp, deployment: KubeObject | undefined): KubeObject | undefined {
  if (!owner.spec.autoscaling || !deployment || isHandedOver(deployment)) return undefined;
  const { name, namespace, uid } = deployment.metadata;
  return {
    apiVersion: deployment.apiVersion,
    kind: deployment.kind,
    metadata: { name, namespace, uid, annotations: { [SCALED_BY]: "autoscaler" } },
    spec: { replicas: deployment.spec?.replicas ?? 1 },
  };
}

/** Most Pods that there may be, but for those of a rollout. */
export function mostReplicas({ spec }: PortfolioApp): number {
  return spec.autoscaling?.maxReplicas ?? spec.replicas;
}

/** The HorizontalPodAutoscaler. */
export function autoscaler(owner: PortfolioApp, autoscaling: Autoscaling): KubeObject {
  const { minReplicas, maxReplicas } = autoscaling;
  return {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: { name: appChild(owner, "autoscaler"), namespace: owner.metadata.namespace },
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: appChild(owner, "deployment") },
      minReplicas,
      maxReplicas,
      metrics: metricsOf(autoscaling),
    },
  };
}

function metricsOf(autoscaling: Autoscaling): unknown[] {
  const { targetCPUUtilizationPercentage: cpu, targetMemoryUtilizationPercentage: memory, metrics = [] } = autoscaling;
  const isBare = cpu === undefined && memory === undefined && metrics.length === 0;
  return [
    ...(cpu !== undefined || isBare ? [resource("cpu", cpu ?? DEFAULT_CPU_PERCENTAGE)] : []),
    ...(memory !== undefined ? [resource("memory", memory)] : []),
    ...metrics.map(metricOf),
  ];
}

function resource(name: string, averageUtilization: number): unknown {
  return { type: "Resource", resource: { name, target: { type: "Utilization", averageUtilization } } };
}

function metricOf({ pods, external, object }: Metric): unknown {
  if (pods) {
    const target = { type: "AverageValue", averageValue: String(pods.averageValue) };
    return { type: "Pods", pods: { metric: named(pods), target } };
  }
  if (external) return { type: "External", external: { metric: named(external), target: externalTarget(external) } };
  const { describedObject, value } = object!;
  const target = { type: "Value", value: String(value) };
  return { type: "Object", object: { metric: named(object!), describedObject, target } };
}

function externalTarget({ value, averageValue }: NonNullable<Metric["external"]>): unknown {
  return value !== undefined
    ? { type: "Value", value: String(value) }
    : { type: "AverageValue", averageValue: String(averageValue) };
}

function named({ name, selector }: { name: string; selector?: Record<string, string> }): unknown {
  return { name, ...(selector ? { selector: { matchLabels: selector } } : {}) };
}
