import assert from "node:assert/strict";
import { databaseKey } from "../../migration/database.ts";
import { undoRun } from "../../migration/job.ts";
import { checksumOf } from "../../migration/migration_set.ts";
import { dbm, requestOf, THREE } from "../../migration/test_migrations.ts";
import { statusOf } from "../../runtime/status.ts";
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

Deno.test("a run begins with the Lease, its files and its Job", () => {
  const plan = decide(seen(dbm()), NOW);
  assert.deepEqual(made(plan), ["Lease", "ConfigMap", "Job"]);
  assert.deepEqual(said(plan), ["Pending", "reconciling", "Starting"]);
});

Deno.test("while somebody else is at the database nothing is made", () => {
  const other = { ...dbm(), metadata: { ...dbm().metadata, uid: "other" } };
  const { lease } = held(other);
  const plan = decide(seen(dbm(), { lease, isHolderKnown: true }), NOW);
  assert.deepEqual([plan.desired, plan.further], [undefined, undefined]);
  assert.deepEqual(said(plan), ["Pending", "reconciling", "DatabaseBusy"]);
  const orphaned = decide(seen(dbm(), { lease }), NOW);
  assert.equal(orphaned.further, lease);
  assert.equal(orphaned.report.lookAgainAt, NOW + 5000);
});

Deno.test("a run that is under way is left alone", () => {
  const owner = dbm();
  const run = runOf(owner);
  const plan = decide(seen(owner, { ...held(owner), ...there(run), pods: [pod(run)] }), NOW);
  assert.equal(plan.desired, undefined);
  assert.deepEqual(said(plan), ["Running", "reconciling", "Migrating"]);
});

Deno.test("a Lease that somebody deleted is taken again, and the Job stays", () => {
  const owner = dbm();
  const plan = decide(seen(owner, there(runOf(owner))), NOW);
  assert.deepEqual(made(plan), ["Lease"]);
  assert.deepEqual(plan.keep?.map(({ kind }) => kind), ["ConfigMap", "Job"]);
});

Deno.test("a run that has succeeded tells what is applied, and gives the database back", () => {
  const owner = dbm();
  const run = runOf(owner);
  const message = "before 1\ncurrent 1\nafter 1-3\ncurrent 7\n";
  const pods = [pod(run, { exitCode: 0, message })];
  const plan = decide(seen(owner, { ...held(owner), ...there(run, ended("Complete")), pods }), NOW);
  assert.deepEqual(made(plan), []);
  assert.deepEqual(plan.keep?.map(({ kind }) => kind), ["Job", "ConfigMap"]);
  assert.deepEqual(said(plan), ["Completed", "ready", "Migrated"]);
  const { status } = after(owner, plan);
  assert.equal(status?.currentVersion, "7");
  assert.deepEqual(
    status?.appliedMigrations,
    THREE.map(({ version, sql }) => ({ version, checksum: checksumOf(sql) })),
  );
  assert.equal(status?.conditions?.find(({ type }) => type === "Expanded")?.status, "True");
});

Deno.test("what is done is done: without its Job nothing runs again, and nothing is written", () => {
  const owner = dbm();
  const run = runOf(owner);
  const pods = [pod(run, { exitCode: 0, message: "before \nafter 1-3\ncurrent 1.10\n" })];
  const done = after(owner, decide(seen(owner, { ...there(run, ended("Complete")), pods }), NOW));
  const plan = decide(seen(done), NOW);
  assert.equal(plan.desired, undefined);
  assert.deepEqual(statusOf(done, plan.report, NOW), done.status);
});

Deno.test("every release enters the history with its version, and so does every version that fails", () => {
  let owner = dbm();
  const release = (end: "Complete" | "Failed", message: string): void => {
    const retry = String(owner.status?.history?.length ?? 0);
    owner = dbm({}, { status: owner.status, annotations: { "maquette.dev/retry": retry } });
    const run = runOf(owner);
    const pods = [pod(run, { exitCode: end === "Complete" ? 0 : 1, message })];
    owner = after(owner, decide(seen(owner, { ...there(run, ended(end)), pods }), NOW));
  };
  release("Complete", "before \nafter 1\ncurrent 1\n");
  release("Complete", "before 1\nafter 1-2\ncurrent 1.9\n");
  release("Failed", `before 1-2\nafter 1-2\ncurrent 1.9\n${SQL_ERROR}`);
  release("Failed", `before 1-2\nafter 1-2\ncurrent 1.9\n${SQL_ERROR.replace("1.10", "1.9")}`);
  assert.deepEqual(owner.status?.history?.map(({ outcome, version, reason }) => [outcome, version, reason]), [
    ["Failed", "1.9", "MigrationFailed"],
    ["Failed", "1.10", "MigrationFailed"],
    ["Completed", "1.9", "Migrated"],
    ["Completed", "1", "Migrated"],
  ]);
});

