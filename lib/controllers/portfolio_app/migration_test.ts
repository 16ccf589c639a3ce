import assert from "node:assert/strict";
import type { KubeObject } from "../../api/object.ts";
import { decide } from "./decide.ts";
import type { Peer, Seen } from "./gather.ts";
import { approval, contractFinding, gateOf, MIGRATION_ANNOTATION, rolledWith, SERVED_ANNOTATION } from "./migration.ts";
import { app, child, CREATED, pod, rolledOut, seen } from "./test_objects.ts";

const SPEC = { migrationRef: { name: "schema" } };
const APPROVED = "maquette.dev/contract-approved";
const BEGAN = { [MIGRATION_ANNOTATION]: "uid-of-schema/3" };

/** Generation 3. */
function migration(
  conditions: Record<string, [status: string, reason: string]>,
  parts: Record<string, unknown> = {},
): KubeObject {
  const written = Object.entries(conditions).map(([type, [status, reason]]) => ({
    ...{ type, status, reason, message: `It is ${reason}`, observedGeneration: 3 },
  }));
  const schema = child("DatabaseMigration", "schema", { status: { conditions: written, ...parts } });
  return { ...schema, metadata: { ...schema.metadata, generation: 3 } };
}

const EXPANDED = migration({ Expanded: ["True", "Applied"], Ready: ["False", "WaitingForRollout"] });

/** Version v1 runs; v2 is asked for. */
function rolling(parts: Partial<Seen>): Seen {
  const owner = app({ ...SPEC, version: "v2" });
  return seen(owner, { ...rolledOut(app({ ...SPEC, version: "v1" })), ...parts });
}

/** What is asked for runs, since a rollout that began with generation 3. */
function complete(parts: Partial<Seen> = {}, annotations: Record<string, string> = BEGAN): Seen {
  const owner = app(SPEC);
  const all = rolledOut(owner);
  const deployment = { ...all.deployment!, metadata: { ...all.deployment!.metadata, annotations } };
  return seen(owner, { ...all, deployment, migration: EXPANDED, ...parts });
}

const CLOSED: Record<string, [migration: KubeObject | undefined, phase: string, reason: string]> = {
  "the migration is missing": [undefined, "Migrating", "MigrationMissing"],
  "it is under way": [migration({ Expanded: ["False", "Missing"] }, { phase: "Running" }), "Migrating", "Migrating"],
  "it has not looked at its present spec": [
    { ...EXPANDED, metadata: { ...EXPANDED.metadata, generation: 4 } },
    "Migrating",
    "Migrating",
  ],
  "it has failed": [
    migration({ Expanded: ["False", "Missing"], Ready: ["False", "SqlError"] }, { phase: "Failed" }),
    "Failed",
    "MigrationFailed",
  ],
};

for (const [sentence, [found, phase, reason]] of Object.entries(CLOSED)) {
  Deno.test(`a version does not roll while ${sentence}`, () => {
    const plan = decide(rolling({ migration: found }), CREATED);
    assert.deepEqual([plan.report.phase, plan.report.reason], [phase, reason]);
    assert.ok(!plan.desired!.some(({ kind }) => kind === "Deployment"));
    assert.ok(plan.keep!.some(({ kind }) => kind === "Deployment"));
    assert.match(plan.report.message, /the version before keeps serving/);
  });
}

Deno.test("a version rolls when everything that comes before is applied, and notes with what it began", () => {
  const looked = rolling({ migration: EXPANDED });
  assert.deepEqual([gateOf(looked), rolledWith(looked)], [{ isOpen: true }, BEGAN]);
});

Deno.test("what rolls no Pods does not wait, and does not begin anew", () => {
  const looked = complete({ migration: migration({ Expanded: ["False", "Missing"] }) }, {
    [MIGRATION_ANNOTATION]: "uid/1",
  });
  assert.deepEqual([gateOf(looked), rolledWith(looked)], [{ isOpen: true }, { [MIGRATION_ANNOTATION]: "uid/1" }]);
});

Deno.test("a version that serves comes back when somebody deletes its Deployment, whatever its migration says", () => {
  const failed = CLOSED["it has failed"]![0]!;
  const status = { phase: "Running", observedGeneration: 1, image: "ghcr.io/acme/shop:v1" };
  const lost = seen(app(SPEC, { status }), { migration: failed });
  const { desired } = decide(lost, CREATED);
  const deployment = desired!.find(({ kind }) => kind === "Deployment")!;
  assert.equal(deployment.metadata.annotations?.[MIGRATION_ANNOTATION], undefined);
  const changed = seen(app({ ...SPEC, version: "v2" }, { status, metadata: { generation: 2 } }), { migration: failed });
  assert.equal(gateOf(changed).isOpen, false);
});

Deno.test("changes from a ConfigMap are approved by their content, not by a generation", () => {
  const [one, other] = ["one", "other"].map((revision) => ({ ...EXPANDED, status: { ...EXPANDED.status, revision } }));
  const begun = { [MIGRATION_ANNOTATION]: "uid-of-schema/one" };
  assert.deepEqual(rolledWith(rolling({ migration: one })), begun);
  assert.equal(approval(complete({ migration: one }, begun), true)!.metadata.annotations?.[APPROVED], "one");
  assert.equal(approval(complete({ migration: other }, begun), true), undefined);
});

