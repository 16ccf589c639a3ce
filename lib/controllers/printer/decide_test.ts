import assert from "node:assert/strict";
import { childOf, ended, endedJob, podOfJob, podStatus, printer, SETTINGS } from "../../../tests/fixtures/printing.ts";
import type { KubeObject } from "../../api/object.ts";
import type { Printer } from "../../api/printer.ts";
import { changesFor } from "../../runtime/changes.ts";
import type { Plan } from "../../runtime/definition.ts";
import { statusOf } from "../../runtime/status.ts";
import { failureOf } from "../../workload/pod_failure.ts";
import { decide } from "./decide.ts";
import { requestDigest } from "./desired.ts";
import type { Seen } from "./gather.ts";

const NOW = Date.UTC(2026, 0, 1);
const FINISHED = "2026-01-01T00:00:00Z";

const PRINTED = { podName: "hello", exitCode: 0, output: "Hello", finishedAt: FINISHED };
const FAILED = {
  podName: "hello",
  exitCode: 3,
  finishedAt: FINISHED,
  failureReason: "Error",
  failureMessage: "exited with code 3",
};
const INVENTORY = [{ kind: "Pod", namespace: "team", name: "hello" }];

/** A Printer whose status remembers what became of it. */
function recorded(fields: Record<string, unknown>, spec: Partial<Printer["spec"]> = {}): Printer {
  const requested = requestDigest(printer(spec).spec);
  return printer(spec, { phase: "Completed", requestDigest: requested, inventory: INVENTORY, ...fields });
}

function seen(owner: Printer, more: Partial<Seen> = {}): Seen {
  return { owner, settings: SETTINGS, others: [], log: "", output: "", ...more };
}

/** A Pod as child and as what prints. */
function withPod(owner: Printer, status?: Record<string, unknown>, more: Partial<Seen> = {}): Seen {
  const pod = childOf(owner, status);
  return seen(owner, { child: pod, pod, failure: failureOf(pod), ...more });
}

function withJob(owner: Printer, status: Record<string, unknown>, pod?: Record<string, unknown>): Seen {
  const child = childOf(owner, status);
  const its = pod && podOfJob(child, "x1", pod);
  return seen(owner, { child, pod: its, failure: its && failureOf(its), output: pod ? "Hello\n" : "" });
}

function leaving(what: Seen): Seen {
  const child = gone(what.child!);
  return { ...what, child, pod: child, failure: undefined };
}

function gone(object: KubeObject): KubeObject {
  return { ...object, metadata: { ...object.metadata, deletionTimestamp: FINISHED } };
}

function relabelled(what: Seen, labels: Record<string, string>): Seen {
  const { metadata } = what.child!;
  const child = { ...what.child!, metadata: { ...metadata, labels: { ...metadata.labels, ...labels } } };
  return { ...what, child, pod: child };
}

/** What a plan means for the cluster. */
type Deed = "leaves all" | "makes the child" | "clears" | "marks the child";

function deedOf({ desired }: Plan): Deed {
  if (!desired) return "leaves all";
  return desired.length === 0 ? "clears" : desired[0]!.spec ? "makes the child" : "marks the child";
}

const LISTED = { inventory: INVENTORY };
const JOB = { mode: "Job" } as const;
const PULL = { waiting: { reason: "ErrImagePull", message: "not found" } };
const RUNNING = { running: { startedAt: FINISHED } };