Deno.test("a Pod that may still talk to the database keeps it, whatever its Job says", () => {
  const owner = dbm();
  const run = runOf(owner);
  const plan = decide(seen(owner, { ...held(owner), ...there(run, ended("Failed")), pods: [pod(run)] }), NOW);
  assert.deepEqual(said(plan), ["Running", "reconciling", "Migrating"]);
});

Deno.test("a change of the spec waits until the older run has ended", () => {
  const owner = dbm();
  const older = runOf(dbm({ migrations: [THREE[0]!] }));
  const running = decide(seen(owner, { ...held(owner), ...there(older) }), NOW);
  assert.deepEqual([running.desired, said(running)], [undefined, ["Running", "reconciling", "FinishingOlder"]]);
  const over = decide(seen(owner, { ...held(owner), ...there(older, ended("Failed")) }), NOW);
  assert.deepEqual([made(over), over.keep], [["Lease", "ConfigMap", "Job"], []]);
});

const FAILURES: Record<string, [message: string, reason: string, says: RegExp]> = {
  "an error of SQL": [
    `before 1\ncurrent 1\nafter 1-2\n${SQL_ERROR}`,
    "MigrationFailed",
    /^Version "1.10" failed at line 2: ERROR: no$/,
  ],
  "a version out of order": [
    "before 1\norder 2 5\n",
    "OutOfOrder",
    /^Version "1.9" is lower than "5", which is applied/,
  ],
  "a contract below an expansion": ["before 1\nheld 2 3\n", "ContractBeforeExpand", /give "1.9" a higher version$/],
  "an edited text": [
    "before 1\nafter 1\nerror\nMigration checksum mismatch for migration version 1",
    "AppliedMigrationChanged",
    /^Version "1" was applied, and its text has changed since/,
  ],
  "an edited description": [
    "before 1\nafter 1\nerror\nMigration description mismatch for migration version 1",
    "AppliedMigrationChanged",
    /^Version "1" was applied, and its description has changed since: put the description back/,
  ],
  "another spelling of an applied version": [
    "before 1\nspelled 1 1.0\n",
    "AppliedMigrationChanged",
    /^Version "1" is applied as "1.0": it must keep its spelling$/,
  ],
  "a login that is refused": [
    "error\nMessage    : FATAL: password authentication failed",
    "RunFailed",
    /^FATAL: password/,
  ],
  "an image without the driver": [
    "error\nUnexpected error running Liquibase: Cannot find database driver: org.mariadb.jdbc.Driver",
    "DriverMissing",
    /^The image has no driver for this database; .*: org.mariadb.jdbc.Driver$/,
  ],
};

for (const [what, [message, reason, says]] of Object.entries(FAILURES)) {
  Deno.test(`${what} is said`, () => {
    const owner = dbm();
    const run = runOf(owner);
    const pods = [pod(run, { exitCode: 1, message })];
    const plan = decide(seen(owner, { ...held(owner), ...there(run, ended("Failed")), pods }), NOW);
    assert.deepEqual(said(plan), ["Failed", "stalled", reason]);
    assert.match(plan.report.message, says);
    assert.deepEqual(made(plan), []);
    const again = decide(seen(after(owner, plan)), NOW);
    assert.deepEqual([again.desired, again.report.message], [undefined, plan.report.message]);
  });
}

Deno.test("a run that took too long says so", () => {
  const owner = dbm();
  const plan = decide(seen(owner, there(runOf(owner), ended("Failed", "DeadlineExceeded"))), NOW);
  assert.deepEqual([plan.report.reason, plan.report.message], ["TimedOut", "The run did not end within 1800 s"]);
});

Deno.test("what a failed run had applied is undone, the latest first, and the database is kept until then", () => {
  const owner = dbm({ rollback: { onFailure: true } });
  const run = runOf(owner);
  const pods = [pod(run, { exitCode: 1, message: `before 1\ncurrent 1\nafter 1-2\ncurrent 1.9\n${SQL_ERROR}` })];
  const plan = decide(seen(owner, { ...held(owner), ...there(run, ended("Failed")), pods }), NOW);
  assert.deepEqual(said(plan), ["RollingBack", "reconciling", "RollingBack"]);
  assert.deepEqual(made(plan), ["Lease", "ConfigMap", "Job"]);
  const failing = after(owner, plan);
  const started = { jobs: [...there(run, ended("Failed")).jobs!, { ...plan.desired!.at(-1)!, status: {} }], pods };
  assert.deepEqual(said(decide(seen(owner, { ...held(owner), ...started }), NOW)), said(plan));
  assert.deepEqual([failing.status?.run?.undo, failing.status?.failedMigration], [["1.9"], "1.10"]);
  const undo = undoRun(owner, { request: requestOf(owner), of: run.name, undo: ["1.9"] }, SETTINGS);
  const jobs = [...there(run, ended("Failed")).jobs!, ...there(undo, ended("Complete")).jobs!];
  const undone = [pod(undo, { exitCode: 0, message: "before 1-2\ncurrent 1.9\nafter 1\ncurrent 1\n" })];
  const last = decide(seen(failing, { ...held(owner), jobs, pods: undone }), NOW);
  assert.deepEqual([said(last), made(last)], [["Failed", "stalled", "MigrationFailed"], []]);
  assert.match(last.report.message, /^Version "1.10" failed at line 2: ERROR: no\nundone: "1.9"$/);
  assert.deepEqual(after(failing, last).status?.appliedMigrations?.map(({ version }) => version), ["1"]);
});

