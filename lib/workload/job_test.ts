import assert from "node:assert/strict";
import type { KubeObject } from "../api/object.ts";
import { type JobEnd, jobEnd } from "./job.ts";

const AT = "2026-01-01T00:00:00Z";

function job(status: Record<string, unknown>): KubeObject {
  return { apiVersion: "batch/v1", kind: "Job", metadata: { name: "job" }, status };
}

function condition(type: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { type, status: "True", lastTransitionTime: AT, ...more };
}

const CASES: Record<string, [Record<string, unknown>, JobEnd | undefined]> = {
  "a Job without status has not ended": [{}, undefined],
  "a Job whose Pods are still being counted has not ended": [
    { conditions: [condition("SuccessCriteriaMet"), condition("FailureTarget"), condition("Suspended")] },
    undefined,
  ],
  "a condition that is not True is no end": [{ conditions: [condition("Failed", { status: "False" })] }, undefined],
  "a Job that is complete ended at its completion time": [
    { conditions: [condition("Complete", { reason: "CompletionsReached" })], completionTime: "2026-01-01T00:00:05Z" },
    { succeeded: true, at: "2026-01-01T00:00:05Z", reason: "", message: "" },
  ],
  "a Job that failed says why": [
    { conditions: [condition("Failed", { reason: "BackoffLimitExceeded", message: "limit" })] },
    { succeeded: false, at: AT, reason: "BackoffLimitExceeded", message: "limit" },
  ],
};
for (const [sentence, [status, end]] of Object.entries(CASES)) {
  Deno.test(`jobEnd(): ${sentence}`, () => assert.deepEqual(jobEnd(job(status)), end));
}
