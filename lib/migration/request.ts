/**
 * One run of a tool over one database. Pure.
 *
 * @module
 */
import type { DatabaseMigration, MigrationSpec } from "../api/database_migration.ts";
import { ANNOTATION_RETRY } from "../api/names.ts";
import { digestOf } from "../runtime/differs.ts";
import { databaseKey, loginOf } from "./database.ts";
import type { Change } from "./migration_set.ts";

/** What the operator's configuration says of migrations. */
export interface MigrationOptions {
  /** Has `sh`, `awk` and `flyway`. */
  flywayImage: string;
  /** Has `sh`, `awk` and `liquibase`. */
  liquibaseImage: string;
  /** Seconds that a Job is kept after its end, for its log. */
  ttlSecondsAfterFinished: number;
}

/** What is to run. */
export interface MigrationRequest {
  database: MigrationSpec["database"];
  tool: MigrationSpec["tool"];
  /** What the object names; the operator's own image when absent. */
  image?: string;
  timeoutSeconds: number;
  allowOutOfOrder: boolean;
  /** All changes, in their order: what was applied is compared with them. */
  changes: readonly Change[];
  /** How many of them may run: those from the first on. */
  upTo: number;
  /** What a person wrote to have it tried again. */
  retry: string;
}

/** The run that brings the database to the last change, or to the last one before the rollout. */
export function requestFor(
  { spec, metadata }: DatabaseMigration,
  changes: readonly Change[],
  isHeld: boolean,
): MigrationRequest {
  const { database, tool, image, timeoutSeconds, allowOutOfOrder } = spec;
  const retry = metadata.annotations?.[ANNOTATION_RETRY] ?? "";
  const upTo = isHeld ? changes.findLastIndex(({ isContract }) => !isContract) + 1 : changes.length;
  return { database, tool, ...(image ? { image } : {}), timeoutSeconds, allowOutOfOrder, changes, upTo, retry };
}

/**
 * Digest of what was asked for. The operator's own choices (image, scripts, resources) are no part of it: another
 * version of the operator runs nothing again.
 */
export function requestDigest({ database, changes, ...rest }: MigrationRequest): string {
  const texts = changes.map(({ version, description, checksum, rollback, isContract }) => (
    { version, description, checksum, rollback, isContract }
  ));
  return digestOf({ ...rest, database: databaseKey(database), login: loginOf(database), texts });
}