Deno.test("nothing is undone from the first version on that has no rollback text", () => {
  const migrations = [THREE[0]!, { ...THREE[1]!, rollback: undefined }, THREE[2]!, { version: "2", sql: "x" }];
  const owner = dbm({ migrations, rollback: { onFailure: true } });
  const run = runOf(owner);
  const message = `before \ncurrent \nafter 1-3\ncurrent 1.10\n${SQL_ERROR.replace("1.10", "2")}`;
  const plan = decide(seen(owner, { ...there(run, ended("Failed")), pods: [pod(run, { exitCode: 1, message })] }), NOW);
  assert.deepEqual(after(owner, plan).status?.run?.undo, ["1.10"]);
});

Deno.test("what comes after a rollout waits for its approval", () => {
  const owner = dbm({ migrations: STAGED });
  const applications = ["shop"];
  const run = runOf(owner, true);
  const first = decide(seen(owner, { applications }), NOW);
  assert.equal(first.desired?.at(-1)?.metadata.name, run.name);
  const pods = [pod(run, { exitCode: 0, message: "before \ncurrent \nafter 1-2\ncurrent 1.9\n" })];
  const expanded = decide(seen(owner, { applications, ...there(run, ended("Complete")), pods }), NOW);
  assert.deepEqual(said(expanded), ["Pending", "reconciling", "WaitingForRollout"]);
  assert.equal(expanded.report.conditions?.[0]?.status, "True");
  const { status } = after(owner, expanded);
  const stale = dbm({ migrations: STAGED }, { status, annotations: { "maquette.dev/contract-approved": "0" } });
  assert.equal(decide(seen(stale, { applications }), NOW).report.reason, "WaitingForRollout");
  const approved = dbm({ migrations: STAGED }, { status, annotations: { "maquette.dev/contract-approved": "1" } });
  const rest = decide(seen(approved, { applications }), NOW);
  assert.equal(rest.desired?.at(-1)?.metadata.name, runOf(approved).name);
  assert.equal(rest.report.conditions?.[0]?.status, "True");
});

Deno.test("without an application everything runs at once, and what is applied waits for nobody who comes later", () => {
  const owner = dbm({ migrations: STAGED });
  const run = runOf(owner);
  assert.equal(decide(seen(owner), NOW).desired?.at(-1)?.metadata.name, run.name);
  const pods = [pod(run, { exitCode: 0, message: "before \ncurrent \nafter 1-3\ncurrent 1.10\n" })];
  const done = after(owner, decide(seen(owner, { ...there(run, ended("Complete")), pods }), NOW));
  assert.equal(decide(seen(done, { applications: ["shop"] }), NOW).report.phase, "Completed");
});

Deno.test("what is known of one database says nothing of another", () => {
  const { database } = dbm().spec;
  const appliedMigrations = THREE.map(({ version, sql }) => ({ version, checksum: checksumOf(sql) }));
  const status = { database: databaseKey({ ...database, name: "old" }), appliedMigrations };
  const plan = decide(seen(dbm({}, { status })), NOW);
  assert.deepEqual([plan.report.reason, plan.report.conditions?.[0]?.status], ["Starting", "False"]);
});

Deno.test("an empty list is applied", () => {
  const plan = decide(seen(dbm({ migrations: [] })), NOW);
  assert.deepEqual([said(plan), plan.desired], [["Completed", "ready", "Migrated"], undefined]);
});

Deno.test("changes that cannot be read stall it", () => {
  const problem = { reason: "SourceMissing", message: 'ConfigMap "shop/changes" does not exist' };
  assert.deepEqual(said(decide(seen(dbm(), { source: { problem } }), NOW)), ["Failed", "stalled", "SourceMissing"]);
});

Deno.test("who cannot go on holds no database, but for what still runs", () => {
  const owner = dbm();
  const source = { problem: { reason: "SourceMissing", message: "" } };
  const over = there(runOf(owner), ended("Failed"));
  const rest = decide(seen(owner, { source, ...held(owner), ...over }), NOW);
  assert.deepEqual([made(rest), rest.keep?.map(({ kind }) => kind)], [[], ["Job", "ConfigMap"]]);
  assert.equal(decide(seen(owner, { source, ...held(owner), ...there(runOf(owner)) }), NOW).desired, undefined);
  const moved = dbm({ database: { ...owner.spec.database, name: "other" } });
  const { lease } = held({ ...moved, metadata: { ...moved.metadata, uid: "other" } });
  const busy = decide(seen(moved, { ...held(owner), lease }), NOW);
  assert.deepEqual([busy.report.reason, made(busy)], ["DatabaseBusy", []]);
});