const CASES: Record<string, [Seen, Deed, phase: string, reason: string]> = {
  "a new Printer gets its Pod": [seen(printer()), "makes the child", "Pending", "Creating"],
  "a new Printer in mode Job gets its Job": [seen(printer(JOB)), "makes the child", "Pending", "Creating"],
  "a Pod that was just made is marked, which lists it": [
    withPod(printer(), {}),
    "marks the child",
    "Pending",
    "Starting",
  ],
  "a Pod on its way is left alone": [withPod(printer({}, LISTED), {}), "leaves all", "Pending", "Starting"],
  "a Pod that runs is Running": [
    withPod(printer({}, LISTED), podStatus("Running", RUNNING)),
    "leaves all",
    "Running",
    "Printing",
  ],
  "a Pod whose labels were changed gets its own back": [
    relabelled(withPod(printer({}, LISTED), podStatus("Running", RUNNING)), { "app.kubernetes.io/instance": "x" }),
    "marks the child",
    "Running",
    "Printing",
  ],
  "a Pod that was deleted while it ran is waited for": [
    leaving(withPod(printer({}, LISTED), podStatus("Running", RUNNING))),
    "clears",
    "Pending",
    "Replacing",
  ],
  "a Pod that was stopped by its deletion did not fail": [
    leaving(withPod(printer({}, LISTED), ended(143))),
    "clears",
    "Pending",
    "Replacing",
  ],
  "a Pod that printed before it was deleted has printed": [
    leaving(withPod(printer({}, LISTED), ended(0))),
    "leaves all",
    "Completed",
    "Printed",
  ],
  "a Pod that is gone is made again": [seen(printer({}, LISTED)), "makes the child", "Pending", "Creating"],
  "a Pod of an older text goes first": [
    seen(printer({}, LISTED), { others: [childOf(printer({ textToPrint: "Old" }))] }),
    "clears",
    "Pending",
    "Replacing",
  ],
  "a Pod of the other mode goes first": [
    seen(printer(JOB, LISTED), { others: [childOf(printer())] }),
    "clears",
    "Pending",
    "Replacing",
  ],
  "a Pod that cannot start goes when the operator has another image": [
    { ...withPod(printer({}, LISTED), podStatus("Pending", PULL)), settings: { image: "busybox:2" } },
    "clears",
    "Pending",
    "Replacing",
  ],
  "a Pod that prints is not stopped when the operator has another image": [
    { ...withPod(printer({}, LISTED), podStatus("Running", RUNNING)), settings: { image: "busybox:2" } },
    "leaves all",
    "Running",
    "Printing",
  ],
  "an image that cannot be pulled is Failed": [
    withPod(printer({}, LISTED), podStatus("Pending", PULL)),
    "leaves all",
    "Failed",
    "ImagePullBackOff",
  ],
  "a Pod that no node has room for is Pending": [
    withPod(printer({}, LISTED), {
      phase: "Pending",
      conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message: "0/1 nodes" }],
    }),
    "leaves all",
    "Pending",
    "Unschedulable",
  ],
  "exit code 0 and a log is Completed": [
    withPod(printer({}, LISTED), ended(0), { output: "Hello\n" }),
    "leaves all",
    "Completed",
    "Printed",
  ],
  "a log that cannot be read yet is waited for": [
    withPod(printer({}, LISTED), ended(0)),
    "leaves all",
    "Running",
    "ReadingLog",
  ],
  "a log that cannot be read is not waited for for ever": [
    withPod(printer({}, LISTED), ended(0, "2025-12-31T23:59:50Z")),
    "leaves all",
    "Completed",
    "Printed",
  ],
  "a Pod that succeeded without a word about its container is Completed without a log": [
    withPod(printer({}, LISTED), { phase: "Succeeded" }),
    "leaves all",
    "Completed",
    "Printed",
  ],
  "a sidecar that runs on does not keep it from being Completed": [
    withPod(printer({}, LISTED), { ...ended(0), phase: "Running" }, { output: "Hello\n" }),
    "leaves all",
    "Completed",
    "Printed",
  ],
  "another exit code is Failed": [withPod(printer({}, LISTED), ended(3)), "leaves all", "Failed", "Error"],
  "a Pod that was evicted is Failed with the kubelet's reason": [
    withPod(printer({}, LISTED), { phase: "Failed", reason: "Evicted", message: "The node was low on memory" }),
    "leaves all",
    "Failed",
    "Evicted",
  ],
  "a Pod that failed without a word is Failed": [
    withPod(printer({}, LISTED), { phase: "Failed" }),
    "leaves all",
    "Failed",
    "PodFailed",
  ],
  "what was printed stays so without its Pod": [seen(recorded(PRINTED)), "clears", "Completed", "Printed"],
  "what was printed stays so when the operator has another image": [
    { ...withPod(recorded(PRINTED), ended(0)), settings: { image: "busybox:2" } },
    "leaves all",
    "Completed",
    "Printed",
  ],
  "what was printed is printed again when the text changes": [
    seen({ ...recorded(PRINTED), spec: { textToPrint: "Bye", mode: "Pod" } }),
    "makes the child",
    "Pending",
    "Creating",
  ],
  "what was printed is not printed again when its TTL changes": [
    seen(recorded(PRINTED, { ttlSecondsAfterFinished: 9 })),
    "clears",
    "Completed",
    "Printed",
  ],
  "what has printed is removed when its TTL is over": [
    withPod(recorded(PRINTED, { ttlSecondsAfterFinished: 0 }), ended(0)),
    "clears",
    "Completed",
    "Printed",
  ],
  "what has just printed is recorded before its TTL counts": [
    withPod(printer({ ttlSecondsAfterFinished: 0 }, LISTED), ended(0), { output: "Hello\n" }),
    "leaves all",
    "Completed",
    "Printed",
  ],
  "what has printed is kept until its TTL is over": [
    withPod(recorded(PRINTED, { ttlSecondsAfterFinished: 1 }), ended(0)),
    "leaves all",
    "Completed",
    "Printed",
  ],
  "what failed stays so while its Pod is there": [withPod(recorded(FAILED), ended(3)), "leaves all", "Failed", "Error"],
  "what failed is tried again when its Pod is deleted": [
    seen(recorded(FAILED)),
    "makes the child",
    "Pending",
    "Creating",
  ],
  "what failed is not tried again when its TTL took the Pod": [
    seen(recorded(FAILED, { ttlSecondsAfterFinished: 0 })),
    "clears",
    "Failed",
    "Error",
  ],
  "what failed is not tried again when a TTL that was taken back took the Pod": [
    seen(recorded({ ...FAILED, inventory: [] })),
    "clears",
    "Failed",
    "Error",
  ],
  "a Job without Pods is Pending": [withJob(printer(JOB), {}), "marks the child", "Pending", "Starting"],
  "a Job whose Pod runs is Running": [
    withJob(printer(JOB), { active: 1 }, podStatus("Running", RUNNING)),
    "marks the child",
    "Running",
    "Printing",
  ],
  "a Job that tries again is Pending": [
    withJob(printer(JOB), { failed: 1 }, ended(3)),
    "marks the child",
    "Pending",
    "Retrying",
  ],
  "a Job whose Pod has succeeded is Running until the Job says so": [
    withJob(printer(JOB), { active: 1 }, ended(0)),
    "marks the child",
    "Running",
    "Printing",
  ],
  "a Job whose Pod cannot be pulled is Failed": [
    withJob(printer(JOB), { active: 1 }, podStatus("Pending", PULL)),
    "marks the child",
    "Failed",
    "ImagePullBackOff",
  ],
  "a Job that is complete is Completed": [
    withJob(printer(JOB), endedJob("Complete"), ended(0)),
    "marks the child",
    "Completed",
    "Printed",
  ],
  "a Job that is complete waits for its Pod to be seen": [
    withJob(printer(JOB), endedJob("Complete")),
    "marks the child",
    "Running",
    "ReadingLog",
  ],
  "a Job that has given up is Failed with its container's reason": [
    withJob(printer(JOB), endedJob("Failed"), ended(3)),
    "marks the child",
    "Failed",
    "Error",
  ],
  "a Job that has given up without a Pod is Failed with its own reason": [
    withJob(printer(JOB), endedJob("Failed")),
    "marks the child",
    "Failed",
    "BackoffLimitExceeded",
  ],
};

