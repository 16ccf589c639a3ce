import assert from "node:assert/strict";
import type { ImageRegistry } from "../lib/registry/registry.ts";
import { settle } from "../lib/runtime/fake_clock.ts";
import { BODY_DEADLINE_MS, MAX_BODY_BYTES } from "./body.ts";
import { IMAGE_BUDGET_MS } from "./image_check.ts";
import { applied, contextWith, patchOf, preview, printer, reviewOf, TestWebhook } from "./testing.ts";

const URL = "https://webhook/validate";
const JSON_TYPE = { "content-type": "application/json" };

Deno.test("webhook: mutating fills in TTL and finalizer", async () => {
  const object = preview();
  const response = await new TestWebhook().ask("/mutate", reviewOf(object));
  assert.deepEqual({ ...response, patch: undefined }, {
    uid: "review-1",
    allowed: true,
    patchType: "JSONPatch",
    patch: undefined,
  });
  const patched = applied(object, patchOf(response));
  assert.equal(patched.spec.ttl_seconds, 86_400);
  assert.deepEqual(patched.metadata.finalizers, ["maquette.dev/cleanup"]);
});

Deno.test("webhook: a patch is the difference to exactly what came, unknown fields included", async () => {
  const object = preview({ unknown: { "a/b": "é😀" } }, { labels: { a: "b" } });
  const patched = applied(object, patchOf(await new TestWebhook().ask("/mutate", reviewOf(object))));
  assert.deepEqual(patched, {
    ...object,
    metadata: { ...object.metadata, finalizers: ["maquette.dev/cleanup"] },
    spec: { ...object.spec, ttl_seconds: 86_400 },
  });
});

Deno.test("webhook: mutating again sends no patch", async () => {
  const object = preview({ ttl_seconds: 60 }, { finalizers: ["maquette.dev/cleanup"] });
  assert.deepEqual(await new TestWebhook().ask("/mutate", reviewOf(object)), { uid: "review-1", allowed: true });
});

Deno.test("webhook: a refusal lists all problems as text and as causes", async () => {
  const { allowed, status } = await new TestWebhook().ask("/validate", reviewOf(preview({ pr_number: 0, port: 0 })));
  assert.equal(allowed, false);
  assert.deepEqual(status, {
    status: "Failure",
    code: 422,
    reason: "Invalid",
    message: "spec.port: Must be at least 1\nspec.pr_number: Must be at least 1",
    details: {
      group: "devops.orima.com",
      kind: "PreviewEnvironment",
      name: "pr-7",
      causes: [
        { reason: "FieldValueInvalid", field: "spec.port", message: "Must be at least 1" },
        { reason: "FieldValueInvalid", field: "spec.pr_number", message: "Must be at least 1" },
      ],
    },
  });
});

Deno.test("webhook: mutating refuses what the schema refuses, with the rules' problems as well", async () => {
  const object = preview({ branch_name: "", image_tag: "latest" });
  const { allowed, status } = await new TestWebhook().ask("/mutate", reviewOf(object));
  assert.equal(allowed, false);
  assert.match(String(status?.message), /^spec.branch_name: .*\nspec.image: .*latest/);
});

Deno.test("webhook: mutating leaves what only rules refuse to validating", async () => {
  const webhook = new TestWebhook();
  const review = reviewOf(preview({ image_tag: "latest" }));
  assert.equal((await webhook.ask("/mutate", review)).allowed, true);
  assert.equal((await webhook.ask("/validate", review)).allowed, false);
});

Deno.test("webhook: a TTL over the maximum that mutating never saw is refused", async () => {
  const { status } = await new TestWebhook().ask("/validate", reviewOf(preview({ ttl_seconds: 700_000 })));
  assert.equal(status?.message, "spec.ttl_seconds: Must be at most 604800");
});

Deno.test("webhook: warnings are given once, by the endpoint that knows", async () => {
  const webhook = new TestWebhook();
  const review = reviewOf(preview({ ttl_seconds: 700_000, port: 80 }));
  assert.match((await webhook.ask("/mutate", review)).warnings!.join("\n"), /^spec.ttl_seconds: .*$/);
  const capped = reviewOf(preview({ ttl_seconds: 604_800, port: 80 }));
  assert.match((await webhook.ask("/validate", capped)).warnings!.join("\n"), /^spec.port: .*$/);
});

Deno.test("webhook: a hundred problems are listed, the rest is counted", async () => {
  const env = Array.from({ length: 150 }, () => ({ name: "=", value: "" }));
  const { status } = await new TestWebhook().ask("/validate", reviewOf(preview({ env })));
  const lines = String(status?.message).split("\n");
  assert.equal(lines.length, 101);
  assert.match(lines[100]!, /^\d+ more problems are not listed$/);
});

