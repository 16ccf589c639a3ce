/**
 * What there is to say about an application's autoscaler, from what Kubernetes says about it. Pure.
 *
 * @see https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/
 * @module
 */
import type { KubeObject } from "../../api/object.ts";
import type { Finding } from "../../runtime/status.ts";
import type { Seen } from "./gather.ts";

const TYPE = "AutoscalingActive";

/** Where figures come from, by the word that Kubernetes has for it: the API, and who commonly serves it. */
const METRICS_APIS: Readonly<Record<string, string>> = {
  resource: "metrics API that answers (metrics.k8s.io, for instance metrics-server)",
  custom: "custom metrics API that answers (custom.metrics.k8s.io, for instance prometheus-adapter)",
  external: "external metrics API that answers (external.metrics.k8s.io, for instance KEDA)",
};
/** The words for an API that is not there, or that nobody serves at the moment. */
const SILENCE =
  /from (resource|custom|external) metrics API: .*(could not find the requested resource|currently unable to handle|\) registered)/;

interface AutoscalerCondition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
}

/** An autoscaler without the parts of its status that {@link autoscalingFinding} does not read: figures change all the time. */
export function autoscalerShape(autoscaler: KubeObject): KubeObject {
  const conditions = ["ScalingActive", "AbleToScale"].map((type) => conditionOf(autoscaler, type)).map((found) =>
    found && { type: found.type, status: found.status, reason: found.reason, message: found.message }
  );
  return {
    ...autoscaler,
    status: { conditions: conditions.filter((found) => !!found), unread: unreadMetrics(autoscaler) },
  };
}

/** How the autoscaler is: whether it has figures to decide by, and why not. */
export function autoscalingFinding({ autoscaler, owner }: Pick<Seen, "autoscaler" | "owner">): Finding | undefined {
  const { autoscaling } = owner.spec;
  if (!autoscaling || !autoscaler) return undefined;
  const active = conditionOf(autoscaler, "ScalingActive");
  if (!active) return starting(autoscaler);
  if (active.status === "True") {
    const range = `The load decides, between ${autoscaling.minReplicas} and ${autoscaling.maxReplicas} Pods`;
    const unread = unreadMetrics(autoscaler);
    const names = unread.map((name) => `"${name}"`).join(", ");
    const blind = unread.length > 0 ? `; without figures of ${names} it adds Pods and takes none away` : "";
    return { type: TYPE, status: "True", reason: "Scaling", message: range + blind };
  }
  const { reason = "Inactive", message: said = reason } = active;
  const source = SILENCE.exec(said)?.[1];
  if (source === undefined) {
    return { type: TYPE, status: "False", reason, message: `The number of Pods stays as it is: ${said}` };
  }
  const message = `The cluster has no ${METRICS_APIS[source]}: the number of Pods stays as it is; ${said}`;
  return { type: TYPE, status: "False", reason: "NoMetricsApi", message };
}

function starting(autoscaler: KubeObject): Finding {
  const able = conditionOf(autoscaler, "AbleToScale");
  const said = able?.status === "False" && able.message ? `: ${able.message}` : "";
  const message = `HorizontalPodAutoscaler "${autoscaler.metadata.name}" has not decided anything yet${said}`;
  return { type: TYPE, status: "Unknown", reason: "Starting", message };
}

function conditionOf({ status }: KubeObject, type: string): AutoscalerCondition | undefined {
  return (status?.conditions as AutoscalerCondition[] | undefined)?.find((condition) => condition.type === type);
}

/** Names of the metrics of which there is no figure: each has its place in the status, which is left empty then. */
function unreadMetrics({ spec, status }: KubeObject): string[] {
  const current: { type?: string }[] = status?.currentMetrics ?? [];
  const metrics: Record<string, { name?: string; metric?: { name: string } }>[] = spec?.metrics ?? [];
  return metrics.filter((_, index) => current[index]?.type === "").map(({ type: _type, ...sources }) => {
    const [source] = Object.values(sources);
    return source?.metric?.name ?? source?.name ?? "";
  });
}
