import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import type { KubeObject } from "../lib/api/object.ts";
import type { AdmissionResponse } from "./review.ts";
import { applied, DIGEST, patchOf, preview, printer, reviewOf, TestWebhook } from "./testing.ts";

const RUNS = 10_000;
const MIB = 1024 * 1024;

/** Values that a field of a spec may be given: some good, most not. */
const nonsense = fc.oneof(
  fc.constantFrom(undefined, null, "", "x", 0, -1, 1.5, 1e300, true, [], {}, [null], { name: null }),
  fc.constantFrom("a".repeat(64), "İ", "\ud800", "😀", "../..", "$(x)", "\0", "__proto__", "constructor"),
  fc.string(),
  fc.jsonValue({ maxDepth: 3 }),
);

const FIELDS: Record<string, fc.Arbitrary<unknown>> = {
  pr_number: fc.oneof(fc.integer(), fc.integer({ min: 1, max: 999_999 })),
  branch_name: fc.string({ unit: "binary", maxLength: 300 }),
  image: fc.constantFrom("nginx", "nginx:1", "localhost:5000/a", `a/b@${DIGEST}`, "A", "a:latest", "[::1]:5/a"),
  image_tag: fc.constantFrom("1", "latest", "main", "-", "t".repeat(128)),
  ttl_seconds: fc.oneof(fc.integer(), fc.integer({ min: 60, max: 1_000_000 })),
  repository: fc.constantFrom("acme/shop", "a/b/c", "-/-", `a/${"b".repeat(300)}`),
  namespace: fc.oneof(fc.string(), fc.constantFrom("team-a", "default", "kube-x", "maquette-system", "n".repeat(64))),
  port: fc.integer({ min: -1, max: 70_000 }),
  replicas: fc.integer({ min: -1, max: 30 }),
  env: fc.array(fc.record({ name: fc.string(), value: fc.string() }, { requiredKeys: [] })),
  resources: fc.record({ requests: fc.dictionary(fc.constantFrom("cpu", "memory"), fc.string()) }),
  health_path: fc.string(),
  ttl_from: fc.constantFrom("created", "updated", "now"),
  image_pull_secrets: fc.array(fc.record({ name: fc.string() })),
  textToPrint: fc.string({ unit: "binary" }),
  mode: fc.constantFrom("Pod", "Job", "pod"),
  ttlSecondsAfterFinished: fc.integer(),
  unknown: nonsense,
};

/** Some fields, each of its own values or of none that make sense. */
const changes = fc.record(
  Object.fromEntries(
    Object.entries(FIELDS).map(([name, value]) => [name, fc.oneof({ weight: 3, arbitrary: value }, nonsense)]),
  ),
  { requiredKeys: [] },
);

const texts = fc.dictionary(fc.string(), fc.string(), { maxKeys: 2 });
const annotations = fc.record({
  "maquette.dev/paused": fc.oneof(fc.constantFrom("true", "false"), fc.string()),
  "maquette.dev/extend-until": fc.oneof(fc.constant("2026-01-02T00:00:00Z"), fc.string(), fc.date().map(String)),
}, { requiredKeys: [] });

const metadata = fc.record({
  annotations: fc.oneof(annotations, texts),
  labels: texts,
  finalizers: fc.array(fc.string(), { maxLength: 2 }),
  deletionTimestamp: fc.constant("2026-01-01T00:00:00Z"),
  creationTimestamp: fc.oneof(fc.constant("2025-12-31T00:00:00Z"), fc.string()),
}, { requiredKeys: [] });

const object: fc.Arbitrary<KubeObject> = fc.tuple(fc.boolean(), changes, metadata, fc.option(nonsense, { freq: 20 }))
  .map(([isPrinter, spec, meta, wholeSpec]) => {
    const made = isPrinter ? printer(spec, meta) : preview(spec, meta);
    return JSON.parse(JSON.stringify(wholeSpec === null ? made : { ...made, spec: wholeSpec }));
  });

/** Passes, or says what is wrong where. */
function assertClear(response: AdmissionResponse): void {
  assert.equal(response.uid, "review-1");
  for (const warning of response.warnings ?? []) assert.ok(warning.length <= 256);
  if (response.allowed) return;
  const { details } = response.status as { details: { causes: { field: string; message: string }[] } };
  assert.ok(details.causes.length > 0);
  for (const { field, message } of details.causes) {
    assert.match(field, /^(spec|metadata)/);
    assert.notEqual(message, "");
  }
}

