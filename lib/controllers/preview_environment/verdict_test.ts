import assert from "node:assert/strict";
import type { KubeObject } from "../../api/object.ts";
import { firstFailure } from "../../workload/pod_failure.ts";
import { type Verdict, verdictOn } from "./checks.ts";
import type { Seen } from "./gather.ts";
import { appStatus, CREATED, deployment, pod, preview, readyStatus } from "./test_objects.ts";
import { seen, slice } from "./test_objects.ts";

const owner = preview();
const readyBefore = { phase: "Ready", observedGeneration: 1 };
const wasReady = preview({}, { status: readyBefore });
const NONE = { replicas: 0 };
const ONE_NEW = { replicas: 1, updatedReplicas: 1 };
const ONE_READY = { ...ONE_NEW, availableReplicas: 1 };
/** The old Pod serves, the new one is there. */
const UPDATING = { replicas: 2, updatedReplicas: 1, availableReplicas: 1 };
const OVERDUE = [{ type: "Progressing", status: "False", reason: "ProgressDeadlineExceeded" }];

const fine = pod(owner, { status: readyStatus() });
const creating = pod(owner);
const crashing = pod(owner, {
  status: { containerStatuses: [appStatus({ state: { terminated: { exitCode: 1, reason: "Error" } } })] },
});
const homeless = pod(owner, {
  status: {
    conditions: [{
      type: "PodScheduled",
      status: "False",
      reason: "Unschedulable",
      message: "0/3 nodes are available",
      lastTransitionTime: new Date(CREATED).toISOString(),
    }],
  },
});

function refused(status: Record<string, unknown>): Record<string, unknown> {
  const lastTransitionTime = new Date(CREATED).toISOString();
  const message = 'pods "pr-7-app-5d9c-x7z2p" is forbidden: exceeded quota: preview';
  const refusal = { type: "ReplicaFailure", status: "True", reason: "FailedCreate", message, lastTransitionTime };
  return { ...status, conditions: [refusal, ...(status.conditions as unknown[] ?? [])] };
}

interface Case {
  owner?: typeof owner;
  /** Status of the Deployment; null is no Deployment. */
  status: Record<string, unknown> | null;
  metadata?: Partial<KubeObject["metadata"]>;
  pods?: KubeObject[];
  endpoints?: [KubeObject, boolean][];
  log?: string;
  /** Seconds after the creation. */
  after?: number;
  verdict: Partial<Extract<Verdict, { reason: string }>> | { is: "ready" };
}

const rollingOut = {
  is: "onItsWay" as const,
  reason: "RollingOut",
  message: 'Image "ghcr.io/acme/shop:v1" is being rolled out',
};

