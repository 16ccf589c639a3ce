/** What others do to a run: Jobs that are deleted, children that cannot be made, changes that come in its middle. */
import assert from "node:assert/strict";
import type { DatabaseMigration } from "../../api/database_migration.ts";
import type { KubeObject } from "../../api/object.ts";
import { undoRun } from "../../migration/job.ts";
import { changesOf } from "../../migration/migration_set.ts";
import { dbm, requestOf } from "../../migration/test_migrations.ts";
import { rfc3339 } from "../../runtime/status.ts";
import { failureOf } from "../../workload/pod_failure.ts";
import { decide } from "./decide.ts";
import {
  after,
  ended,
  held,
  made,
  NOW,
  pod,
  runOf,
  said,
  seen,
  SETTINGS,
  SQL_ERROR,
  STAGED,
  there,
} from "./test_objects.ts";

/** A run that failed at 1.10, after 1.9 was applied. */
const FAILED_MESSAGE = `before 1\ncurrent 1\nafter 1-2\ncurrent 1.9\n${SQL_ERROR}`;

Deno.test("a Pod whose Job somebody deleted is waited for: it may still talk to the database", () => {
  const owner = dbm();
  const pods = [pod(runOf(owner))];
  const plan = decide(seen(owner, { ...held(owner), pods }), NOW);
  assert.deepEqual([plan.desired, said(plan)], [undefined, ["Running", "reconciling", "FinishingOlder"]]);
  assert.match(plan.report.message, /^Waiting until the older Pod "orders-.*-x" has ended$/);
  const source = { problem: { reason: "SourceMissing", message: "" } };
  assert.equal(decide(seen(owner, { ...held(owner), source, pods }), NOW).desired, undefined);
});

Deno.test("a Pod that undoes and whose Job somebody deleted is waited for, too", () => {
  const owner = dbm({ rollback: { onFailure: true } });
  const run = runOf(owner);
  const failing = after(
    owner,
    decide(
      seen(owner, {
        ...held(owner),
        ...there(run, ended("Failed")),
        pods: [pod(run, { exitCode: 1, message: FAILED_MESSAGE })],
      }),
      NOW,
    ),
  );
  const undo = undoRun(owner, { request: requestOf(owner), of: run.name, undo: ["1.9"] }, SETTINGS);
  const plan = decide(seen(failing, { ...held(owner), ...there(run, ended("Failed")), pods: [pod(undo)] }), NOW);
  assert.deepEqual([plan.desired, said(plan)[2]], [undefined, "FinishingOlder"]);
});

Deno.test("a run that failed is not made again while it is undone, although somebody deleted its Job", () => {
  const owner = dbm({ rollback: { onFailure: true } });
  const run = runOf(owner);
  const pods = [pod(run, { exitCode: 1, message: FAILED_MESSAGE })];
  const failing = after(owner, decide(seen(owner, { ...held(owner), ...there(run, ended("Failed")), pods }), NOW));
  const plan = decide(seen(failing, held(owner)), NOW);
  assert.equal(plan.report.phase, "RollingBack");
  const jobs = plan.desired!.filter(({ kind }) => kind === "Job").map(({ metadata }) => metadata.name);
  assert.equal(jobs.length, 1);
  assert.match(jobs[0]!, /^orders-undo-/);
});

Deno.test("files of another version of the operator are made anew before a Job is made, and stay while one runs", () => {
  const owner = dbm();
  const run = runOf(owner);
  const [part] = run.configMaps;
  const annotations = { ...part!.metadata.annotations, "maquette.dev/content": "older" };
  const configMaps = [{ ...part!, metadata: { ...part!.metadata, annotations } }];
  assert.deepEqual(made(decide(seen(owner, { ...held(owner), configMaps }), NOW)), ["Lease", "ConfigMap", "Job"]);
  const running = { ...held(owner), ...there(run), configMaps, pods: [pod(run)] };
  assert.equal(decide(seen(owner, running), NOW).desired, undefined);
});

const REFUSED_AT = NOW - 10_000;

