import assert from "node:assert/strict";
import type { KubeObject } from "../api/object.ts";
import { failureOf, firstFailure, lastFailure, type PodFailure, podShape } from "./pod_failure.ts";
import { containerStatus, pod, running, terminated, waiting } from "./test_pods.ts";

type Expected = Partial<Omit<PodFailure, "pod">> | undefined;

const IMAGE_GONE = 'failed to resolve reference "shop:v1": not found';
const STARTED_AGO = { lastTransitionTime: "2026-01-01T00:00:00Z" };

const FAILURES: Record<string, { pod: KubeObject; failure: Expected }> = {
  "a Pod that nobody has looked at yet": { pod: pod({ status: {} }), failure: undefined },
  "a Pod without any status": { pod: { ...pod(), status: undefined }, failure: undefined },
  "a container that is being created": {
    pod: pod({ app: { state: waiting("ContainerCreating") } }),
    failure: undefined,
  },
  "a container that waits for init containers": {
    pod: pod({ app: { state: waiting("PodInitializing") } }),
    failure: undefined,
  },
  "a container that runs and is not ready yet": { pod: pod({ app: { state: running() } }), failure: undefined },
  "a container that was restarted and is ready": {
    pod: pod({ app: { state: running(), ready: true, restartCount: 3, lastState: terminated(1, "Error") } }),
    failure: undefined,
  },
  "an image that does not exist": {
    pod: pod({ app: { state: waiting("ErrImagePull", IMAGE_GONE) } }),
    failure: {
      container: "app",
      reason: "ImagePullBackOff",
      message: `Container "app" of Pod "shop-1" cannot pull image "shop:v1": ${IMAGE_GONE}`,
      mayPass: false,
      log: undefined,
    },
  },
  "a pull without a word why": {
    pod: pod({ app: { state: waiting("ImagePullBackOff", 'Back-off pulling image "shop:v1"') } }),
    failure: { message: 'Container "app" of Pod "shop-1" cannot pull image "shop:v1"' },
  },
  "an image name that is none": {
    pod: pod({ app: { state: waiting("InvalidImageName", "couldn't parse image reference") } }),
    failure: {
      reason: "InvalidImageName",
      message: 'Container "app" of Pod "shop-1" cannot start: couldn\'t parse image reference',
    },
  },
  "a key that a Secret does not have": {
    pod: pod({ app: { state: waiting("CreateContainerConfigError", "couldn't find key token in Secret") } }),
    failure: { reason: "CreateContainerConfigError", mayPass: false, log: undefined },
  },
  "a reason without a message": {
    pod: pod({ app: { state: waiting("CreateContainerError") } }),
    failure: { message: 'Container "app" of Pod "shop-1" cannot start: CreateContainerError' },
  },
  "a first exit": {
    pod: pod({ app: { state: terminated(2, "Error") } }),
    failure: {
      reason: "CrashLoopBackOff",
      message: 'Container "app" of Pod "shop-1" exited with code 2 (Error)',
      log: { previous: false, run: "containerd://run-1" },
    },
  },
  "an exit with code 0 of what should run for ever": {
    pod: pod({ app: { state: waiting("CrashLoopBackOff"), restartCount: 1, lastState: terminated(0, "Completed") } }),
    failure: {
      reason: "CrashLoopBackOff",
      message: 'Container "app" of Pod "shop-1" exited with code 0 (Completed), restarted once',
    },
  },
  "an exit with code 0 of what should end": {
    pod: pod({ app: { state: terminated(0, "Completed") }, spec: { restartPolicy: "Never" } }),
    failure: undefined,
  },
  "an exit of what is not restarted": {
    pod: pod({ app: { state: terminated(3, "Error") }, spec: { restartPolicy: "Never" }, status: { phase: "Failed" } }),
    failure: { reason: "Error", mayPass: false, log: { previous: false, run: "containerd://run-1" } },
  },
  "a loop of crashes that waits": {
    pod: pod({
      app: {
        state: waiting("CrashLoopBackOff", "back-off 40s"),
        restartCount: 4,
        lastState: terminated(1, "Error", 4),
      },
    }),
    failure: {
      reason: "CrashLoopBackOff",
      message: 'Container "app" of Pod "shop-1" exited with code 1 (Error), restarted 4 times',
      mayPass: false,
      log: { previous: true, run: "containerd://run-4" },
    },
  },
  "a loop of crashes of which the kubelet has forgotten the ends": {
    pod: pod({
      app: { state: waiting("CrashLoopBackOff", "back-off 40s restarting failed container"), restartCount: 4 },
    }),
    failure: {
      reason: "CrashLoopBackOff",
      message: 'Container "app" of Pod "shop-1" cannot start: it ended again and again',
    },
  },
  "a loop of crashes before the first restart is counted": {
    pod: pod({ app: { state: waiting("CrashLoopBackOff"), lastState: terminated(1, "Error") } }),
    failure: {
      reason: "CrashLoopBackOff",
      message: 'Container "app" of Pod "shop-1" exited with code 1 (Error)',
      log: { previous: true, run: "containerd://run-1" },
    },
  },
  "too little memory": {
    pod: pod({ app: { state: waiting("CrashLoopBackOff"), restartCount: 2, lastState: terminated(137, "OOMKilled") } }),
    failure: {
      reason: "OOMKilled",
      message: 'Container "app" of Pod "shop-1" exited with code 137 (OOMKilled), restarted 2 times',
    },
  },
  "a command that does not exist has no log and says why": {
    pod: pod({
      app: {
        state: waiting("RunContainerError", "failed to create containerd task"),
        lastState: { terminated: { exitCode: 128, reason: "StartError", message: 'exec: "foo": not found in $PATH' } },
      },
    }),
    failure: {
      reason: "CrashLoopBackOff",
      message: 'Container "app" of Pod "shop-1" exited with code 128 (StartError): exec: "foo": not found in $PATH',
      log: undefined,
    },
  },
  "an end without id is told by its time": {
    pod: pod({ app: { state: { terminated: { exitCode: 1, finishedAt: "2026-01-01T00:00:09Z" } } } }),
    failure: { reason: "CrashLoopBackOff", log: { previous: false, run: "2026-01-01T00:00:09Z" } },
  },
  "an init container that fails": {
    pod: pod({
      app: { state: waiting("PodInitializing") },
      status: {
        initContainerStatuses: [
          containerStatus({ name: "first", ready: true, state: terminated(0, "Completed") }),
          containerStatus({ name: "second", state: terminated(9, "Error", 2) }),
        ],
        containerStatuses: [containerStatus({ state: waiting("PodInitializing") })],
      },
    }),
    failure: { container: "second", message: 'Container "second" of Pod "shop-1" exited with code 9 (Error)' },
  },
  "an init container whose image does not exist": {
    pod: pod({
      spec: { initContainers: [{ name: "migrate", image: "migrate:v1" }] },
      status: { initContainerStatuses: [containerStatus({ name: "migrate", state: waiting("ErrImagePull", "no") })] },
    }),
    failure: { message: 'Container "migrate" of Pod "shop-1" cannot pull image "migrate:v1": no' },
  },
  "no node takes it: that may pass": {
    pod: pod({
      status: {
        conditions: [{
          type: "PodScheduled",
          status: "False",
          reason: "Unschedulable",
          message: "0/3 nodes",
          ...STARTED_AGO,
        }],
      },
    }),
    failure: {
      container: "",
      reason: "Unschedulable",
      message: 'Pod "shop-1" cannot be scheduled: 0/3 nodes',
      mayPass: true,
      since: Date.UTC(2026, 0, 1),
    },
  },
  "a Pod that is held back on purpose": {
    pod: pod({ status: { conditions: [{ type: "PodScheduled", status: "False", reason: "SchedulingGated" }] } }),
    failure: undefined,
  },
  "evicted: another Pod is made": {
    pod: pod({
      status: { phase: "Failed", reason: "Evicted", message: "The node was low on resource: memory." },
      app: { state: terminated(137, "Error") },
    }),
    failure: {
      container: "",
      reason: "Evicted",
      message: 'Pod "shop-1" was ended (Evicted): The node was low on resource: memory.',
      mayPass: true,
      log: undefined,
    },
  },
  "evicted, and nobody makes another": {
    pod: pod({ status: { phase: "Failed", reason: "Evicted" }, spec: { restartPolicy: "Never" } }),
    failure: { reason: "Evicted", message: 'Pod "shop-1" was ended (Evicted)', mayPass: false },
  },
  "ended by a node that shut down without a reason": {
    pod: pod({
      status: { phase: "Failed", containerStatuses: [containerStatus({ state: terminated(137, "Error") })] },
    }),
    failure: { reason: "Error", mayPass: true },
  },
  "a reason that is no word": {
    pod: pod({ status: { phase: "Failed", reason: "OutOfnvidia.com/gpu" } }),
    failure: { reason: "OutOfnvidiacomgpu" },
  },
};