Deno.test(`webhook: ${RUNS} generated objects pass or are refused by field, and what passes keeps its promises`, async () => {
  const webhook = new TestWebhook();
  const seen = { allowed: 0, denied: 0 };
  await fc.assert(
    fc.asyncProperty(object, fc.option(object), async (given, other) => {
      const old = other?.kind === given.kind ? other : undefined;
      const mutated = await webhook.ask("/mutate", reviewOf(given, { old }));
      assertClear(mutated);
      const stored = applied(given, patchOf(mutated));
      const validated = await webhook.ask("/validate", reviewOf(stored, { old }));
      assertClear(validated);
      assert.ok(mutated.allowed || !validated.allowed, "What mutating refuses, validating must refuse");
      assert.deepEqual(
        patchOf(await webhook.ask("/mutate", reviewOf(stored, { old }))),
        [],
        "Mutating must be idempotent",
      );
      seen[validated.allowed ? "allowed" : "denied"]++;
      if (!validated.allowed || old) return;
      assert.ok(stored.metadata.finalizers?.includes("maquette.dev/cleanup"));
      if (stored.kind !== "PreviewEnvironment") return;
      assert.ok(stored.spec.ttl_seconds >= 60 && stored.spec.ttl_seconds <= 604_800);
    }),
    { numRuns: RUNS },
  );
  assert.deepEqual(webhook.lines, []);
  assert.ok(Math.min(seen.allowed, seen.denied) > RUNS / 20, `One-sided: ${JSON.stringify(seen)}`);
});

/** A review of 16 KiB, to be broken. */
const REVIEW = new TextEncoder().encode(JSON.stringify(reviewOf(printer({ textToPrint: "x".repeat(16_384) }))));

/** Bytes of any kind: noise, JSON, and reviews that are cut off or have some bytes changed. */
const body: fc.Arbitrary<Uint8Array<ArrayBuffer>> = fc.oneof(
  fc.uint8Array({ maxLength: 256 }).map((bytes) => new Uint8Array(bytes)),
  fc.jsonValue().map((value) => new TextEncoder().encode(JSON.stringify(value))),
  fc.nat(REVIEW.length).map((length) => REVIEW.slice(0, length)),
  fc.array(fc.tuple(fc.nat(REVIEW.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }).map((edits) => {
    const bytes = REVIEW.slice();
    for (const [at, value] of edits) bytes[at] = value;
    return bytes;
  }),
);

/** V8's own collector, which is hidden behind a flag; undefined in runtimes that do not show it after their start. */
function findCollector(): (() => void) | undefined {
  setFlagsFromString("--expose-gc");
  try {
    return runInNewContext("gc");
  } catch {
    return undefined;
  }
}

/** Sends bodies; a function of its own, so that nothing of them lives on in the frame of the test. @returns bytes sent */
async function sendArbitrary(webhook: TestWebhook, count: number): Promise<number> {
  let bytes = 0;
  for (const sample of fc.sample(body, count)) {
    bytes += sample.length;
    const response = await webhook.post(sample.length % 2 === 0 ? "/mutate" : "/validate", sample);
    assert.ok(response.status === 200 || response.status === 400, `${response.status}`);
    assert.ok((await response.text()).length > 0);
  }
  webhook.lines.length = webhook.observed.length = 0;
  return bytes;
}

Deno.test(`webhook: ${RUNS} arbitrary bodies are answered, and leave nothing behind`, async () => {
  const webhook = new TestWebhook();
  const collect = findCollector();
  const used: number[] = [];
  let bytes = 0;
  for (let half = 0; half < 2; half++) {
    for (let batch = 0; batch < 20; batch++) bytes += await sendArbitrary(webhook, RUNS / 40);
    collect?.();
    used.push(Deno.memoryUsage().heapUsed);
  }
  assert.equal(webhook.clock.pending, 0);
  assert.ok(bytes > 48 * MIB, `Only ${bytes} bytes were sent`);
  if (collect === undefined) return;
  assert.ok(used[1]! - used[0]! < 4 * MIB, `The heap grew from ${used[0]} to ${used[1]} bytes`);
});