Deno.test("webhook: an update is judged against the stored object", async () => {
  const response = await new TestWebhook().ask("/validate", reviewOf(preview({ pr_number: 8 }), { old: preview() }));
  assert.match(String(response.status?.message), /^spec.pr_number: .*immutable/);
});

Deno.test("webhook: deletions and status updates pass", async () => {
  const webhook = new TestWebhook();
  const bad = preview({ pr_number: 0 });
  for (const path of ["/mutate", "/validate"] as const) {
    const deletion = reviewOf(bad, { operation: "DELETE", object: null, oldObject: bad });
    assert.deepEqual(await webhook.ask(path, deletion), { uid: "review-1", allowed: true });
    const status = reviewOf(bad, { old: bad, subResource: "status" });
    assert.deepEqual(await webhook.ask(path, status), { uid: "review-1", allowed: true });
  }
});

Deno.test("webhook: every review is observed with few values", async () => {
  const webhook = new TestWebhook();
  await webhook.ask("/mutate", reviewOf(preview()));
  await webhook.ask("/validate", reviewOf(printer({ mode: "x" })));
  await webhook.post("/mutate", JSON.stringify(reviewOf({ ...preview(), kind: "Other" })));
  await webhook.post("/mutate", "{");
  assert.deepEqual(webhook.observed, [
    { kind: "PreviewEnvironment", operation: "CREATE", outcome: "allowed" },
    { kind: "Printer", operation: "CREATE", outcome: "denied" },
    { kind: "unknown", operation: "CREATE", outcome: "invalid" },
    { kind: "unknown", operation: "unknown", outcome: "invalid" },
  ]);
});

const request = reviewOf(preview()).request as Record<string, unknown>;

function reviewWith(changes: Record<string, unknown>): string {
  return JSON.stringify({ ...reviewOf(preview()), ...changes });
}

function requestWith(changes: Record<string, unknown>): string {
  return reviewWith({ request: { ...request, ...changes } });
}

