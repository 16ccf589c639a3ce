import assert from "node:assert/strict";
import type { KubeObject } from "../api/object.ts";
import { DEPLOYMENT, JOB, SERVICE } from "../api/resources.ts";
import { RENDERED, served, WIDGET } from "./fake_deployment.ts";
import type { SeenObjects } from "./observer.ts";
import { pendingText, readinessOf } from "./readiness.ts";
import { identityOf, type Wanted } from "./wanted.ts";

const NOW = Date.parse("2026-01-01T00:00:30Z");
const { app, service, migration, widget } = RENDERED;
const WANTED: Wanted[] = [
  { object: service, kind: served(SERVICE) },
  { object: app, kind: served(DEPLOYMENT) },
  { object: migration, kind: served(JOB) },
];
const FAILED = { conditions: [{ type: "Failed", status: "True", reason: "DeadlineExceeded", message: "late" }] };

function seen(...objects: KubeObject[]): SeenObjects {
  return new Map(objects.map((object) => [identityOf(object), { object, resource: SERVICE }]));
}

Deno.test("readinessOf(): failures are told first, and one is enough", () => {
  const { state, pending } = readinessOf(WANTED, seen(service, app, { ...migration, status: FAILED }), NOW);
  assert.equal(state, "failed");
  assert.equal(
    pendingText(pending),
    'Job "migrate": Failed (DeadlineExceeded): late; Deployment "shop": Not looked at yet',
  );
});

Deno.test("readinessOf(): what is not there yet is on its way, and nothing at all is current", () => {
  const { state, pending } = readinessOf(WANTED, seen(service), NOW);
  assert.deepEqual([state, pendingText(pending, 1)], ["inProgress", 'Deployment "shop": Is not there yet; and 1 more']);
  assert.deepEqual(readinessOf([], seen(), NOW), { state: "current", pending: [] });
});

const AGES: Record<string, [creationTimestamp: string, status: unknown, state: string]> = {
  "a new one that nobody has looked at": ["2026-01-01T00:00:25Z", undefined, "inProgress"],
  "an old one that nobody looks at": ["2026-01-01T00:00:20Z", undefined, "current"],
  "a new one with a status": ["2026-01-01T00:00:25Z", {}, "current"],
};

for (const [name, [creationTimestamp, status, state]] of Object.entries(AGES)) {
  Deno.test(`readinessOf(): a custom resource, ${name}, is ${state}`, () => {
    const object = { ...widget, metadata: { ...widget.metadata, creationTimestamp }, status } as KubeObject;
    assert.equal(readinessOf([{ object: widget, kind: served(WIDGET) }], seen(object), NOW).state, state);
  });
}
