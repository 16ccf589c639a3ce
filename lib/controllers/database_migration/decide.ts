/**
 * What is to be done about one DatabaseMigration and what is to be said. Pure: it powers `maquette plan`, too.
 *
 * @module
 */
import { EXPANDED, WAITING_FOR_ROLLOUT } from "../../api/database_migration.ts";
import { ANNOTATION_OWNER } from "../../api/names.ts";
import type { KubeObject } from "../../api/object.ts";
import { databaseKey } from "../../migration/database.ts";
import { migrationRun, type Run, undoRun } from "../../migration/job.ts";
import type { Change } from "../../migration/migration_set.ts";
import { reportsOf, spokenIn, whole } from "../../migration/report.ts";
import { type MigrationRequest, requestFor } from "../../migration/request.ts";
import { revisionOf } from "../../migration/source.ts";
import type { Plan } from "../../runtime/definition.ts";
import type { Finding, Report } from "../../runtime/status.ts";
import { jobEnd } from "../../workload/job.ts";
import { firstFailure } from "../../workload/pod_failure.ts";
import { mayRun } from "../../workload/pods.ts";
import { attemptOf, couldNotBegin, nextAttemptAt } from "./attempt.ts";
import { hasToWaitForRollout, isActive, isApplied, olderOf, podsOf, recordedApplied, recordedRun } from "./checks.ts";
import { childrenAtRest, childrenLeft, childrenOf, isLocked } from "./desired.ts";
import { endingOf, type Fields, historyOf } from "./ending.ts";
import { isHeldBy, type Seen } from "./gather.ts";

/** How long until the Lease of an owner that is gone is looked at again. */
const ORPHAN_MS = 5_000;

/** What is asked for, in every form that a decision needs. */
interface Wish {
  seen: Seen;
  request: MigrationRequest;
  run: Run;
  /** Changes that wait for the rollout. */
  isHeld: boolean;
}

/** @param now Milliseconds since the epoch. */
export function decide(seen: Seen, now: number): Plan {
  const { source } = seen;
  if ("problem" in source) return unreadable(seen, source.problem);
  const { changes } = source;
  const plan = planOf(wishOf(seen, changes), now);
  if (!seen.owner.spec.source) return plan;
  const fields = { ...plan.report.fields, revision: revisionOf(seen.owner, changes) };
  return { ...plan, report: { ...plan.report, fields } };
}

function planOf(wish: Wish, now: number): Plan {
  const { seen, run, request } = wish;
  const job = seen.jobs.find(({ metadata }) => metadata.name === run.name);
  const isOver = job !== undefined && !isActive(job, seen.pods);
  const ended = recordedRun(seen.owner, run.name) ? fieldsOf(seen) : isOver ? endingOf(seen, job, request) : undefined;
  const undo = undoOf(wish, ended);
  const older = olderOf(seen, undo ? [run.name, undo.name] : [run.name]);
  if (older) return finishingOlder(wish, older);
  if (request.upTo === 0) return nothingToRun(wish);
  if (ended) return afterwards(wish, ended, { undo, now });
  return job ? underWay(wish, job) : starting(wish, now);
}

/** What is under way goes on to its end. */
function unreadable(seen: Seen, problem: { reason: string; message: string }): Plan {
  const isBusy = olderOf(seen, []) !== undefined;
  const report = { phase: "Failed", state: "stalled" as const, ...problem, ...kept(seen) };
  return { ...(isBusy ? {} : childrenAtRest(seen)), report };
}

function wishOf(seen: Seen, changes: readonly Change[]): Wish {
  const { owner, settings } = seen;
  const complete = migrationRun(owner, requestFor(owner, changes, false), settings);
  const isDone = recordedRun(owner, complete.name)?.outcome === "Succeeded";
  const isHeld = !isDone && hasToWaitForRollout(seen, changes);
  const request = requestFor(owner, changes, isHeld);
  return { seen, request, isHeld, run: isHeld ? migrationRun(owner, request, settings) : complete };
}

/** The run that undoes what another had applied. */
function undoOf({ seen, run, request }: Wish, fields: Fields | undefined): Run | undefined {
  const undo = fields?.run?.undo;
  const failed = fields?.failedMigration;
  return undo && undoRun(seen.owner, { request, of: run.name, undo, failed }, seen.settings);
}