Deno.test("a complete rollout lets go on what waited for it, and touches one annotation", () => {
  const { metadata, spec } = approval(complete(), true)!;
  assert.deepEqual([metadata.annotations, spec], [{ "maquette.dev/contract-approved": "3" }, undefined]);
});

/** Another application of the same database. */
function peer(phase: string, annotations: Record<string, string> = BEGAN, older: KubeObject[] = []): Peer {
  const owner = app(SPEC, { status: { phase, observedGeneration: 1 } });
  const { deployment: observed, allPods } = rolledOut(owner);
  const deployment = { ...observed!, metadata: { ...observed!.metadata, annotations } };
  return { owner, deployment, allPods: [...allPods, ...older] };
}
const OLDER = { [MIGRATION_ANNOTATION]: "uid-of-schema/2" };
const ENDING = pod(app({ ...SPEC, version: "v0" }), "shop-0");

const HELD: Record<string, [seen: Seen, isComplete: boolean]> = {
  "the rollout is not complete": [complete(), false],
  "the rollout began before": [complete({}, { [MIGRATION_ANNOTATION]: "uid-of-schema/2" }), true],
  "a Pod of an older version still ends": [
    complete({ allPods: [pod(app(SPEC)), pod(app({ ...SPEC, version: "v0" }), "shop-0")] }),
    true,
  ],
  "another application of the same database rolls": [complete({ peers: [peer("Progressing")] }), true],
  "another application of the same database runs what it ran before": [
    complete({ peers: [peer("Running", OLDER)] }),
    true,
  ],
  "a Pod of an older version of another application still ends": [
    complete({ peers: [peer("Running", BEGAN, [ENDING])] }),
    true,
  ],
  "another application of the same database is being deleted, and still serves": [
    complete({ peers: [peer("Terminating")] }),
    true,
  ],
  "nothing waits": [
    complete({ migration: migration({ Expanded: ["True", "Applied"], Ready: ["True", "Migrated"] }) }),
    true,
  ],
};

for (const [sentence, [looked, isComplete]] of Object.entries(HELD)) {
  Deno.test(`nothing is approved where ${sentence}`, () => assert.equal(approval(looked, isComplete), undefined));
}

Deno.test("all applications of a database rolled out: approved", () => {
  assert.ok(approval(complete({ peers: [peer("Running")] }), true));
});

Deno.test("changes that wait for a rollout which nobody has begun are told", () => {
  assert.equal(contractFinding(complete()), undefined);
  const { reason, message } = contractFinding(complete({}, { [MIGRATION_ANNOTATION]: "uid-of-schema/2" }))!;
  assert.equal(reason, "WaitingForNextRollout");
  assert.match(message, /contract-approved=3/);
});

/** What a rollout of `asked` begins with, where `served` is rolled out completely and the Deployment has `deployed`. */
function begins(
  asked: string,
  deployed: string | undefined,
  annotations: Record<string, string>,
  served = "v1",
): unknown {
  const owner = app({ ...SPEC, version: asked }, { status: { image: `ghcr.io/acme/shop:${served}` } });
  const { deployment } = rolledOut(app({ ...SPEC, version: deployed, env: { A: "1" } }));
  const observed = { ...deployment!, metadata: { ...deployment!.metadata, annotations } };
  return rolledWith(seen(owner, { deployment: deployed === undefined ? undefined : observed, migration: EXPANDED }));
}

const [FIRST, THIRD] = ["uid-of-schema/1", "uid-of-schema/3"];
const BEGINNINGS: Record<string, [made: unknown, annotations: Record<string, string>]> = {
  "a new version": [begins("v2", "v1", { [MIGRATION_ANNOTATION]: FIRST }), {
    [MIGRATION_ANNOTATION]: THIRD,
    [SERVED_ANNOTATION]: FIRST,
  }],
  "the version before, when the new one fails": [
    begins("v1", "v2", { [MIGRATION_ANNOTATION]: THIRD, [SERVED_ANNOTATION]: FIRST }),
    { [MIGRATION_ANNOTATION]: FIRST, [SERVED_ANNOTATION]: FIRST },
  ],
  "another new version after one that failed": [
    begins("v3", "v2", { [MIGRATION_ANNOTATION]: FIRST, [SERVED_ANNOTATION]: FIRST }),
    { [MIGRATION_ANNOTATION]: THIRD, [SERVED_ANNOTATION]: FIRST },
  ],
  "another configuration of the version that serves": [begins("v1", "v1", { [MIGRATION_ANNOTATION]: FIRST }), {
    [MIGRATION_ANNOTATION]: FIRST,
    [SERVED_ANNOTATION]: FIRST,
  }],
  "the version that serves, its Deployment deleted by hand": [begins("v1", undefined, {}), {}],
  "the version that serves, which had no migration before": [begins("v1", "v1", {}), {}],
};

for (const [sentence, [made, annotations]] of Object.entries(BEGINNINGS)) {
  Deno.test(`a rollout of ${sentence} begins with ${JSON.stringify(annotations)}`, () => {
    assert.deepEqual(made, annotations);
  });
}

Deno.test("an application that names a migration without rolling has not begun with it", () => {
  assert.deepEqual(rolledWith(complete({}, {})), {});
  assert.equal(approval(complete({}, {}), true), undefined);
});