for (const [sentence, [what, deed, phase, reason]] of Object.entries(CASES)) {
  Deno.test(`decide(): ${sentence}`, () => {
    const plan = decide(what, NOW);
    assert.deepEqual([deedOf(plan), plan.report.phase, plan.report.reason], [deed, phase, reason]);
    const state = phase === "Completed" ? "ready" : phase === "Failed" ? "stalled" : "reconciling";
    assert.equal(plan.report.state, state);
  });
}

Deno.test("decide() says the same when it reads from the status what it saw before", () => {
  for (const [code, log] of [[0, ""], [3, "no space left"]] as const) {
    const owner = printer({ ttlSecondsAfterFinished: 60 }, LISTED);
    const first = decide(withPod(owner, ended(code), { output: "Hello\n", log }), NOW);
    const status = statusOf(owner, { inventory: INVENTORY, ...first.report }, NOW) as Printer["status"];
    const second = decide(withPod({ ...owner, status }, ended(code)), NOW + 1000);
    const after = statusOf({ ...owner, status }, { inventory: INVENTORY, ...second.report }, NOW + 1000);
    assert.deepEqual(after, { ...status });
  }
});

Deno.test("decide() looks again when the TTL is over, at once when it is over already", () => {
  const timed = (ttlSecondsAfterFinished: number, now: number): number | undefined =>
    decide(withPod(printer({ ttlSecondsAfterFinished }), ended(0), { output: "x" }), now).report.lookAgainAt;
  assert.equal(timed(60, NOW), NOW + 60_000);
  assert.equal(timed(60, NOW + 90_000), NOW + 90_000);
  assert.equal(decide(withPod(printer(), ended(0), { output: "x" }), NOW).report.lookAgainAt, undefined);
  const kept = withPod(recorded(PRINTED, { ttlSecondsAfterFinished: 60 }), ended(0));
  assert.equal(decide(kept, NOW).report.lookAgainAt, NOW + 60_000);
});