function starting(wish: Wish, now: number): Plan {
  const { seen, run } = wish;
  const { lease, owner } = seen;
  const conditions = conditionsOf(wish, recordedApplied(owner));
  const { fields } = fieldsIn(seen);
  const report = { phase: "Pending", state: "reconciling" as const, conditions, fields };
  const lookAgainAt = nextAttemptAt(owner, run.name, now);
  if (lookAgainAt !== undefined) {
    const remembered = { ...fields, attempt: owner.status!.attempt };
    return { ...childrenAtRest(seen), report: { ...report, fields: remembered, ...couldNotBegin(owner), lookAgainAt } };
  }
  if (lease && !isHeldBy(lease, owner)) return waitingForDatabase(seen, { lease, report, now });
  const { attempt, ...look } = attemptOf(owner, run.name, now);
  const message = `Job "${run.name}" is to be made`;
  return {
    ...childrenOf(seen, run),
    report: { ...report, fields: { ...fields, attempt }, reason: "Starting", message, ...look },
  };
}

function waitingForDatabase(
  seen: Seen,
  { lease, report, now }: { lease: KubeObject; report: Omit<Report, "reason" | "message">; now: number },
): Plan {
  const holder = lease.metadata.annotations?.[ANNOTATION_OWNER] ?? lease.spec?.holderIdentity;
  const message = `Waiting until ${holder} has done with database "${databaseKey(seen.owner.spec.database)}"`;
  const busy = { ...report, reason: "DatabaseBusy", message };
  const children = childrenAtRest(seen);
  if (seen.isHolderKnown) return { ...children, report: busy };
  return { ...children, further: lease, report: { ...busy, lookAgainAt: now + ORPHAN_MS } };
}

/** A run is never cut short: what it does to a database without transactions could be half a change. */
function finishingOlder(wish: Wish, older: KubeObject): Plan {
  const { seen } = wish;
  const message = `Waiting until the older ${older.kind} "${older.metadata.name}" has ended`;
  const report = { phase: "Running", state: "reconciling" as const, reason: "FinishingOlder", message };
  return {
    report: { ...report, conditions: conditionsOf(wish, recordedApplied(seen.owner)), ...fieldsIn(seen) },
  };
}

function underWay(wish: Wish, job: KubeObject): Plan {
  const { seen, run } = wish;
  const said = troubleOf(wish, job) ?? stateOf(seen, job);
  const conditions = conditionsOf(wish, recordedApplied(seen.owner));
  const report = { phase: "Running", state: "reconciling" as const, ...said, conditions, ...fieldsIn(seen) };
  return { ...(isLocked(seen, run) ? {} : childrenOf(seen, run)), report };
}

/** Why a Job gets no Pod (a quota, a policy), only its Events tell. */
function stateOf({ pods }: Seen, job: KubeObject): { reason: string; message: string } {
  const { namespace, name } = job.metadata;
  if (podsOf(job, pods).length > 0) return { reason: "Migrating", message: `Job "${name}" runs` };
  const message = `Job "${name}" has no Pod yet: kubectl describe job -n ${namespace} ${name} tells why`;
  return { reason: "WaitingForPod", message };
}

/** What keeps a Pod from running, or what the last one ended with. */
function troubleOf({ seen, request }: Wish, job: KubeObject): { reason: string; message: string } | undefined {
  const pods = podsOf(job, seen.pods);
  const failure = firstFailure(pods.filter(mayRun));
  if (failure) return { reason: failure.reason, message: failure.message };
  const error = whole(reportsOf(pods, request.changes.map(({ version }) => version)))?.error;
  if (!error) return undefined;
  return {
    reason: "Migrating",
    message: `Job "${job.metadata.name}" runs; its last Pod ended with: ${spokenIn(error)}`,
  };
}

/** The run has ended, just now or some time ago. */
function afterwards(wish: Wish, fields: Fields, { undo, now }: { undo?: Run; now: number }): Plan {
  const { seen } = wish;
  const ended = fields.run!;
  if (ended.outcome === "Succeeded") return succeeded(wish, fields);
  if (!undo || ended.isUndone) return failed(wish, fields, undo);
  const job = seen.jobs.find(({ metadata }) => metadata.name === undo.name);
  if (!job || isActive(job, seen.pods)) return rollingBack(wish, fields, { undo, now });
  return failed(wish, undone(wish, fields, job), undo);
}

function succeeded(wish: Wish, fields: Fields): Plan {
  const { seen, run, isHeld } = wish;
  const conditions = conditionsOf(wish, fields.appliedMigrations ?? []);
  const children = childrenLeft(seen, [run]);
  if (isHeld) {
    const message =
      `Applied what comes before the rollout of PortfolioApp "${seen.applications.join('", "')}"; the rest ` +
      "follows when that is complete";
    const report = { phase: "Pending", state: "reconciling" as const, reason: WAITING_FOR_ROLLOUT, message };
    return { ...children, report: { ...report, conditions, fields } };
  }
  const message = `Database is at version "${fields.currentVersion ?? ""}"`;
  const outcome = { outcome: "Completed", ...versioned(fields.currentVersion), reason: "Migrated", message };
  return {
    ...children,
    report: { phase: "Completed", state: "ready", reason: "Migrated", message, conditions, fields, outcome },
  };
}