for (const [sentence, { pod, failure }] of Object.entries(FAILURES)) {
  Deno.test(`failureOf(): ${sentence}`, () => {
    const found = failureOf(pod);
    if (!failure) return assert.equal(found, undefined);
    assert.ok(found);
    for (const [name, value] of Object.entries(failure)) assert.deepEqual(found[name as keyof PodFailure], value, name);
    assert.deepEqual(failureOf(podShape(pod)), { ...found, pod: podShape(pod) }, "the same of what caches keep");
  });
}

Deno.test("failureOf() cuts what a registry sends without end", () => {
  const { message } = failureOf(pod({ app: { state: waiting("ErrImagePull", "😀".repeat(5000)) } }))!;
  assert.ok(message.endsWith("😀…"), message.slice(-10));
  assert.ok(message.length < 2200);
});

const crashed = { state: terminated(1, "Error") };
const unschedulable = { conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable" }] };

const SEVERAL: Record<string, { pods: KubeObject[]; first: string | undefined }> = {
  "none": { pods: [], first: undefined },
  "all well": { pods: [pod({ app: { ready: true, state: running() } })], first: undefined },
  "the first by name": {
    pods: [pod({ name: "b", app: crashed }), pod({ name: "a", app: crashed })],
    first: "a",
  },
  "one that fails behind one that does not": {
    pods: [pod({ name: "a", app: { ready: true } }), pod({ name: "b", app: crashed })],
    first: "b",
  },
  "one that stays before one that may pass": {
    pods: [pod({ name: "a", status: unschedulable }), pod({ name: "b", app: crashed })],
    first: "b",
  },
  "one that may pass when there is no other": {
    pods: [pod({ name: "a", app: { ready: true } }), pod({ name: "b", status: unschedulable })],
    first: "b",
  },
  "not one that is being deleted": {
    pods: [pod({ name: "a", app: crashed, metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } })],
    first: undefined,
  },
};

