/**
 * The facts that a decision about a DatabaseMigration turns on. Pure.
 *
 * ```
 *                    ┌────────── spec or retry annotation changed: another run ───────────┐
 *                    ▼                                                                    │
 *  (none) → Pending ──► Running ── applied ──► Completed ─────────────────────────────────┤
 *            │  ▲          │  └── up to the rollout ──► Pending (WaitingForRollout) ──┐   │
 *   the database's Lease   │                              ▲  Running ◄── approved ────┘   │
 *            is held       └── failed ──► RollingBack ──► Failed ─────────────────────────┘
 *                                  └───── nothing to undo ──┘
 * ```
 *
 * A run that has ended is remembered in the status by its name, which follows from what was asked for: it is not run
 * again, whatever becomes of its Job.
 *
 * @module
 */
import type { DatabaseMigration, MigrationStatus } from "../../api/database_migration.ts";
import { ANNOTATION_CONTRACT_APPROVED } from "../../api/names.ts";
import type { KubeObject } from "../../api/object.ts";
import { databaseKey } from "../../migration/database.ts";
import { RUN_LABEL } from "../../migration/job.ts";
import type { Change } from "../../migration/migration_set.ts";
import { jobEnd } from "../../workload/job.ts";
import type { Seen } from "./gather.ts";

type RecordedRun = NonNullable<MigrationStatus["run"]>;
type Applied = NonNullable<MigrationStatus["appliedMigrations"]>;

/** What the status knows to be applied, of this very database. */
export function recordedApplied({ spec, status }: DatabaseMigration): Applied {
  return status?.database === databaseKey(spec.database) ? status.appliedMigrations ?? [] : [];
}

/** The end of a run that the status remembers. */
export function recordedRun({ status }: DatabaseMigration, name: string): RecordedRun | undefined {
  return status?.run?.name === name ? status.run : undefined;
}

/** Whether a change is in the history with the text that it has now. */
export function isApplied({ version, checksum }: Change, applied: Applied): boolean {
  return applied.some((each) => each.version === version && each.checksum === checksum);
}

/** Whether changes wait for the rollout of an application. */
export function hasToWaitForRollout(
  { owner, applications }: Pick<Seen, "owner" | "applications">,
  changes: readonly Change[],
): boolean {
  const approved = owner.metadata.annotations?.[ANNOTATION_CONTRACT_APPROVED];
  if (applications.length === 0 || approved === String(owner.metadata.generation)) return false;
  const applied = recordedApplied(owner);
  return changes.some((change) => change.isContract && !isApplied(change, applied));
}

/** Whether a Job or one of its Pods may still talk to the database. */
export function isActive(job: KubeObject, pods: readonly KubeObject[]): boolean {
  return jobEnd(job) === undefined || podsOf(job, pods).some(mayRun);
}

/** A Pod that has not ended. */
export function mayRun({ status }: KubeObject): boolean {
  return status?.phase !== "Succeeded" && status?.phase !== "Failed";
}

/** Job names come again, uids do not. */
export function podsOf(job: KubeObject, pods: readonly KubeObject[]): KubeObject[] {
  return pods.filter(({ metadata }) =>
    metadata.labels?.[RUN_LABEL] === job.metadata.name &&
    (metadata.ownerReferences ?? []).some(({ uid }) => uid === job.metadata.uid)
  );
}