/** After an attempt that the runtime says was refused. */
function refused(owner: DatabaseMigration, reason: string, type = "Reconciling"): DatabaseMigration {
  const about = {
    reason,
    message: 'Job "x" exists',
    observedGeneration: 1,
    lastTransitionTime: rfc3339(REFUSED_AT),
  };
  const conditions = [
    { type: "Ready", status: "False" as const, ...about },
    { type, status: "True" as const, ...about },
  ];
  const attempt = { name: runOf(owner).name, time: rfc3339(REFUSED_AT) };
  return { ...owner, status: { ...owner.status, conditions, attempt } as DatabaseMigration["status"] };
}

for (
  const [reason, type, phase] of [["NotOwned", "Stalled", "Failed"], ["Forbidden", "Reconciling", "Pending"]] as const
) {
  Deno.test(`who cannot make its Job (${reason}) gives the database back, and tries again later`, () => {
    const owner = refused(dbm(), reason, type);
    const stuck = decide(seen(owner, held(owner)), NOW);
    assert.deepEqual([made(stuck), stuck.report.reason, stuck.report.phase], [[], reason, phase]);
    const woken = decide(seen(after(owner, stuck)), NOW + 40_000);
    assert.deepEqual([woken.desired, woken.report.reason, woken.report.phase], [undefined, reason, phase]);
    for (const { report } of [stuck, woken]) assert.equal(report.lookAgainAt, REFUSED_AT + 60_000);
    const again = decide(seen(after(owner, stuck)), NOW + 50_000);
    assert.deepEqual([made(again), again.report.reason], [["Lease", "ConfigMap", "Job"], "Starting"]);
    assert.equal(after(owner, again).status?.attempt?.time, rfc3339(NOW + 50_000));
    const begun = decide(seen(owner, { ...held(owner), ...there(runOf(owner)) }), NOW);
    assert.deepEqual([begun.report.phase, after(owner, begun).status?.attempt], ["Running", undefined]);
  });
}

const AT_ONCE: Record<string, (owner: DatabaseMigration) => DatabaseMigration> = {
  "another generation": (owner) => ({ ...owner, metadata: { ...owner.metadata, generation: 2 } }),
  "another retry annotation": (owner) => ({
    ...owner,
    metadata: { ...owner.metadata, annotations: { "maquette.dev/retry": "1" } },
  }),
  "no attempt of this run": ({ status, ...owner }) => ({ ...owner, status: { ...status, attempt: undefined } }),
  "an attempt by a clock that was fast": ({ status, ...owner }) => ({
    ...owner,
    status: { ...status, attempt: { ...status!.attempt!, time: rfc3339(NOW + 3_600_000) } },
  }),
};

for (const [what, change] of Object.entries(AT_ONCE)) {
  Deno.test(`after ${what} there is no minute to wait out`, () => {
    const plan = decide(seen(change(refused(dbm(), "Forbidden"))), NOW);
    assert.deepEqual([made(plan), plan.report.lookAgainAt], [["Lease", "ConfigMap", "Job"], NOW + 1_000]);
  });
}

Deno.test("who waits out its minute says what it met, whoever has the database meanwhile", () => {
  const other = { ...dbm(), metadata: { ...dbm().metadata, uid: "other" } };
  const { lease } = held(other);
  const busy = { lease, isHolderKnown: true };
  assert.equal(decide(seen(refused(dbm(), "Forbidden"), busy), NOW).report.reason, "Forbidden");
  assert.equal(decide(seen(refused(dbm(), "Forbidden"), busy), NOW + 50_000).report.reason, "DatabaseBusy");
});

Deno.test("after a failure that is no obstacle only the back-off says when to try again", () => {
  const plan = decide(seen(refused(dbm(), "ReconcileError")), NOW);
  assert.deepEqual([made(plan), plan.report.lookAgainAt], [["Lease", "ConfigMap", "Job"], undefined]);
});