for (const [sentence, { pods, first }] of Object.entries(SEVERAL)) {
  Deno.test(`firstFailure(): ${sentence}`, () => {
    const before = pods.map(({ metadata }) => metadata.name);
    assert.equal(firstFailure(pods)?.pod.metadata.name, first);
    assert.deepEqual(pods.map(({ metadata }) => metadata.name), before, "the cache's list stays as it is");
  });
}

Deno.test("lastFailure() is that of the Pod that ended last, whatever the names, and of none that did not fail", () => {
  const ended = (name: string, exitCode: number, run: number): KubeObject =>
    pod({ name, spec: { restartPolicy: "Never" }, app: { state: terminated(exitCode, "Error", run) } });
  const pods = [ended("c", 1, 1), ended("a", 2, 3), ended("b", 1, 2), ended("d", 0, 4), pod({ name: "e" })];
  assert.match(lastFailure(pods)?.message ?? "", /^Container "app" of Pod "a" exited with code 2/);
  assert.deepEqual(pods.map(({ metadata }) => metadata.name), ["c", "a", "b", "d", "e"]);
  const evicted = pod({ status: { phase: "Failed", reason: "Evicted" } });
  assert.equal(lastFailure([evicted, pod({ name: "e" })])?.reason, "Evicted");
  assert.equal(lastFailure([]), undefined);
});

Deno.test("podShape() drops environments, volumes and what else may be long or secret", () => {
  const whole = pod({
    app: crashed,
    spec: { containers: [{ name: "app", image: "shop:v1", env: [{ name: "TOKEN", value: "secret" }] }], volumes: [{}] },
    status: {
      conditions: [{ type: "Ready", status: "False" }, { type: "PodScheduled", status: "True" }],
      podIP: "10.0.0.1",
    },
  });
  const shape = podShape(whole);
  assert.doesNotMatch(JSON.stringify(shape), /secret|volumes|podIP|"Ready"/);
  assert.equal(shape.metadata.uid, whole.metadata.uid);
});
