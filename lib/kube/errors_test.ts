import assert from "node:assert/strict";
import { hasStatus, isConflict, isFenced, KubeError, refusalOf } from "./errors.ts";

const STATUS = JSON.stringify({ kind: "Status", reason: "NotFound", message: 'pods "a" not found' });

const refusals: Record<
  string,
  [body: string, headers: Record<string, string>, expected: [reason: string, message: string, retryAfterMs?: number]]
> = {
  "a Status": [STATUS, {}, ["NotFound", 'pods "a" not found', undefined]],
  "a Status with Retry-After": [STATUS, { "retry-after": "7" }, ["NotFound", 'pods "a" not found', 7_000]],
  "Retry-After of zero is none": [STATUS, { "retry-after": "0" }, ["NotFound", 'pods "a" not found', undefined]],
  "Retry-After as a date is none": [
    STATUS,
    { "retry-after": "Wed, 21 Oct 2026 07:28:00 GMT" },
    ["NotFound", 'pods "a" not found', undefined],
  ],
  "a text of a proxy": ["upstream connect error", {}, ["", "upstream connect error", undefined]],
  "a long page of a proxy is cut": ["x".repeat(5_000), {}, ["", "x".repeat(200), undefined]],
  "nothing at all": ["", {}, ["", "HTTP status 503", undefined]],
  "JSON that is no object": ["null", {}, ["", "null", undefined]],
};

for (const [name, [body, headers, [reason, message, retryAfterMs]]] of Object.entries(refusals)) {
  Deno.test(`refusalOf(): ${name}`, async () => {
    const error = await refusalOf(new Response(body, { status: 503, headers }));
    assert.deepEqual([error.status, error.reason, error.message, error.retryAfterMs], [
      503,
      reason,
      message,
      retryAfterMs,
    ]);
  });
}

Deno.test("hasStatus() knows refusals by their status and nothing else", () => {
  assert.ok(hasStatus(new KubeError(404, "", ""), 409, 404));
  assert.ok(!hasStatus(new KubeError(500, "", ""), 409, 404));
  assert.ok(!hasStatus(Object.assign(new Error(), { status: 404 }), 404));
  assert.ok(!hasStatus(undefined, 404));
});

const FENCED =
  "ValidatingAdmissionPolicy 'maquette-fence-children' with binding 'maquette-fence-children' denied request:";

const answers: Record<string, [status: number, message: string, isFenced: boolean, isConflict: boolean]> = {
  "the fence, to who does not lead": [403, `pods "a" is forbidden: ${FENCED} Pod "a" does not lead`, true, true],
  "the fence, where the API server cannot tell": [422, `pods "a" is invalid: ${FENCED} not yet synced`, true, true],
  "another policy": [
    403,
    "pods \"a\" is forbidden: ValidatingAdmissionPolicy 'theirs' with binding 'theirs' denied request: maquette-fence-children",
    false,
    false,
  ],
  "a missing right": [403, 'pods is forbidden: User "maquette" cannot create resource "pods"', false, false],
  "a conflict": [409, 'Operation cannot be fulfilled on pods "a"', false, true],
  "a JSON Patch whose test failed": [
    422,
    "the server rejected our request due to an error in our request",
    false,
    true,
  ],
  "an object that is invalid": [422, 'Deployment.apps "a" is invalid: spec.replicas: Invalid value: -1', false, false],
  "an error": [500, FENCED, false, false],
};

for (const [name, [status, message, fenced, conflict]] of Object.entries(answers)) {
  Deno.test(`isFenced() and isConflict(): ${name}`, () => {
    const error = new KubeError(status, "", message);
    assert.deepEqual([isFenced(error), isConflict(error)], [fenced, conflict]);
  });
}
