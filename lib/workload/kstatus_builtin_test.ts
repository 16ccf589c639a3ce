import assert from "node:assert/strict";
import type { KubeObject } from "../api/object.ts";
import { type KStatus, kstatusOf } from "./kstatus.ts";

const NOW = Date.parse("2026-01-01T01:00:00Z");

type Json = Record<string, unknown>;

/** An object as a real API server shows it: only what the rules read, and what they might trip over. */
function object(
  name: string,
  { metadata = {}, spec, status }: { metadata?: Json; spec?: Json; status?: Json },
): KubeObject {
  const [apiVersion = "", kind = ""] = name.split(" ");
  return { apiVersion, kind, metadata: { name: "shop", namespace: "pr-7", ...metadata }, spec, status } as KubeObject;
}

const AVAILABLE = [
  { type: "Available", status: "True", reason: "MinimumReplicasAvailable" },
  { type: "Progressing", status: "True", reason: "NewReplicaSetAvailable" },
];
const UNAVAILABLE = [{ type: "Available", status: "False", reason: "MinimumReplicasUnavailable" }];

function deployment(status: Json, spec: Json = { replicas: 2 }): KubeObject {
  return object("apps/v1 Deployment", {
    metadata: { generation: 3 },
    spec,
    status: { observedGeneration: 3, conditions: AVAILABLE, ...status },
  });
}

function statefulSet(status: Json, spec: Json = {}): KubeObject {
  const ready = { replicas: 3, readyReplicas: 3, currentReplicas: 3, updatedReplicas: 3 };
  const revisions = { currentRevision: "shop-1", updateRevision: "shop-1" };
  return object("apps/v1 StatefulSet", {
    metadata: { generation: 2 },
    spec: { replicas: 3, updateStrategy: { type: "RollingUpdate" }, ...spec },
    status: { observedGeneration: 2, ...ready, ...revisions, ...status },
  });
}

function daemonSet(status: Json): KubeObject {
  const all = { desiredNumberScheduled: 2, currentNumberScheduled: 2, updatedNumberScheduled: 2 };
  const full = { observedGeneration: 1, ...all, numberAvailable: 2, numberReady: 2, ...status };
  return object("apps/v1 DaemonSet", { metadata: { generation: 1 }, status: full });
}

function replicaSet(status: Json): KubeObject {
  const full = { observedGeneration: 1, replicas: 2, fullyLabeledReplicas: 2, readyReplicas: 2, availableReplicas: 2 };
  return object("apps/v1 ReplicaSet", {
    metadata: { generation: 1 },
    spec: { replicas: 2 },
    status: { ...full, ...status },
  });
}

function job(status: Json, spec: Json = {}): KubeObject {
  return object("batch/v1 Job", { metadata: { generation: 1 }, spec, status });
}

function pod(status: Json, creationTimestamp = "2026-01-01T00:00:00Z"): KubeObject {
  return object("v1 Pod", { metadata: { creationTimestamp }, status });
}

const ROLLED = { replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 };
const STARTED = { startTime: "2026-01-01T00:00:00Z" };
const UNSCHEDULABLE = {
  phase: "Pending",
  conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message: "0/1 nodes are available" }],
};
const LOOPING = {
  phase: "Running",
  conditions: [{ type: "Ready", status: "False" }],
  containerStatuses: [{ name: "app", state: { waiting: { reason: "CrashLoopBackOff" } } }, { name: "side", state: {} }],
};
const UNSEEN = "The last change is not looked at yet";

