/** What is said of an application while its autoscaler changes the number of its Pods. */
import assert from "node:assert/strict";
import { decide } from "./decide.ts";
import { app, CREATED, deployment, pod, rolledOut, seen } from "./test_objects.ts";

/** Pods that are asked for, and what the Deployment says about those that are there. */
interface Case {
  min?: number;
  wanted: number;
  /** Available, all of the present template but `older`. */
  available: number;
  older?: number;
  /** The Deployment has seen how many are asked for. */
  isSeen?: boolean;
  /** Before: Running, at the present generation of the spec. */
  wasRunning?: boolean;
  says: [phase: string, ready: string];
}

const CASES: Record<string, Case> = {
  "more Pods are asked for, and nobody has looked yet": {
    ...{ wanted: 3, available: 1, isSeen: false, wasRunning: true },
    says: ["Running", "1/3"],
  },
  "more Pods are asked for, and they start": { wanted: 3, available: 1, wasRunning: true, says: ["Running", "1/3"] },
  "fewer Pods are asked for, and nobody has looked yet": {
    ...{ wanted: 1, available: 3, isSeen: false, wasRunning: true },
    says: ["Running", "1/1"],
  },
  "Pods are lost below the fewest": { min: 2, wanted: 3, available: 1, wasRunning: true, says: ["Degraded", "1/3"] },
  "there have not been the fewest Pods yet": { min: 2, wanted: 1, available: 1, says: ["Progressing", "1/1"] },
  "somebody has asked for no Pod at all": { wanted: 0, available: 0, wasRunning: true, says: ["Degraded", "0/0"] },
  "a new version is rolled out": { wanted: 3, available: 3, older: 2, says: ["Progressing", "3/3"] },
};

for (const [sentence, { says, ...given }] of Object.entries(CASES)) {
  Deno.test(`decide() says ${says.join(", ")} where ${sentence}`, () => {
    const { min = 1, wanted, available, older = 0, isSeen = true, wasRunning = false } = given;
    const status = wasRunning ? { phase: "Running", observedGeneration: 1 } : undefined;
    const owner = app({ autoscaling: { minReplicas: min, maxReplicas: 5 } }, { status });
    const pods = Array.from({ length: available - older }, (_, index) => pod(owner, `shop-${index}`));
    const [slice] = rolledOut(owner).endpointSlices;
    const endpoints = pods.map(({ metadata }) => ({ conditions: { ready: true }, targetRef: { uid: metadata.uid } }));
    const observed = deployment(owner, {
      metadata: { generation: 2 },
      spec: { replicas: wanted },
      status: {
        observedGeneration: isSeen ? 2 : 1,
        replicas: available,
        updatedReplicas: available - older,
        availableReplicas: available,
      },
    });
    const { report } = decide(
      seen(owner, { deployment: observed, pods, endpointSlices: [{ ...slice!, endpoints }] }),
      CREATED,
    );
    assert.deepEqual([report.phase, report.fields!.ready], says);
  });
}
