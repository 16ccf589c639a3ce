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
import { revisionOf } from "../../migration/source.ts";
import { jobEnd } from "../../workload/job.ts";
import { mayRun } from "../../workload/pods.ts";
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
  if (applications.length === 0 || approved === revisionOf(owner, changes)) return false;
  const applied = recordedApplied(owner);
  return changes.some((change) => change.isContract && !isApplied(change, applied));
}

/** Whether a Job or one of its Pods may still talk to the database. */
export function isActive(job: KubeObject, pods: readonly KubeObject[]): boolean {
  return jobEnd(job) === undefined || podsOf(job, pods).some(mayRun);
}

/**
 * What an older run left that may still talk to the database. Also Pods whose Job is gone: somebody deleted it, and a Pod
 * takes its time to end.
 *
 * @param own Names of the Jobs that are looked at by themselves.
 */
export function olderOf({ jobs, pods }: Pick<Seen, "jobs" | "pods">, own: readonly string[]): KubeObject | undefined {
  const job = jobs.find((each) => !own.includes(each.metadata.name) && isActive(each, pods));
  return job ?? pods.find((pod) => mayRun(pod) && !jobs.some((each) => podsOf(each, [pod]).length > 0));
}

/** Job names come again, uids do not. */
export function podsOf(job: KubeObject, pods: readonly KubeObject[]): KubeObject[] {
  return pods.filter(({ metadata }) =>
    metadata.labels?.[RUN_LABEL] === job.metadata.name &&
    (metadata.ownerReferences ?? []).some(({ uid }) => uid === job.metadata.uid)
  );
}
