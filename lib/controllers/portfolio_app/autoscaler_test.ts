import assert from "node:assert/strict";
import { autoscaler, handOver, SCALED_BY, scaleOf } from "./autoscaler.ts";
import { app, deployment } from "./test_objects.ts";

const SCALED = { replicas: 3, autoscaling: { maxReplicas: 5 } };
const TAKEN = { metadata: { annotations: { [SCALED_BY]: "autoscaler" } }, spec: { replicas: 4 } };
const OURS = { metadata: { annotations: { [SCALED_BY]: "spec" } }, spec: { replicas: 4 } };

Deno.test("scaleOf(): the spec decides where there is no autoscaler, and takes the number back by force", () => {
  const owner = app({ replicas: 3 });
  for (const observed of [undefined, deployment(owner, TAKEN)]) {
    assert.deepEqual(scaleOf(owner, observed), { replicas: 3, scaledBy: "spec" });
  }
});

Deno.test("scaleOf(): the number is applied as it is until it is handed over, and then not at all", () => {
  const owner = app(SCALED);
  assert.deepEqual(scaleOf(owner, undefined), { scaledBy: "autoscaler" });
  assert.deepEqual(scaleOf(owner, deployment(owner, OURS)), { replicas: 4, scaledBy: "spec" });
  assert.deepEqual(scaleOf(owner, deployment(owner, TAKEN)), { scaledBy: "autoscaler" });
});

Deno.test("scaleOf(): a new application starts with the fewest Pods, and not with one", () => {
  const owner = app({ autoscaling: { minReplicas: 2, maxReplicas: 5 } });
  assert.deepEqual(scaleOf(owner, undefined), { replicas: 2, scaledBy: "spec" });
});

Deno.test("handOver() applies the number as it is, with the mark that it has been done, and nothing else", () => {
  const owner = app(SCALED);
  const { metadata, spec } = handOver(owner, deployment(owner, OURS))!;
  assert.deepEqual([metadata.annotations, spec], [{ [SCALED_BY]: "autoscaler" }, { replicas: 4 }]);
  assert.equal(handOver(owner, deployment(owner, TAKEN)), undefined);
  assert.equal(handOver(app({}), deployment(owner, OURS)), undefined);
});

Deno.test("autoscaler(): processor time is aimed at where nothing else is", () => {
  const target = { type: "Utilization", averageUtilization: 80 };
  const owner = app(SCALED);
  assert.deepEqual(autoscaler(owner, owner.spec.autoscaling!).spec.metrics, [
    { type: "Resource", resource: { name: "cpu", target } },
  ]);
});

Deno.test("autoscaler(): metrics of all kinds are aimed at together", () => {
  const describedObject = { apiVersion: "networking.k8s.io/v1", kind: "Ingress", name: "shop" };
  const owner = app({
    autoscaling: {
      maxReplicas: 5,
      targetCPUUtilizationPercentage: 50,
      targetMemoryUtilizationPercentage: 60,
      metrics: [
        { pods: { name: "rps", averageValue: 10 } },
        { external: { name: "queue", selector: { a: "b" }, averageValue: "5" } },
        { object: { name: "hits", describedObject, value: "1k" } },
      ],
    },
  });
  const { metrics } = autoscaler(owner, owner.spec.autoscaling!).spec;
  assert.deepEqual(metrics, [
    { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } } },
    { type: "Resource", resource: { name: "memory", target: { type: "Utilization", averageUtilization: 60 } } },
    { type: "Pods", pods: { metric: { name: "rps" }, target: { type: "AverageValue", averageValue: "10" } } },
    {
      type: "External",
      external: {
        metric: { name: "queue", selector: { matchLabels: { a: "b" } } },
        target: { type: "AverageValue", averageValue: "5" },
      },
    },
    { type: "Object", object: { metric: { name: "hits" }, describedObject, target: { type: "Value", value: "1k" } } },
  ]);
});
