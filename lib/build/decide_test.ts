import assert from "node:assert/strict";
import type { KubeObject } from "../api/object.ts";
import { RegistryError, type RegistryFault } from "../registry/errors.ts";
import { type BuildSeen, type BuildStep, decideBuild, obsoleteJobs } from "./decide.ts";
import { jobName } from "./job.ts";
import { DIGEST, ended, endedPod, options, request, seenJob } from "./test_builds.ts";

const NAMESPACE = "team-shop-dev";
const NAME = jobName(request(), options());
const FOUND = { exists: true, digest: DIGEST, mediaType: "m" } as const;
const MISSING = { exists: false } as const;
const USE: BuildStep = { step: "use", image: `registry.example.com/acme/shop@${DIGEST}`, digest: DIGEST };
const RUNNING = seenJob(request());
const DONE = seenJob(request(), { status: ended("Complete") });
const FAILED = seenJob(request(), { status: ended("Failed") });

function decide(seen: Partial<BuildSeen> = {}): BuildStep {
  return decideBuild(request(), { name: NAME, namespace: NAMESPACE, jobs: [], pods: [], ...seen });
}

/** The same image, built for another environment. */
function elsewhere(over: { at?: string; status?: Record<string, unknown>; deleted?: boolean } = {}): KubeObject {
  const metadata = { namespace: "team-shop-other", creationTimestamp: over.at ?? "2026-01-01T00:00:00Z" };
  const gone = over.deleted ? { deletionTimestamp: "2026-01-01T00:00:05Z" } : {};
  return seenJob(request(), { status: over.status, metadata: { ...metadata, ...gone } });
}

function brief(step: BuildStep): string {
  return "reason" in step ? `${step.step} ${step.reason}` : step.step;
}

const steps: Record<string, [seen: Partial<BuildSeen>, expected: string]> = {
  "the registry is asked first": [{}, "ask"],
  "a missing image is built": [{ registry: MISSING }, "start"],
  "a build that runs is waited for, without asking": [{ jobs: [RUNNING] }, "wait Building"],
  "a build that failed is not tried again": [{ jobs: [FAILED] }, "fail BuildFailed"],
  "nor when its Job is gone": [
    { registry: MISSING, failed: { name: NAME, reason: "BuildTimedOut", message: "m" } },
    "fail BuildTimedOut",
  ],
  "another request than the one that failed is built": [
    { registry: MISSING, failed: { name: "build-1", reason: "BuildFailed", message: "m" } },
    "start",
  ],
  "a build without a digest asks the registry": [{ jobs: [DONE] }, "ask"],
  "and waits until the image shows": [{ jobs: [DONE], registry: MISSING }, "wait ImagePending"],
  "one image is built once at a time": [{ registry: MISSING, jobs: [elsewhere()] }, "wait BuildingElsewhere"],
  "a build elsewhere that is over is no reason to wait": [
    { registry: MISSING, jobs: [elsewhere({ status: ended("Failed") })] },
    "start",
  ],
  "nor is one that is being deleted": [{ registry: MISSING, jobs: [elsewhere({ deleted: true })] }, "start"],
};

for (const [name, [seen, expected]] of Object.entries(steps)) {
  Deno.test(`builds: ${name}`, () => assert.equal(brief(decide(seen)), expected));
}

const used: Record<string, Partial<BuildSeen>> = {
  "an image that is there": { registry: FOUND },
  "an image that is there although the build failed": { registry: FOUND, jobs: [FAILED] },
  "an image that is there although an earlier Job failed": {
    registry: FOUND,
    failed: { name: NAME, reason: "BuildFailed", message: "m" },
  },
  "an image that was pushed a moment ago": { jobs: [DONE], pods: [endedPod(DONE, { exitCode: 0, message: DIGEST })] },
};

for (const [name, seen] of Object.entries(used)) {
  Deno.test(`builds: ${name} is used by its digest`, () => assert.deepEqual(decide(seen), USE));
}

const faults: Record<RegistryFault, string> = {
  denied: "fail RegistryDenied",
  unreachable: "wait RegistryUnreachable",
  untrusted: "fail RegistryUntrusted",
  limited: "wait RegistryLimited",
  unusable: "fail RegistryUnusable",
};

for (const [fault, expected] of Object.entries(faults)) {
  Deno.test(`builds: a registry that is ${fault} is said, and asked again`, () => {
    const step = decide({ registry: new RegistryError(fault as RegistryFault, "why") });
    assert.equal(brief(step), expected);
    assert.ok("afterMs" in step && step.afterMs! >= 10_000);
  });
}

Deno.test("builds: a registry that says when is asked then", () => {
  const step = decide({ registry: new RegistryError("limited", "why", { retryAfterMs: 90_000 }) });
  assert.ok(step.step === "wait" && step.afterMs === 90_000);
});

Deno.test("builds that are asked for no more are cancelled, those that are over stay", () => {
  const other = request({ commit: "f".repeat(40) });
  const old = seenJob(other);
  const own = [old, RUNNING, seenJob(request({ context: "." }), { status: ended("Failed") })];
  const seen = { name: NAME, namespace: NAMESPACE, jobs: own };
  assert.deepEqual(obsoleteJobs(own, { request: request(), seen }), [old]);
  assert.deepEqual(obsoleteJobs(own), [old, RUNNING]);
});

Deno.test("Jobs of something else are left alone", () => {
  const { metadata: { labels: _, ...metadata }, ...rest } = RUNNING;
  assert.deepEqual(obsoleteJobs([{ ...rest, metadata }]), []);
});

const rivals: Record<string, [other: KubeObject, cancelled: boolean]> = {
  "an older one of the same image": [elsewhere({ at: "2025-12-31T23:59:59Z" }), true],
  "a younger one of the same image": [elsewhere({ at: "2026-01-01T00:00:01Z" }), false],
  "one of the same second, whose name comes later": [elsewhere(), false],
  "an older one that is over": [elsewhere({ at: "2025-12-31T23:59:59Z", status: ended("Complete") }), false],
};

for (const [name, [other, isCancelled]] of Object.entries(rivals)) {
  Deno.test(`a build gives way to ${name}: ${isCancelled}`, () => {
    const seen = { name: NAME, namespace: NAMESPACE, jobs: [RUNNING, other] };
    assert.equal(obsoleteJobs([RUNNING], { request: request(), seen }).length === 1, isCancelled);
  });
}
