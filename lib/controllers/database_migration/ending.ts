/**
 * What became of a run: its Job, and what its Pods told. Pure.
 *
 * @module
 */
import type { MigrationStatus } from "../../api/database_migration.ts";
import { ANNOTATION_RETRY } from "../../api/names.ts";
import type { KubeObject } from "../../api/object.ts";
import { databaseKey, hasTransactionalDdl } from "../../migration/database.ts";
import { type Change, UNVERIFIED } from "../../migration/migration_set.ts";
import {
  failureIn,
  isEdited,
  isWithoutDriver,
  type Report,
  reportsOf,
  spokenIn,
  whole,
} from "../../migration/report.ts";
import type { MigrationRequest } from "../../migration/request.ts";
import { lineOf } from "../../migration/sql_position.ts";
import { jobEnd } from "../../workload/job.ts";
import { withLog } from "../../workload/logs.ts";
import { lastFailure } from "../../workload/pod_failure.ts";
import { podsOf, recordedApplied } from "./checks.ts";
import type { Seen } from "./gather.ts";

const NOT_UNDONE = "nothing is undone: how far the run came is not known; the database's history tells, and " +
  `annotation ${ANNOTATION_RETRY} has it tried again`;

/** Status fields of the kind, as reports carry them. */
export type Fields = Pick<
  MigrationStatus,
  "database" | "currentVersion" | "appliedMigrations" | "failedMigration" | "error" | "lastMigrationTime" | "run"
>;

/** The status after a run that applies has ended. */
export function endingOf(seen: Seen, job: KubeObject, request: MigrationRequest): Fields {
  const end = jobEnd(job)!;
  const versions = request.changes.map(({ version }) => version);
  const report = whole(reportsOf(podsOf(job, seen.pods), versions));
  const about = { database: databaseKey(request.database), lastMigrationTime: end.at };
  const { name } = job.metadata;
  if (end.succeeded) {
    const after = report?.after ?? versions.slice(0, request.upTo);
    const currentVersion = report?.current ?? after.at(-1);
    const appliedMigrations = appliedOf(seen, { versions: after, request, isVerified: true });
    return { ...about, currentVersion, appliedMigrations, run: { name, outcome: "Succeeded" } };
  }
  const failure = failureOfRun(seen, { job, request, report });
  const isUndoing = seen.owner.spec.rollback?.onFailure === true;
  const undo = isUndoing ? undoable(request, report, failure.version) : [];
  const message = isUndoing && isUnknown(report) ? `${failure.message}\n${NOT_UNDONE}` : failure.message;
  return {
    ...about,
    ...historyOf(seen, request, report),
    ...(failure.version ? { failedMigration: failure.version } : {}),
    error: report?.error ? spokenIn(report.error) : failure.message,
    run: {
      ...{ name, outcome: "Failed", reason: failure.reason, message },
      ...(undo.length > 0 ? { undo } : {}),
    },
  };
}

/** What is known of the database after a run that failed, or one that undid. */
export function historyOf(seen: Seen, request: MigrationRequest, report: Report | undefined): Fields {
  const { status } = seen.owner;
  const isSame = status?.database === databaseKey(request.database);
  if (!report?.after) {
    return isSame ? { currentVersion: status?.currentVersion, appliedMigrations: status?.appliedMigrations } : {};
  }
  const isVerified = !isEdited(report.error);
  const appliedMigrations = appliedOf(seen, { versions: report.after, request, isVerified });
  return { currentVersion: report.current ?? "", appliedMigrations };
}

function appliedOf(
  seen: Seen,
  { versions, request, isVerified }: { versions: readonly string[]; request: MigrationRequest; isVerified: boolean },
): NonNullable<Fields["appliedMigrations"]> {
  const known = new Map(recordedApplied(seen.owner).map(({ version, checksum }) => [version, checksum]));
  return request.changes.filter(({ version }) => versions.includes(version)).map(({ version, checksum }) => ({
    version,
    checksum: isVerified ? checksum : known.get(version) ?? UNVERIFIED,
  }));
}

