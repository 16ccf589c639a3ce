import assert from "node:assert/strict";
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

/**
 * Makes garbage until an object that is old and unreachable is gone: then the whole heap was collected.
 *
 * @returns bytes that are still in use
 */
async function usedAfterCollection(old: WeakRef<object>): Promise<number> {
  for (let garbage: number[][] = []; old.deref() !== undefined; garbage = garbage.slice(-8)) {
    garbage.push(new Array(MIB / 8).fill(garbage.length));
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return Deno.memoryUsage().heapUsed;
}

Deno.test(`webhook: ${RUNS} arbitrary bodies are answered, and leave nothing behind`, async () => {
  const webhook = new TestWebhook();
  const canaries: object[] = [{ half: 1 }, { half: 2 }];
  const used: number[] = [];
  let bytes = 0;
  while (canaries.length > 0) {
    for (const sample of fc.sample(body, RUNS / 2)) {
      bytes += sample.length;
      const response = await webhook.post(sample.length % 2 === 0 ? "/mutate" : "/validate", sample);
      assert.ok(response.status === 200 || response.status === 400, `${response.status}`);
      assert.ok((await response.text()).length > 0);
    }
    assert.equal(webhook.lines.length + webhook.observed.length > RUNS / 2, true);
    webhook.lines.length = webhook.observed.length = 0;
    used.push(await usedAfterCollection(new WeakRef(canaries.pop()!)));
  }
  assert.equal(webhook.clock.pending, 0);
  assert.ok(bytes > 48 * MIB, `Only ${bytes} bytes were sent`);
  const growth = used[1]! - used[0]!;
  assert.ok(growth < 4 * MIB, `The heap grew by ${growth} bytes`);
});