const VERDICTS: Record<string, Case> = {
  "no Deployment yet": { status: null, verdict: rollingOut },
  "a Deployment that its controller has not seen": { status: { observedGeneration: undefined }, verdict: rollingOut },
  "no Pod yet": { status: NONE, verdict: rollingOut },
  "a Pod that is being created": { status: ONE_NEW, pods: [creating], verdict: rollingOut },
  "rolled out, no endpoint yet": { status: ONE_READY, pods: [fine], verdict: rollingOut },
  "rolled out, its endpoint is not ready": {
    status: ONE_READY,
    pods: [fine],
    endpoints: [[fine, false]],
    verdict: rollingOut,
  },
  "rolled out and its endpoint is ready": {
    status: ONE_READY,
    pods: [fine],
    endpoints: [[fine, true]],
    verdict: { is: "ready" },
  },
  "an endpoint is ready, the status of the Deployment is that of the generation before": {
    status: ONE_READY,
    metadata: { generation: 2 },
    pods: [fine],
    endpoints: [[fine, true]],
    verdict: rollingOut,
  },
  "rolled out, but the endpoints are those of the old version": {
    status: ONE_READY,
    pods: [fine],
    endpoints: [[pod(preview({ port: 1 }), { name: "old" }), true]],
    verdict: rollingOut,
  },
  "rolled out, one of two endpoints ready": {
    owner: preview({ replicas: 2 }),
    status: { replicas: 2, updatedReplicas: 2, availableReplicas: 2 },
    pods: [fine, pod(owner, { name: "pr-7-app-2", status: readyStatus() })],
    endpoints: [[fine, true]],
    verdict: { ...rollingOut },
  },
  "an update while the old version serves": {
    owner: wasReady,
    status: UPDATING,
    pods: [creating],
    endpoints: [[pod(preview({ port: 1 }), { name: "old" }), true]],
    verdict: rollingOut,
  },
  "a Pod that crashes in the first rollout": {
    status: ONE_NEW,
    pods: [crashing],
    log: "panic: no database",
    verdict: {
      is: "stuck",
      reason: "CrashLoopBackOff",
      message: 'Container "app" of Pod "pr-7-app-1" exited with code 1 (Error)' +
        "; the last lines of its log:\npanic: no database",
    },
  },
  "a Pod that crashes without a log": {
    status: ONE_NEW,
    pods: [crashing],
    verdict: { is: "stuck", message: 'Container "app" of Pod "pr-7-app-1" exited with code 1 (Error)' },
  },
  "a Pod that crashes in an update while the old version serves": {
    owner: wasReady,
    status: UPDATING,
    pods: [crashing],
    verdict: {
      is: "stuck",
      message: 'Container "app" of Pod "pr-7-app-1" exited with code 1 (Error); the version before keeps serving',
    },
  },
  "a Pod that crashes in an update when the old version is down": {
    status: { replicas: 2, updatedReplicas: 1 },
    pods: [crashing],
    verdict: { is: "stuck", message: 'Container "app" of Pod "pr-7-app-1" exited with code 1 (Error)' },
  },
  "a Pod that crashes after it was ready": {
    owner: wasReady,
    status: ONE_NEW,
    pods: [crashing],
    verdict: { is: "degraded", reason: "CrashLoopBackOff" },
  },
  "a Pod that was lost": {
    owner: wasReady,
    status: ONE_NEW,
    pods: [creating],
    verdict: { is: "degraded", reason: "PodsNotReady", message: "0 of 1 Pods serve" },
  },
  "a Pod that was lost, before and after its endpoint is": {
    owner: wasReady,
    status: ONE_NEW,
    pods: [fine],
    endpoints: [[fine, true]],
    verdict: { is: "degraded", message: "0 of 1 Pods serve" },
  },
  "a Pod that is lost for longer": {
    owner: preview({}, { status: { ...readyBefore, phase: "Degraded" } }),
    status: ONE_NEW,
    pods: [creating],
    verdict: { is: "degraded", reason: "PodsNotReady" },
  },
  "a Deployment that somebody deleted and that is made again": {
    owner: wasReady,
    status: { observedGeneration: undefined },
    verdict: rollingOut,
  },
  "ready at the generation before is not ready": {
    owner: preview({}, { metadata: { generation: 2 }, status: readyBefore }),
    status: ONE_NEW,
    pods: [creating],
    verdict: rollingOut,
  },
  "no node, for a moment": {
    status: ONE_NEW,
    pods: [homeless],
    after: 29,
    verdict: { ...rollingOut, lookAgainAt: CREATED + 30_000 },
  },
  "no node, for longer": {
    status: ONE_NEW,
    pods: [homeless],
    after: 30,
    verdict: {
      is: "onItsWay",
      reason: "Unschedulable",
      message: 'Pod "pr-7-app-1" cannot be scheduled: 0/3 nodes are available',
      lookAgainAt: undefined,
    },
  },
  "no node until the deadline": {
    status: { ...ONE_NEW, conditions: OVERDUE },
    pods: [homeless],
    verdict: { is: "stuck", reason: "Unschedulable" },
  },
  "Pods that are refused for a moment, as in every new namespace": {
    status: refused(NONE),
    after: 2,
    verdict: { ...rollingOut, lookAgainAt: CREATED + 30_000 },
  },
  "Pods that are refused for longer": {
    status: refused(NONE),
    after: 31,
    verdict: {
      is: "onItsWay",
      reason: "FailedCreate",
      message: "Pods cannot be made: forbidden: exceeded quota: preview",
    },
  },
  "Pods that are refused for longer in an update": {
    owner: preview({}, { metadata: { generation: 2 }, status: readyBefore }),
    status: refused({ replicas: 1, updatedReplicas: 0, availableReplicas: 1 }),
    after: 31,
    verdict: {
      is: "onItsWay",
      message: "Pods cannot be made: forbidden: exceeded quota: preview; the version before keeps serving",
    },
  },
  "Pods that are refused until the deadline": {
    status: refused({ ...NONE, conditions: OVERDUE }),
    verdict: { is: "stuck", reason: "FailedCreate" },
  },
  "a lost Pod whose successor is refused": {
    owner: wasReady,
    status: refused(ONE_NEW),
    after: 31,
    verdict: { is: "degraded", reason: "FailedCreate" },
  },
  "no answer until the deadline": {
    owner: preview({ port: 3000, health_path: "/up" }),
    status: { ...ONE_NEW, conditions: OVERDUE },
    pods: [creating],
    verdict: {
      is: "stuck",
      reason: "ProgressDeadlineExceeded",
      message: 'No further Pod became ready within 120 s: GET "/up" on port 3000 must answer with 200 to 399',
    },
  },
  "no answer until the deadline of an update": {
    status: { ...UPDATING, conditions: OVERDUE },
    pods: [creating],
    verdict: {
      is: "stuck",
      message: 'No further Pod became ready within 120 s: GET "/" on port 8000 must answer with 200 to 399' +
        "; the version before keeps serving",
    },
  },
  "the deadline of the generation before is no news": {
    status: { ...ONE_NEW, conditions: OVERDUE },
    metadata: { generation: 2 },
    verdict: rollingOut,
  },
  "an evicted Pod beside the one that took its place": {
    status: ONE_READY,
    pods: [pod(owner, { name: "evicted", status: { phase: "Failed", reason: "Evicted" } }), fine],
    endpoints: [[fine, true]],
    verdict: { is: "ready" },
  },
  "an evicted Pod whose successor is on its way": {
    status: ONE_NEW,
    pods: [pod(owner, { name: "evicted", status: { phase: "Failed", reason: "Evicted" } }), creating],
    after: 300,
    verdict: { ...rollingOut, lookAgainAt: undefined },
  },
  "evicted again and again until the deadline": {
    status: { ...ONE_NEW, conditions: OVERDUE },
    pods: [pod(owner, { status: { phase: "Failed", reason: "Evicted" } })],
    verdict: { is: "stuck", reason: "Evicted" },
  },
};

function seenOf({ owner: of = owner, status, metadata, pods = [], endpoints, log = "" }: Case): Seen {
  return seen(of, {
    deployment: status === null ? undefined : deployment(of, { metadata, status }),
    pods,
    endpointSlices: endpoints ? [slice(of, ...endpoints)] : [],
    failure: firstFailure(pods),
    log,
  });
}

for (const [sentence, parts] of Object.entries(VERDICTS)) {
  Deno.test(`verdictOn(): ${sentence}`, () => {
    const verdict = verdictOn(seenOf(parts), CREATED + (parts.after ?? 0) * 1000);
    for (const [name, value] of Object.entries(parts.verdict)) {
      assert.deepEqual(verdict[name as keyof Verdict], value, name);
    }
  });
}