Deno.test("decide() reports exit code, output without the newline of its own, and the outcome", () => {
  const { report } = decide(withPod(printer(), ended(0), { output: "a\n\n" }), NOW);
  const digest = requestDigest(printer().spec);
  assert.deepEqual(report.fields, {
    podName: "hello",
    exitCode: 0,
    output: "a\n",
    finishedAt: FINISHED,
    requestDigest: digest,
  });
  assert.deepEqual(report.outcome, { outcome: "Completed", image: SETTINGS.image, reason: "Printed" });
});

Deno.test("decide() tells exit code and log of a failure", () => {
  const { report } = decide(withPod(printer(), ended(3), { log: "printf: write error" }), NOW);
  assert.equal(
    report.message,
    'Container "printer" of Pod "hello" exited with code 3 (Error); the last lines of its log:\nprintf: write error',
  );
  assert.equal(report.fields?.exitCode, 3);
  assert.equal(report.outcome?.outcome, "Failed");
});

Deno.test("decide() cuts an output that is too long by characters, not inside one", () => {
  const { report } = decide(withPod(printer(), ended(0), { output: "🖨".repeat(2000) }), NOW);
  assert.equal(report.fields?.output, "🖨".repeat(1024));
});

Deno.test("marking a Pod changes nothing but marks, and once", () => {
  const owner = printer({}, LISTED);
  const plan = decide(
    relabelled(withPod(owner, {}), { "maquette.dev/request": requestDigest(owner.spec), a: "b" }),
    NOW,
  );
  assert.equal(plan.desired, undefined, "labels of others do not count");
  const defaced = relabelled(withPod(owner, {}), { "app.kubernetes.io/part-of": "x" });
  const changes = changesFor(owner, decide(defaced, NOW).desired!, [defaced.child!]);
  assert.equal(changes.update.length, 1);
  const { metadata } = changes.update[0]!.desired;
  const labels = { ...defaced.child!.metadata.labels, ...metadata.labels };
  const after = { ...defaced.child!, metadata: { ...metadata, labels } };
  assert.equal(changes.update[0]!.desired.spec, undefined);
  assert.equal(decide({ ...defaced, child: after, pod: after }, NOW).desired, undefined);
});
