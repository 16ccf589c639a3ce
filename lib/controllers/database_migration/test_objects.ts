/**
 * What a decision about a DatabaseMigration rests on, for tests.
 *
 * @module
 */
import type { DatabaseMigration } from "../../api/database_migration.ts";
import type { KubeObject } from "../../api/object.ts";
import { migrationRun, type Run } from "../../migration/job.ts";
import { changesOf } from "../../migration/migration_set.ts";
import { OPTIONS, requestOf, THREE } from "../../migration/test_migrations.ts";
import type { Plan } from "../../runtime/definition.ts";
import { stamp } from "../../runtime/ownership.ts";
import { statusOf } from "../../runtime/status.ts";
import type { Seen } from "./gather.ts";
import { desiredLease } from "./lock.ts";

/** Milliseconds since the epoch. */
export const NOW = Date.UTC(2026, 0, 1);
/** When runs ended. */
export const AT = "2026-01-01T00:00:00Z";
/** As an operator without special wishes has them. */
export const SETTINGS = { ...OPTIONS, operatorNamespace: "maquette-system" };
/** A report about version 1.10. */
export const SQL_ERROR =
  'error\nERROR: Migration of schema "public" to version "1.10 - x" failed!\nMessage    : ERROR: no\nLine       : 2\n';
/** The last of three comes after the rollout. */
export const STAGED = THREE.map((each, at) => ({ ...each, stage: at === 2 ? "contract" as const : "expand" as const }));

/** Of an owner of which nothing is there yet. */
export function seen(owner: DatabaseMigration, more: Partial<Seen> = {}): Seen {
  return {
    owner,
    settings: SETTINGS,
    source: { changes: changesOf(owner.spec.migrations ?? []) },
    applications: [],
    isHolderKnown: false,
    ownLeases: [],
    jobs: [],
    configMaps: [],
    pods: [],
    log: "",
    ...more,
  };
}

/** The owner's Lease, as it is held. */
export function held(owner: DatabaseMigration): Partial<Seen> {
  const lease = stamp(desiredLease(owner, "maquette-system"), owner);
  return { lease, ownLeases: [lease], isHolderKnown: true };
}

/** What it asks for. */
export function runOf(owner: DatabaseMigration, isHeld = false): Run {
  return migrationRun(owner, requestOf(owner, isHeld), SETTINGS);
}

/** A run whose objects are there. */
export function there({ job, configMaps }: Run, status: Record<string, unknown> = {}): Partial<Seen> {
  return { jobs: [{ ...job, metadata: { ...job.metadata, uid: "job-1" }, status }], configMaps };
}

/** Status of a Job. */
export function ended(type: "Complete" | "Failed", reason = "PodFailurePolicy"): Record<string, unknown> {
  return { conditions: [{ type, status: "True", reason, message: "why", lastTransitionTime: AT }] };
}

/** A Pod of {@link there}. */
export function pod({ name }: Run, end?: { exitCode: number; message: string }): KubeObject {
  const state = end ? { terminated: { reason: "Error", finishedAt: AT, ...end } } : { running: {} };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: `${name}-x`,
      labels: { "maquette.dev/migration-run": name },
      ownerReferences: [{ apiVersion: "batch/v1", kind: "Job", name, uid: "job-1" }],
    },
    spec: { restartPolicy: "Never" },
    status: {
      phase: end ? (end.exitCode === 0 ? "Succeeded" : "Failed") : "Running",
      containerStatuses: [{ name: "migrate", state }],
    },
  };
}

/** Kind and name of what is to be made or set right. */
export function made({ desired }: Plan): string[] | undefined {
  return desired?.map(({ kind }) => kind);
}

/** The owner after a plan was reported. */
export function after(owner: DatabaseMigration, { report }: Plan): DatabaseMigration {
  return { ...owner, status: statusOf(owner, report, NOW) as DatabaseMigration["status"] };
}

/** Phase, state and reason. */
export function said({ report }: Plan): [phase: string, state: string, reason: string] {
  return [report.phase, report.state, report.reason];
}
