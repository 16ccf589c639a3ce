import assert from "node:assert/strict";
import type { KubeObject } from "../api/object.ts";
import { type BuildState, buildState } from "./state.ts";
import { DIGEST, ended, endedPod, request, seenJob } from "./test_builds.ts";

const RUNNING = seenJob(request());
const DONE = seenJob(request(), { status: ended("Complete") });
const FAILED = seenJob(request(), { status: ended("Failed") });

function phase({ phase }: BuildState): string {
  return phase;
}

Deno.test("a build without a Job is none, one without an end is running", () => {
  assert.deepEqual(buildState(undefined, []), { phase: "none" });
  assert.deepEqual(buildState(RUNNING, []), { phase: "running" });
});

Deno.test("a build that ended well has the digest that its container left", () => {
  const pods = [endedPod(DONE, { exitCode: 0, message: `${DIGEST}\n` })];
  assert.deepEqual(buildState(DONE, pods), { phase: "succeeded", digest: DIGEST });
});

const useless: Record<string, KubeObject[]> = {
  "whose Pod is gone": [],
  "whose last word is no digest": [endedPod(DONE, { exitCode: 0, message: "sha256:short" })],
  "that said nothing": [endedPod(DONE, { exitCode: 0 })],
  "whose failed try left one": [endedPod(DONE, { exitCode: 1, message: DIGEST })],
  "of which another namespace has a Pod": [
    endedPod(seenJob(request(), { metadata: { namespace: "other" } }), { exitCode: 0, message: DIGEST }),
  ],
  "of which an earlier Job of the name has a Pod": [
    endedPod(seenJob(request(), { metadata: { uid: "earlier" } }), { exitCode: 0, message: DIGEST }),
  ],
};

for (const [name, pods] of Object.entries(useless)) {
  Deno.test(`a build ${name} ended well without a digest`, () => {
    assert.deepEqual(buildState(DONE, pods), { phase: "succeeded", digest: undefined });
  });
}

Deno.test("a build that failed says what its Pod says, and where the log is", () => {
  const state = buildState(FAILED, [endedPod(FAILED, { exitCode: 1 })]);
  assert.ok(state.phase === "failed");
  assert.equal(state.reason, "BuildFailed");
  assert.match(state.message, /^Container "build" of Pod ".*" exited with code 1 \(Error\)$/);
  assert.ok(state.failure?.log);
});

Deno.test("a digest that was not pushed is no reason", () => {
  const state = buildState(FAILED, [endedPod(FAILED, { exitCode: 1, message: DIGEST })]);
  assert.ok(state.phase === "failed");
  assert.match(state.message, /exited with code 1 \(Error\)$/);
});

Deno.test("a build whose Pod is gone says what the Job says", () => {
  const state = buildState(FAILED, []);
  assert.ok(state.phase === "failed");
  assert.equal(state.message, "Build failed (BackoffLimitExceeded): why");
});

Deno.test("a build whose time was over says its time", () => {
  const state = buildState(seenJob(request(), { status: ended("Failed", "DeadlineExceeded") }), []);
  assert.deepEqual(state, { phase: "failed", reason: "BuildTimedOut", message: "Build did not end within 600 s" });
});

Deno.test("a build that cannot pull its builder is running, and says so", () => {
  const waiting = endedPod(RUNNING, { exitCode: 0 });
  waiting.status = {
    phase: "Pending",
    initContainerStatuses: [{ name: "fetch", state: { waiting: { reason: "ErrImagePull", message: "not found" } } }],
  };
  const state = buildState(RUNNING, [waiting]);
  assert.equal(phase(state), "running");
  assert.ok(state.phase === "running" && state.failure?.reason === "ImagePullBackOff");
});