Deno.test("a database is given back although its author has stopped changes", () => {
  const owner = dbm();
  const run = runOf(owner);
  const pods = [pod(run, { exitCode: 0, message: "before \nafter 1-3\ncurrent 1.10\n" })];
  const plan = decide(seen(owner, { ...held(owner), ...there(run, ended("Complete")), pods }), NOW);
  assert.deepEqual(plan.revoked?.map(({ kind }) => kind), ["Lease"]);
});

Deno.test("a Job that has no Pod does not claim that it runs", () => {
  const owner = dbm();
  const run = runOf(owner);
  const plan = decide(seen(owner, { ...held(owner), ...there(run) }), NOW);
  assert.deepEqual(said(plan), ["Running", "reconciling", "WaitingForPod"]);
  assert.match(plan.report.message, /^Job "orders-.*" has no Pod yet: kubectl describe job -n shop orders-/);
});

Deno.test("a run of which nobody knows what it had applied says that nothing is undone", () => {
  const owner = dbm({ rollback: { onFailure: true } });
  const plan = decide(
    seen(owner, { ...held(owner), ...there(runOf(owner), ended("Failed", "DeadlineExceeded")) }),
    NOW,
  );
  assert.deepEqual(said(plan), ["Failed", "stalled", "TimedOut"]);
  assert.match(plan.report.message, /^The run did not end within 1800 s\nnothing is undone: .* maquette\.dev\/retry/);
});

/** Changes that stand in a ConfigMap: another content is no other generation. */
function sourced(
  migrations: typeof STAGED,
  annotations?: Record<string, string>,
): [DatabaseMigration, Parameters<typeof seen>[1]] {
  const owner = dbm({ migrations: undefined, source: { configMapRef: { name: "changes" } } }, { annotations });
  return [owner, { source: { changes: changesOf(migrations) }, applications: ["shop"] }];
}

Deno.test("what was approved for one content of a ConfigMap is not for another", () => {
  const [owner, more] = sourced(STAGED);
  const revision = decide(seen(owner, more), NOW).report.fields!.revision as string;
  assert.match(revision, /^1-[0-9a-f]{16}$/);
  const isHeld = (annotation: string, migrations: typeof STAGED): boolean => {
    const [approved, its] = sourced(migrations, { "maquette.dev/contract-approved": annotation });
    const job = decide(seen(approved, its), NOW).desired!.find(({ kind }) => kind === "Job")!;
    const env: { name: string; value?: string }[] = job.spec.template.spec.containers[0].env;
    return env.find(({ name }) => name === "TARGET")!.value !== String(migrations.length);
  };
  assert.equal(isHeld(revision, STAGED), false);
  assert.equal(isHeld("1", STAGED), true);
  const more2 = [...STAGED, { version: "2", sql: "ALTER TABLE t1 DROP COLUMN i", stage: "contract" as const }];
  assert.equal(isHeld(revision, more2), true);
});

Deno.test("what stands in the spec has no revision of its own", () => {
  assert.equal(decide(seen(dbm({ migrations: STAGED })), NOW).report.fields!.revision, undefined);
});

Deno.test("a run that left no word says which Pod failed last, with the log of that very Pod", () => {
  const owner = dbm();
  const run = runOf(owner);
  const [first, last] = ["b", "a"].map((uid, index) => {
    const tried = pod(run, { exitCode: index + 1, message: "" });
    tried.metadata = { ...tried.metadata, name: `try-${index + 1}`, uid };
    tried.status.containerStatuses[0].state.terminated.finishedAt = `2026-01-01T00:00:0${index}Z`;
    return tried;
  });
  const message = (failed: KubeObject): string => {
    const more = { pods: [last!, first!], failure: failureOf(failed), log: "words" };
    return decide(seen(owner, { ...held(owner), ...there(run, ended("Failed")), ...more }), NOW).report.message;
  };
  assert.match(message(last!), /Pod "try-2" exited with code 2 \(Error\); the last lines of its log:\nwords$/);
  assert.match(message(first!), /Pod "try-2" exited with code 2 \(Error\)$/);
});