const BAD_REQUESTS: Record<string, { init: RequestInit; url?: string; status: number; says: RegExp }> = {
  "no body": { init: { method: "POST", headers: JSON_TYPE }, status: 400, says: /empty/ },
  "an empty body": { init: { method: "POST", headers: JSON_TYPE, body: "" }, status: 400, says: /empty/ },
  "no JSON": { init: { method: "POST", headers: JSON_TYPE, body: "apiVersion: v1" }, status: 400, says: /not JSON/ },
  "half a JSON": { init: { method: "POST", headers: JSON_TYPE, body: '{"a":' }, status: 400, says: /not JSON/ },
  "no UTF-8": {
    init: { method: "POST", headers: JSON_TYPE, body: new Uint8Array([0x22, 0xff, 0xfe, 0x22]) },
    status: 400,
    says: /not UTF-8/,
  },
  "a number": { init: { method: "POST", headers: JSON_TYPE, body: "7" }, status: 400, says: /AdmissionReview/ },
  "null": { init: { method: "POST", headers: JSON_TYPE, body: "null" }, status: 400, says: /AdmissionReview/ },
  "a list": { init: { method: "POST", headers: JSON_TYPE, body: "[]" }, status: 400, says: /AdmissionReview/ },
  "another object": {
    init: { method: "POST", headers: JSON_TYPE, body: JSON.stringify(preview()) },
    status: 400,
    says: /AdmissionReview/,
  },
  "an old version": {
    init: { method: "POST", headers: JSON_TYPE, body: reviewWith({ apiVersion: "admission.k8s.io/v1beta1" }) },
    status: 400,
    says: /apiVersion/,
  },
  "no request": {
    init: { method: "POST", headers: JSON_TYPE, body: reviewWith({ request: undefined }) },
    status: 400,
    says: /request/,
  },
  "no uid": {
    init: { method: "POST", headers: JSON_TYPE, body: requestWith({ uid: undefined }) },
    status: 400,
    says: /request.uid/,
  },
  "an unknown operation": {
    init: { method: "POST", headers: JSON_TYPE, body: requestWith({ operation: "PATCH" }) },
    status: 400,
    says: /request.operation/,
  },
  "a creation without object": {
    init: { method: "POST", headers: JSON_TYPE, body: requestWith({ object: null }) },
    status: 400,
    says: /request.object/,
  },
  "an update without the stored object": {
    init: { method: "POST", headers: JSON_TYPE, body: requestWith({ operation: "UPDATE" }) },
    status: 400,
    says: /request.oldObject/,
  },
  "an object that is text": {
    init: { method: "POST", headers: JSON_TYPE, body: requestWith({ object: "x" }) },
    status: 400,
    says: /request.object/,
  },
  "an object without metadata": {
    init: { method: "POST", headers: JSON_TYPE, body: requestWith({ object: { spec: {} } }) },
    status: 400,
    says: /request.object.metadata/,
  },
  "annotations that are a list": {
    init: {
      method: "POST",
      headers: JSON_TYPE,
      body: requestWith({ object: { ...preview(), metadata: { annotations: [] } } }),
    },
    status: 400,
    says: /request.object.metadata.annotations/,
  },
  "a kind that is not ours": {
    init: {
      method: "POST",
      headers: JSON_TYPE,
      body: requestWith({ kind: { group: "apps", version: "v1", kind: "Deployment" } }),
    },
    status: 400,
    says: /"apps\/v1 Deployment"/,
  },
  "a version of our kind that is not served": {
    init: {
      method: "POST",
      headers: JSON_TYPE,
      body: requestWith({ kind: { group: "devops.orima.com", version: "v2", kind: "PreviewEnvironment" } }),
    },
    status: 400,
    says: /v2/,
  },
  "a body nested a million deep": {
    init: { method: "POST", headers: JSON_TYPE, body: "[".repeat(1e6) + "]".repeat(1e6) },
    status: 400,
    says: /nested/,
  },
  "10 MiB": {
    init: { method: "POST", headers: JSON_TYPE, body: " ".repeat(10 * 1024 * 1024) },
    status: 413,
    says: /8388608 bytes/,
  },
  "a form": {
    init: { method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" }, body: "a=1" },
    status: 415,
    says: /application\/json/,
  },
  "text": { init: { method: "POST", body: "{}" }, status: 415, says: /"text\/plain"/ },
  "GET": { init: { method: "GET" }, status: 405, says: /POST/ },
  "HEAD": { init: { method: "HEAD" }, status: 405, says: /^$/ },
  "PUT": { init: { method: "PUT", headers: JSON_TYPE, body: "{}" }, status: 405, says: /POST/ },
  "DELETE": { init: { method: "DELETE" }, status: 405, says: /POST/ },
  "an unknown method": { init: { method: "BREW" }, status: 405, says: /POST/ },
  "a wrong path": {
    init: { method: "POST", headers: JSON_TYPE, body: "{}" },
    url: "https://webhook/validate/x",
    status: 404,
    says: /Path/,
  },
  "a path that is no UTF-8": { init: {}, url: "https://webhook/%ff%fe/..%2f", status: 404, says: /Path/ },
  "the root": { init: {}, url: "https://webhook/", status: 404, says: /Path/ },
  "POST to the health check": { init: { method: "POST" }, url: "https://webhook/healthz", status: 405, says: /GET/ },
};

for (const [sentence, { init, url = URL, status, says }] of Object.entries(BAD_REQUESTS)) {
  Deno.test(`webhook: ${sentence} is answered with ${status} and a log line`, async () => {
    const webhook = new TestWebhook();
    const response = await webhook.app.fetch(new Request(url, init));
    assert.equal(response.status, status);
    assert.match(await response.text(), says);
    assert.deepEqual(webhook.lines.map(({ level, status }) => ({ level, status })), [{ level: "warn", status }]);
    assert.equal(response.headers.has("allow"), status === 405);
    assert.equal(webhook.clock.pending, 0);
  });
}

Deno.test("webhook: a content type with parameters is taken", async () => {
  const headers = { "content-type": "Application/JSON; charset=utf-8" };
  const body = JSON.stringify(reviewOf(preview()));
  const response = await new TestWebhook().app.fetch(new Request(URL, { method: "POST", headers, body }));
  assert.equal(response.status, 200);
  await response.body?.cancel();
});

Deno.test("webhook: the health check answers", async () => {
  const response = await new TestWebhook().app.fetch(new Request("https://webhook/healthz"));
  assert.equal(await response.text(), "ok");
});

/** A request whose body is this stream. */
function streamed(body: ReadableStream<Uint8Array>): Request {
  return new Request(URL, { method: "POST", headers: { ...JSON_TYPE, "content-length": "2" }, body });
}

Deno.test("webhook: an endless body is cut at the limit, whatever its length says", async () => {
  let sent = 0;
  let isCancelled = false;
  const chunk = new Uint8Array(64 * 1024).fill(0x20);
  const body = new ReadableStream<Uint8Array>({
    pull(controller): void {
      sent += chunk.length;
      controller.enqueue(chunk);
    },
    cancel(): void {
      isCancelled = true;
    },
  });
  const response = await new TestWebhook().app.fetch(streamed(body));
  assert.equal(response.status, 413);
  await response.body?.cancel();
  await settle();
  assert.ok(sent <= MAX_BODY_BYTES + 3 * chunk.length, `${sent} bytes were read`);
  assert.ok(isCancelled);
});

Deno.test("webhook: a body that stops coming is given up", async () => {
  const webhook = new TestWebhook();
  const answer = webhook.app.fetch(streamed(new ReadableStream({ pull: () => new Promise(() => {}) })));
  await webhook.clock.advance(BODY_DEADLINE_MS);
  const response = await answer;
  assert.equal(response.status, 408);
  await response.body?.cancel();
});

Deno.test("webhook: a body that breaks off is a bad request", async () => {
  const body = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new Error("reset")) });
  const response = await new TestWebhook().app.fetch(streamed(body));
  assert.equal(response.status, 400);
  assert.match(await response.text(), /ended before/);
});

