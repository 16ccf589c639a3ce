import assert from "node:assert/strict";
import type { KubeObject } from "../../api/object.ts";
import { autoscaler } from "./autoscaler.ts";
import { autoscalerShape, autoscalingFinding } from "./autoscaler_finding.ts";
import { app } from "./test_objects.ts";

const OWNER = app({ autoscaling: { maxReplicas: 5, metrics: [{ pods: { name: "rps", averageValue: 10 } }] } });
const UNABLE = "the HPA was unable to compute the replica count: ";

/** As the API server shows it. */
function seenAutoscaler(status?: Record<string, unknown>): KubeObject {
  return { ...autoscaler(OWNER, OWNER.spec.autoscaling!), ...(status ? { status } : {}) };
}

function active(status: "True" | "False", message: string): Record<string, unknown> {
  const reason = status === "True" ? "ValidMetricFound" : "FailedGetResourceMetric";
  return { conditions: [{ type: "ScalingActive", status, reason, message }] };
}

const SAID: Record<string, [status: Record<string, unknown> | undefined, said: string[], message: RegExp]> = {
  "nobody has looked at it": [undefined, ["Unknown", "Starting"], /has not decided anything yet$/],
  "it does not find what it is to scale": [
    { conditions: [{ type: "AbleToScale", status: "False", reason: "FailedGetScale", message: "no Deployment" }] },
    ["Unknown", "Starting"],
    /has not decided anything yet: no Deployment$/,
  ],
  "it has all figures": [
    { ...active("True", ""), currentMetrics: [{ type: "Pods" }] },
    ["True", "Scaling"],
    /^The load decides, between 1 and 5 Pods$/,
  ],
  "it lacks a figure": [
    { ...active("True", ""), currentMetrics: [{ type: "" }] },
    ["True", "Scaling"],
    /; without figures of "rps" it adds Pods and takes none away$/,
  ],
  "there is no metrics API": [
    active(
      "False",
      `${UNABLE}failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from ` +
        "resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)",
    ),
    ["False", "NoMetricsApi"],
    /^The cluster has no metrics API that answers \(metrics\.k8s\.io, .*the number of Pods stays as it is/,
  ],
  "the metrics API does not answer": [
    active(
      "False",
      `${UNABLE}unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server ` +
        "is currently unable to handle the request (get pods.metrics.k8s.io)",
    ),
    ["False", "NoMetricsApi"],
    /^The cluster has no metrics API that answers/,
  ],
  "there is no API of custom metrics": [
    active(
      "False",
      `${UNABLE}unable to get metric rps: unable to fetch metrics from custom metrics API: no custom metrics API ` +
        "(custom.metrics.k8s.io) registered",
    ),
    ["False", "NoMetricsApi"],
    /^The cluster has no custom metrics API that answers \(custom\.metrics\.k8s\.io, /,
  ],
  "there is no API of external metrics": [
    active(
      "False",
      `${UNABLE}unable to get external metric team/queue/nil: unable to fetch metrics from external metrics API: the ` +
        "server could not find the requested resource (get queue.external.metrics.k8s.io)",
    ),
    ["False", "NoMetricsApi"],
    /^The cluster has no external metrics API that answers \(external\.metrics\.k8s\.io, /,
  ],
  "the API of custom metrics does not know the metric": [
    active(
      "False",
      `${UNABLE}unable to get metric rps: unable to fetch metrics from custom metrics API: the server could not find ` +
        "the metric rps for pods *",
    ),
    ["False", "FailedGetResourceMetric"],
    /^The number of Pods stays as it is: /,
  ],
  "something else is wrong": [
    active("False", "missing request for cpu in container app"),
    ["False", "FailedGetResourceMetric"],
    /^The number of Pods stays as it is: missing request/,
  ],
};

for (const [sentence, [status, said, message]] of Object.entries(SAID)) {
  Deno.test(`the condition AutoscalingActive is ${said.join(", ")} where ${sentence}`, () => {
    const found = autoscalingFinding({ owner: OWNER, autoscaler: seenAutoscaler(status) })!;
    assert.deepEqual([found.status, found.reason], said);
    assert.match(found.message, message);
  });
}

Deno.test("autoscalerShape(): another figure is no news, and a figure that is missing is", () => {
  const read = (metric: unknown): KubeObject => seenAutoscaler({ ...active("True", ""), currentMetrics: [metric] });
  const pods = (averageValue: string): unknown => ({ type: "Pods", pods: { current: { averageValue } } });
  const [shape, same, other] = [pods("1"), pods("2"), { type: "" }].map((metric) => autoscalerShape(read(metric)));
  assert.deepEqual(shape, same);
  assert.notDeepEqual(shape, other);
});
