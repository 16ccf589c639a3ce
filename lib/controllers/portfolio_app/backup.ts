/**
 * What there is to say about archives, and what a backup or a restore does next. Pure.
 *
 * @module
 */
import { ANNOTATION_RETRY } from "../../api/names.ts";
import type { KubeObject } from "../../api/object.ts";
import type { Backup, BackupStatus } from "../../api/portfolio_backup.ts";
import type { Finding } from "../../runtime/status.ts";
import { backupTask, locationOf, restoreTask, subjectOf, type TaskSpec } from "./backup_job.ts";
import type { Seen } from "./gather.ts";
import { type SeenTask, type TaskState, taskState } from "./tasks.ts";

/** A task, and how far it is. */
export interface Progress {
  task: TaskSpec;
  state: TaskState;
}

/** The backup before deletion. @param now Milliseconds since the epoch. */
export function backupProgress(seen: Seen, backup: Backup, now: number): Progress {
  const task = backupTask(seen.owner, backup, { settings: seen.settings, more: reasonsToRetry(seen) });
  return { task, state: taskState(seen.tasks, task, now) };
}

/** What is brought back before the first Pod; nothing where that is done, not wanted, or too late. */
export function restoreProgress(seen: Seen, now: number): Progress | undefined {
  const { restoreFrom } = seen.owner.spec;
  if (!restoreFrom || seen.deployment || seen.owner.status?.restoredAt) return undefined;
  const task = restoreTask(seen.owner, restoreFrom, { settings: seen.settings, more: reasonsToRetry(seen) });
  return { task, state: taskState(seen.tasks, task, now) };
}

/** Whoever mends a Secret, or asks for it, need not wait for the next attempt. */
function reasonsToRetry({ secrets, owner }: Seen): unknown {
  const versions = secrets.map(({ metadata }) => `${metadata.name}@${metadata.uid}/${metadata.resourceVersion}`);
  return [versions, owner.metadata.annotations?.[ANNOTATION_RETRY] ?? ""];
}

/** When the restore was done, as far as the Jobs or the status know. */
export function restoredAt({ tasks, owner }: Seen): string | undefined {
  const done = tasks.find(({ kind, end }) => kind === "restore" && end?.succeeded);
  return owner.status?.restoredAt ?? done?.end?.at;
}

/** The latest backup that succeeded: what the status remembers, or what a Job says. */
export function latestBackup({ tasks, owner }: Seen): BackupStatus | undefined {
  const { status, spec: { backup } } = owner;
  const known = status?.backup as BackupStatus | undefined;
  // What went elsewhere before the spec was changed is not where the spec says.
  const done = backup &&
    tasks.filter(({ kind, subject, end, result }) =>
      kind !== "restore" && subject === subjectOf(backup) && end?.succeeded && result
    ).at(-1);
  if (!done || (known?.time !== undefined && known.time >= done.end!.at)) return known;
  return { ...statusOf(done, backup), ...scheduledTime(done, known) };
}

function statusOf({ result, end }: SeenTask, { destination }: Backup): BackupStatus {
  const { archive, sha256, bytes, entries } = result!;
  return { archive, location: locationOf(destination, archive), sha256, bytes, entries, time: end!.at };
}

function scheduledTime({ kind, end }: SeenTask, known: BackupStatus | undefined): Pick<BackupStatus, "scheduledAt"> {
  const scheduledAt = kind === "scheduled" ? end!.at : known?.scheduledAt;
  return scheduledAt === undefined ? {} : { scheduledAt };
}

/** Where the latest backup is. */
export function backupFinding(latest: BackupStatus | undefined): Finding | undefined {
  if (!latest) return undefined;
  const { location, bytes = 0, sha256 = "", entries = 0, scheduledAt, time } = latest;
  const reason = scheduledAt === time ? "SavedBySchedule" : "SavedBeforeDeletion";
  const message = `Saved to ${location}: ${bytes} bytes, ${entries} entries, sha256 ${sha256}`;
  return { type: "BackedUp", status: "True", reason, message };
}

/** Jobs that we made ourselves. */
export function keptJobs({ tasks }: Seen): KubeObject[] {
  return tasks.filter(({ kind }) => kind !== "scheduled").map(({ job }) => job);
}