Deno.test("webhook: a fault of our own is a 500 that tells nothing, and a log line that does", async () => {
  for (const fault of [new Error("secret"), "secret", null]) {
    const context = contextWith({
      ownerOf: () => {
        throw fault;
      },
    });
    const webhook = new TestWebhook({ context });
    const response = await webhook.post("/validate", JSON.stringify(reviewOf(preview())));
    assert.equal(response.status, 500);
    assert.doesNotMatch(await response.text(), /secret|at /);
    assert.deepEqual(webhook.lines.map(({ level, error }) => ({ level, error })), [{ level: "error", error: fault }]);
    assert.deepEqual(webhook.observed.map(({ outcome }) => outcome), ["error"]);
  }
});

type Presence = Awaited<ReturnType<ImageRegistry["exists"]>>;

function registryThatSays(answer: Presence | Error, asked: string[] = []): ImageRegistry {
  return {
    exists: ({ path, tag }) => {
      asked.push(`${path}:${tag}`);
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
  };
}

const SECRETS = { image_pull_secrets: [{ name: "pull" }] };

const LOOKUPS: Record<string, { answer: Presence | Error; spec?: object; allowed: boolean; says: RegExp }> = {
  "an image that is there passes": { answer: "present", allowed: true, says: /^$/ },
  "an image that is not there is refused": {
    answer: "absent",
    allowed: false,
    says: /^spec.image: Image "ghcr.io\/acme\/shop:1.2.3" does not exist/,
  },
  "a registry that is away warns": { answer: "unknown", allowed: true, says: /^spec.image: .*could not be looked up/ },
  "a registry client that fails warns": { answer: new Error("x"), allowed: true, says: /could not be looked up/ },
  "a private image that nobody else sees warns": {
    answer: "absent",
    spec: SECRETS,
    allowed: true,
    says: /pull secrets/,
  },
  "a private image that cannot be asked for is no news": {
    answer: "unknown",
    spec: SECRETS,
    allowed: true,
    says: /^$/,
  },
};

for (const [sentence, { answer, spec = {}, allowed, says }] of Object.entries(LOOKUPS)) {
  Deno.test(`webhook: ${sentence}`, async () => {
    const webhook = new TestWebhook({ registry: registryThatSays(answer) });
    const response = await webhook.ask("/validate", reviewOf(preview({ ttl_seconds: 60, ...spec })));
    assert.equal(response.allowed, allowed);
    assert.match(String(response.status?.message ?? response.warnings?.join("\n") ?? ""), says);
    assert.equal(webhook.clock.pending, 0);
  });
}

Deno.test("webhook: a registry that does not answer within its budget warns", async () => {
  const signals: AbortSignal[] = [];
  const registry: ImageRegistry = {
    exists: (_, { signal }) => {
      signals.push(signal);
      return new Promise(() => {});
    },
  };
  const webhook = new TestWebhook({ registry });
  const answer = webhook.ask("/validate", reviewOf(preview()));
  await webhook.clock.advance(IMAGE_BUDGET_MS);
  assert.match((await answer).warnings!.join("\n"), /could not be looked up/);
  assert.deepEqual(signals.map(({ aborted }) => aborted), [true]);
});

Deno.test("webhook: only new images that the policy allows are looked up, and by validating only", async () => {
  const asked: string[] = [];
  const context = contextWith({ config: { deniedRegistries: ["evil.test"] } });
  const webhook = new TestWebhook({ context, registry: registryThatSays("present", asked) });
  await webhook.ask("/mutate", reviewOf(preview()));
  await webhook.ask("/validate", reviewOf(preview({ image: "evil.test/x" })));
  await webhook.ask("/validate", reviewOf(preview({ replicas: 2 }), { old: preview() }));
  await webhook.ask("/validate", reviewOf(printer()));
  assert.deepEqual(asked, []);
  await webhook.ask("/validate", reviewOf(preview({ image_tag: "2" }), { old: preview() }));
  await webhook.ask("/validate", reviewOf(printer({ image: "busybox:1" })));
  assert.deepEqual(asked, ["acme/shop:2", "busybox:1"]);
});