/** Also where all there is waits for a rollout. */
function nothingToRun(wish: Wish): Plan {
  const plan = succeeded(wish, fieldsOf(wish.seen));
  return wish.isHeld ? plan : { ...plan, report: { ...plan.report, message: "There is nothing to apply" } };
}

function rollingBack(wish: Wish, fields: Fields, { undo, now }: { undo: Run; now: number }): Plan {
  const { seen, run } = wish;
  const versions = fields.run!.undo!.join('", "');
  const message = `Undoing "${versions}" after: ${fields.run!.message}`;
  const conditions = conditionsOf(wish, fields.appliedMigrations ?? []);
  const report = {
    phase: "RollingBack",
    state: "reconciling" as const,
    reason: "RollingBack",
    message,
    conditions,
    fields,
  };
  if (isLocked(seen, undo)) return { report };
  const isFree = !seen.lease || isHeldBy(seen.lease, seen.owner);
  if (isFree) return { ...childrenOf(seen, undo, run), report };
  return { report: { ...report, lookAgainAt: now + ORPHAN_MS } };
}

/** The status after the run that undoes has ended. */
function undone({ seen, request }: Wish, fields: Fields, job: KubeObject): Fields {
  const versions = request.changes.map(({ version }) => version);
  const report = whole(reportsOf(podsOf(job, seen.pods), versions));
  const { undo = [], message = "", ...run } = fields.run!;
  const history = historyOf(seen, request, report);
  const left = undo.filter((version) => history.appliedMigrations?.some((each) => each.version === version));
  const succeeded = jobEnd(job)!.succeeded;
  const text = succeeded
    ? `undone: "${undo.join('", "')}"`
    : `undoing failed, still applied: "${left.join('", "')}"${report?.error ? `:\n${spokenIn(report.error)}` : ""}`;
  return {
    ...fields,
    ...(report?.after ? history : {}),
    run: { ...run, undo, isUndone: true, message: `${message}\n${text}` },
  };
}

function failed(wish: Wish, fields: Fields, undo: Run | undefined): Plan {
  const { seen, run } = wish;
  const { reason = "RunFailed", message = "" } = fields.run!;
  const conditions = conditionsOf(wish, fields.appliedMigrations ?? []);
  const outcome = { outcome: "Failed", ...versioned(fields.failedMigration), reason, message };
  const report = { phase: "Failed", state: "stalled" as const, reason, message, conditions, fields, outcome };
  return { ...childrenLeft(seen, undo ? [run, undo] : [run]), report };
}

/** What an outcome is about: two of one reason are two where their versions differ. */
function versioned(version: string | undefined): { version?: string } {
  return version ? { version } : {};
}

/** `Expanded` is what a rollout waits for. */
function conditionsOf({ request }: Wish, applied: NonNullable<Fields["appliedMigrations"]>): Finding[] {
  const missing = request.changes.filter((change) => !change.isContract && !isApplied(change, applied));
  if (missing.length === 0) {
    const message = "Everything that comes before a rollout is applied";
    return [{ type: EXPANDED, status: "True", reason: "Applied", message }];
  }
  const message = `Not applied: "${missing.slice(0, 5).map(({ version }) => version).join('", "')}"`;
  return [{ type: EXPANDED, status: "False", reason: "Missing", message }];
}

/** What the status says stays while nothing new is known; a run that is asked for no more is forgotten when another ends. */
function fieldsOf({ owner: { status = {} } }: Seen): Fields {
  const { database, currentVersion, appliedMigrations, failedMigration, error, lastMigrationTime, run } = status;
  const all = { database, currentVersion, appliedMigrations, failedMigration, error, lastMigrationTime, run };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** While another run is on its way, what failed before is no news. */
function fieldsIn(seen: Seen): { fields: Fields } {
  const { failedMigration: _failed, error: _error, ...fields } = fieldsOf(seen);
  return { fields };
}

function kept(seen: Seen): { fields: Fields; conditions: Finding[] } {
  const message = "The changes cannot be read";
  return {
    fields: fieldsOf(seen),
    conditions: [{ type: EXPANDED, status: "Unknown", reason: "Unreadable", message }],
  };
}
