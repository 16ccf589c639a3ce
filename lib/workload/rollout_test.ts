import assert from "node:assert/strict";
import type { KubeObject } from "../api/object.ts";
import { endpointsShape, type Rollout, rolloutOf, rolloutShape, servingPods } from "./rollout.ts";
import { pod } from "./test_pods.ts";

function deployment(status: Record<string, unknown>, replicas = 2): KubeObject {
  const metadata = { name: "shop", generation: 3 };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata,
    spec: { replicas },
    status: { observedGeneration: 3, ...status },
  };
}

const OVERDUE = [{ type: "Progressing", status: "False", reason: "ProgressDeadlineExceeded" }];
const REFUSED = [{
  type: "ReplicaFailure",
  status: "True",
  reason: "FailedCreate",
  message: 'pods "shop-5d9c-x7z2p" is forbidden: exceeded quota: preview',
  lastTransitionTime: "2026-01-01T00:00:00Z",
}];

const ROLLOUTS: Record<string, { deployment: KubeObject | undefined; rollout: Partial<Rollout> }> = {
  "one that does not exist": { deployment: undefined, rollout: { state: "updating", available: 0, isOverdue: false } },
  "one without a status": {
    deployment: { ...deployment({}), status: undefined },
    rollout: { state: "updating", wanted: 2, available: 0, older: 0 },
  },
  "all Pods new and available": {
    deployment: deployment({ replicas: 2, updatedReplicas: 2, availableReplicas: 2 }),
    rollout: { state: "complete", wanted: 2, available: 2, older: 0 },
  },
  "the status is that of the generation before": {
    deployment: deployment({ observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 2 }),
    rollout: { state: "updating", available: 2 },
  },
  "too few Pods of the new template": {
    deployment: deployment({ replicas: 2, updatedReplicas: 1, availableReplicas: 2 }),
    rollout: { state: "updating", older: 1 },
  },
  "no Pod of the new template yet": {
    deployment: deployment({ replicas: 2, availableReplicas: 2 }),
    rollout: { state: "updating", older: 2 },
  },
  "a Pod is gone and another one not there yet": {
    deployment: deployment({ replicas: 1, updatedReplicas: 1, availableReplicas: 1 }),
    rollout: { state: "short", older: 0 },
  },
  "nothing there yet": { deployment: deployment({}), rollout: { state: "short", available: 0, older: 0 } },
  "Pods of the old template are left": {
    deployment: deployment({ replicas: 3, updatedReplicas: 2, availableReplicas: 3 }),
    rollout: { state: "updating", older: 1, available: 3 },
  },
  "more Pods than are wanted, all of the new template": {
    deployment: deployment({ replicas: 5, updatedReplicas: 5, availableReplicas: 5 }),
    rollout: { state: "complete", older: 0 },
  },
  "a new Pod is not available": {
    deployment: deployment({ replicas: 2, updatedReplicas: 2, availableReplicas: 1 }),
    rollout: { state: "short", wanted: 2, available: 1 },
  },
  "one replica where the spec names none": {
    deployment: { ...deployment({ replicas: 1, updatedReplicas: 1, availableReplicas: 1 }), spec: {} },
    rollout: { state: "complete", wanted: 1 },
  },
  "none wanted and none there": { deployment: deployment({}, 0), rollout: { state: "complete", wanted: 0 } },
  "no progress within the deadline": {
    deployment: deployment({ replicas: 2, updatedReplicas: 2, conditions: OVERDUE }),
    rollout: { state: "short", isOverdue: true },
  },
  "no progress of the generation before is no news": {
    deployment: deployment({ observedGeneration: 2, replicas: 2, updatedReplicas: 2, conditions: OVERDUE }),
    rollout: { state: "updating", isOverdue: false },
  },
  "Pods that the API server refuses, in words that do not change with every try": {
    deployment: deployment({ conditions: REFUSED }),
    rollout: { refusal: { message: "forbidden: exceeded quota: preview", since: Date.UTC(2026, 0, 1) } },
  },
  "Pods of the generation before that were refused": {
    deployment: deployment({ observedGeneration: 2, conditions: REFUSED }),
    rollout: { refusal: undefined },
  },
  "Pods that were refused once": {
    deployment: deployment({ conditions: [{ ...REFUSED[0], status: "False" }] }),
    rollout: { refusal: undefined },
  },
  "Pods that could not be deleted": {
    deployment: deployment({ conditions: [{ ...REFUSED[0], reason: "FailedDelete" }] }),
    rollout: { refusal: undefined },
  },
};

for (const [sentence, { deployment, rollout }] of Object.entries(ROLLOUTS)) {
  Deno.test(`rolloutOf(): ${sentence}`, () => {
    const found = rolloutOf(deployment);
    for (const [name, value] of Object.entries(rollout)) assert.deepEqual(found[name as keyof Rollout], value, name);
    if (deployment) assert.deepEqual(rolloutOf(rolloutShape(deployment)), found, "of its shape");
  });
}

Deno.test("rolloutShape() drops what changes with every Pod and every look of the Deployment's controller", () => {
  const progressing = { type: "Progressing", status: "True", reason: "NewReplicaSetAvailable" };
  const early = deployment({ replicas: 2, readyReplicas: 1, unavailableReplicas: 1, conditions: [progressing] });
  const late = { ...progressing, lastUpdateTime: "2026-01-01T00:00:09Z" };
  assert.deepEqual(
    rolloutShape(early),
    rolloutShape(deployment({ replicas: 2, readyReplicas: 2, conditions: [late] })),
  );
});

function slice(...endpoints: [name: string | undefined, ready: boolean | undefined][]): KubeObject {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: "shop-abc" },
    endpoints: endpoints.map(([name, ready]) => ({
      conditions: { ready },
      ...(name ? { targetRef: { kind: "Pod", name, uid: `uid-of-${name}` } } : {}),
    })),
  };
}

const SERVING: Record<string, { slices: KubeObject[]; serving: string[] }> = {
  "no slice yet": { slices: [], serving: [] },
  "a slice without endpoints": { slices: [{ ...slice(), endpoints: undefined }], serving: [] },
  "a ready endpoint": { slices: [slice(["a", true])], serving: ["a"] },
  "no condition means ready": { slices: [slice(["a", undefined])], serving: ["a"] },
  "an endpoint that is not ready": { slices: [slice(["a", false], ["b", true])], serving: ["b"] },
  "a Pod once in two slices, for IPv4 and IPv6": { slices: [slice(["a", true]), slice(["a", true])], serving: ["a"] },
  "a Pod of the old version that a stale slice still lists": { slices: [slice(["old", true])], serving: [] },
  "an endpoint that is no Pod": { slices: [slice([undefined, true])], serving: [] },
};

for (const [sentence, { slices, serving }] of Object.entries(SERVING)) {
  Deno.test(`servingPods(): ${sentence}`, () => {
    const pods = [pod({ name: "a" }), pod({ name: "b" })];
    for (const given of [slices, slices.map(endpointsShape)]) {
      assert.deepEqual(servingPods(given, pods).map(({ metadata }) => metadata.name), serving);
    }
  });
}

Deno.test("servingPods(): an endpoint without a uid does not make a Pod without one serve", () => {
  assert.deepEqual(servingPods([slice([undefined, true])], [pod({ metadata: { uid: undefined } })]), []);
});