const CASES: Record<string, [object: KubeObject, state: KStatus["state"], message: string]> = {
  "a Deployment that is rolled out": [deployment(ROLLED), "current", ""],
  "a Deployment of no Pods": [deployment({}, { replicas: 0 }), "current", ""],
  "a Deployment that nobody has looked at": [
    object("apps/v1 Deployment", { metadata: { generation: 1 }, spec: { replicas: 0 } }),
    "inProgress",
    "Not looked at yet",
  ],
  "a Deployment whose status is about an older spec": [
    deployment({ ...ROLLED, observedGeneration: 2 }),
    "inProgress",
    UNSEEN,
  ],
  "a Deployment with too few new Pods": [
    deployment({ ...ROLLED, updatedReplicas: 1 }),
    "inProgress",
    "Pods of the new version: 1 of 2",
  ],
  "a Deployment whose Pods are not available": [
    deployment({ ...ROLLED, availableReplicas: 1, conditions: UNAVAILABLE }),
    "inProgress",
    "Pods that are available: 1 of 2",
  ],
  "a Deployment with Pods of older versions": [
    deployment({ ...ROLLED, replicas: 3 }),
    "inProgress",
    "Pods of older versions that are left: 1",
  ],
  "a Deployment without the condition Available": [
    deployment({ ...ROLLED, conditions: UNAVAILABLE }),
    "inProgress",
    "Not available yet",
  ],
  "a Deployment past its deadline": [
    deployment({ conditions: [{ type: "Progressing", status: "False", reason: "ProgressDeadlineExceeded" }] }),
    "failed",
    "The rollout has made no progress within its deadline",
  ],
  "a Deployment whose Pods a quota refuses": [
    deployment({
      conditions: [{
        type: "ReplicaFailure",
        status: "True",
        reason: "FailedCreate",
        message: 'pods "shop-5d9c-x7z2p" is forbidden: exceeded quota: environment',
      }],
    }),
    "inProgress",
    "Pods cannot be made: forbidden: exceeded quota: environment",
  ],
  "a Deployment that is being deleted": [
    object("apps/v1 Deployment", { metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } }),
    "terminating",
    "Is being deleted",
  ],
  "a StatefulSet that is rolled out": [statefulSet({}), "current", ""],
  "a StatefulSet with too few Pods": [statefulSet({ replicas: 1, readyReplicas: 1 }), "inProgress", "Pods: 1 of 3"],
  "a StatefulSet whose Pods are not ready": [
    statefulSet({ readyReplicas: 2 }),
    "inProgress",
    "Pods that are ready: 2 of 3",
  ],
  "a StatefulSet with too many Pods": [statefulSet({ replicas: 4 }), "inProgress", "Pods that are too many: 1"],
  "a StatefulSet between two revisions": [
    statefulSet({ updateRevision: "shop-2", updatedReplicas: 1, currentReplicas: 2 }),
    "inProgress",
    "Pods of the new version: 1 of 3",
  ],
  "a StatefulSet rolled out to its partition": [
    statefulSet(
      { updateRevision: "shop-2", updatedReplicas: 1, currentReplicas: 2 },
      { updateStrategy: { rollingUpdate: { partition: 2 } } },
    ),
    "current",
    "",
  ],
  "a StatefulSet short of its partition": [
    statefulSet(
      { updateRevision: "shop-2", updatedReplicas: 0 },
      { updateStrategy: { rollingUpdate: { partition: 2 } } },
    ),
    "inProgress",
    "Pods of the new version: 0 of 1",
  ],
  "a StatefulSet that is rolled by hand": [
    statefulSet({ readyReplicas: 0 }, { updateStrategy: { type: "OnDelete" } }),
    "current",
    "",
  ],
  "a StatefulSet that nobody has looked at": [
    object("apps/v1 StatefulSet", { spec: {} }),
    "inProgress",
    "Not looked at yet",
  ],
  "a DaemonSet on all nodes": [daemonSet({}), "current", ""],
  "a DaemonSet without nodes for it": [
    daemonSet({ desiredNumberScheduled: 0, currentNumberScheduled: 0, numberAvailable: 0, numberReady: 0 }),
    "current",
    "",
  ],
  "a DaemonSet that nobody has looked at": [object("apps/v1 DaemonSet", {}), "inProgress", "Not looked at yet"],
  "a DaemonSet that is being updated": [
    daemonSet({ updatedNumberScheduled: 1 }),
    "inProgress",
    "Pods of the new version: 1 of 2",
  ],
  "a DaemonSet whose Pods are not available": [
    daemonSet({ numberAvailable: 0 }),
    "inProgress",
    "Pods that are available: 0 of 2",
  ],
  "a ReplicaSet with all Pods": [replicaSet({}), "current", ""],
  "a ReplicaSet whose Pods are not available": [
    replicaSet({ availableReplicas: 0 }),
    "inProgress",
    "Pods that are available: 0 of 2",
  ],
  "a ReplicaSet whose Pods cannot be made": [
    replicaSet({ conditions: [{ type: "ReplicaFailure", status: "True", message: "exceeded quota" }] }),
    "inProgress",
    "Pods cannot be made: exceeded quota",
  ],
  "a ReplicaSet with too many Pods": [replicaSet({ replicas: 3 }), "inProgress", "Pods that are too many: 1"],
  "a Job that has not started": [job({}), "inProgress", "Not started yet"],
  "a Job that runs": [job({ ...STARTED, active: 1 }), "inProgress", "Runs: 1 active, 0 succeeded, 0 failed"],
  "a Job that is complete": [
    job({
      ...STARTED,
      succeeded: 1,
      conditions: [
        { type: "SuccessCriteriaMet", status: "True", lastTransitionTime: "2026-01-01T00:00:05Z" },
        { type: "Complete", status: "True", lastTransitionTime: "2026-01-01T00:00:05Z" },
      ],
    }),
    "current",
    "",
  ],
  "a Job that failed": [
    job({
      ...STARTED,
      failed: 1,
      conditions: [{
        type: "Failed",
        status: "True",
        reason: "BackoffLimitExceeded",
        message: "Job has reached the specified backoff limit",
        lastTransitionTime: "2026-01-01T00:00:05Z",
      }],
    }),
    "failed",
    "Failed (BackoffLimitExceeded): Job has reached the specified backoff limit",
  ],
  "a Job that its author suspended": [
    job({ conditions: [{ type: "Suspended", status: "True" }] }, { suspend: true }),
    "current",
    "",
  ],
  "a Pod that is ready": [pod({ phase: "Running", conditions: [{ type: "Ready", status: "True" }] }), "current", ""],
  "a Pod that is not ready": [pod({ phase: "Running" }), "inProgress", "Runs, but is not ready"],
  "a Pod that is over": [pod({ phase: "Succeeded" }), "current", ""],
  "a Pod that failed": [pod({ phase: "Failed", reason: "Evicted" }), "failed", "Ended with a failure (Evicted)"],
  "a Pod whose container ends again and again": [pod(LOOPING), "failed", "Containers end again and again: app"],
  "a Pod that nobody has looked at": [pod({}), "inProgress", "Not looked at yet"],
  "a Pod that is being started": [pod({ phase: "Pending" }), "inProgress", "Is being started"],
  "a Pod without a node for long": [pod(UNSCHEDULABLE), "failed", "Cannot be scheduled: 0/1 nodes are available"],
  "a Pod without a node for a moment": [pod(UNSCHEDULABLE, "2026-01-01T00:59:50Z"), "inProgress", "Is being started"],
  "a claim that is bound": [object("v1 PersistentVolumeClaim", { status: { phase: "Bound" } }), "current", ""],
  "a claim that waits": [
    object("v1 PersistentVolumeClaim", { status: { phase: "Pending" } }),
    "inProgress",
    "Is not bound yet",
  ],
  "a claim whose volume is gone": [
    object("v1 PersistentVolumeClaim", { status: { phase: "Lost" } }),
    "failed",
    "The volume that it was bound to is gone",
  ],
  "a Service": [object("v1 Service", { spec: { type: "ClusterIP" }, status: { loadBalancer: {} } }), "current", ""],
  "a load balancer without an address": [
    object("v1 Service", { spec: { type: "LoadBalancer" }, status: { loadBalancer: {} } }),
    "inProgress",
    "The load balancer has no address yet",
  ],
  "a load balancer with an address": [
    object("v1 Service", {
      spec: { type: "LoadBalancer" },
      status: { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } },
    }),
    "current",
    "",
  ],
};

for (const [name, [given, state, message]] of Object.entries(CASES)) {
  Deno.test(`kstatus: ${name} is ${state}`, () => assert.deepEqual(kstatusOf(given, NOW), { state, message }));
}