interface RunFailure {
  reason: string;
  message: string;
  version?: string;
}

function failureOfRun(
  seen: Seen,
  { job, request, report }: { job: KubeObject; request: MigrationRequest; report?: Report },
): RunFailure {
  const end = jobEnd(job)!;
  if (end.reason === "DeadlineExceeded") {
    return { reason: "TimedOut", message: `The run did not end within ${job.spec?.activeDeadlineSeconds} s` };
  }
  if (report) {
    const refusal = refusalOf(report);
    if (refusal) return refusal;
    if (report.error) return toldFailure(report.error, request.changes);
  }
  const failure = lastFailure(podsOf(job, seen.pods));
  if (!failure) return { reason: "RunFailed", message: `The run failed (${end.reason}): ${end.message}` };
  const isRead = failure.pod.metadata.uid === seen.failure?.pod.metadata.uid;
  return { reason: failure.reason, message: withLog(failure.message, isRead ? seen.log : "") };
}

function refusalOf({ outOfOrder, held, respelled }: Report): RunFailure | undefined {
  if (respelled) {
    const { version, applied } = respelled;
    const message = `Version "${version}" is applied as "${applied}": it must keep its spelling`;
    return { reason: "AppliedMigrationChanged", version, message };
  }
  if (outOfOrder) {
    const { version, current } = outOfOrder;
    const message =
      `Version "${version}" is lower than "${current}", which is applied already: give it a higher one, ` +
      "or set allowOutOfOrder";
    return { reason: "OutOfOrder", version, message };
  }
  if (held) {
    const message = `Version "${held.version}" is for after the rollout and is not applied, but "${held.before}" ` +
      `stands behind it and is for before: give "${held.version}" a higher version`;
    return { reason: "ContractBeforeExpand", version: held.version, message };
  }
  return undefined;
}

function toldFailure(error: string, changes: readonly Change[]): RunFailure {
  if (isWithoutDriver(error)) {
    const message = `The image has no driver for this database; name one in image that has it: ${spokenIn(error)}`;
    return { reason: "DriverMissing", message };
  }
  const { version, line } = failureIn(error);
  if (version === undefined) return { reason: "RunFailed", message: spokenIn(error) };
  if (isEdited(error)) {
    const what = /description mismatch/.test(error) ? "description" : "text";
    const message =
      `Version "${version}" was applied, and its ${what} has changed since: put the ${what} back, and make ` +
      `the change as a new version; the tool says:\n${error}`;
    return { reason: "AppliedMigrationChanged", version, message };
  }
  const sql = changes.find((change) => change.version === version)?.sql ?? "";
  const place = line ?? lineOf(sql, error);
  const at = place === undefined ? "" : ` at line ${place}`;
  return { reason: "MigrationFailed", version, message: `Version "${version}" failed${at}: ${spokenIn(error)}` };
}

/** Whether the run may have applied what it told nobody of: it was killed. */
function isUnknown(report: Report | undefined): boolean {
  if (!report) return true;
  return report.before !== undefined && !report.after && refusalOf(report) === undefined;
}

/**
 * What this run had applied and can be undone, the latest first: up to the first that has no rollback text, because what
 * is below it may rest on it. What failed without a transaction is half applied: it goes first.
 */
function undoable(request: MigrationRequest, report: Report | undefined, failed: string | undefined): string[] {
  if (!report?.before || !report.after) return [];
  const { changes, database, tool } = request;
  const before = new Set(report.before);
  // Liquibase's history has no failed rows.
  const isHalf = tool === "liquibase" && !hasTransactionalDdl(database) && failed !== undefined;
  const ran = new Set([
    ...report.after.filter((version) => !before.has(version)),
    ...report.half,
    ...(isHalf ? [failed] : []),
  ]);
  const latestFirst = changes.filter(({ version }) => ran.has(version)).reverse();
  const stop = latestFirst.findIndex(({ rollback }) => rollback === undefined);
  return latestFirst.slice(0, stop < 0 ? undefined : stop).map(({ version }) => version);
}
