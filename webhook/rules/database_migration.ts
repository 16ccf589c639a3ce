/**
 * Admission of the kind DatabaseMigration (SPEC sections 6 and 7). Pure.
 *
 * What is applied is read from the stored status, which follows from the database's history: a status that is missing or
 * behind refuses nothing, and the run itself has the last word.
 *
 * @module
 */
import {
  DATABASE_MIGRATION,
  type Migration,
  type MigrationSpec,
  type MigrationStatus,
} from "../../lib/api/database_migration.ts";
import { isObject } from "../../lib/api/schema.ts";
import type { Problem } from "../../lib/api/validate.ts";
import { databaseKey } from "../../lib/migration/database.ts";
import { fileName } from "../../lib/migration/files.ts";
import { changeProblems, checksumOf, UNVERIFIED } from "../../lib/migration/migration_set.ts";
import { canonical, compareVersions } from "../../lib/migration/versions.ts";
import { type AdmissionRules, type Change, isFieldChanged, specOf } from "./admission_rules.ts";
import { IMAGE_ALONE } from "./images.ts";
import { pauseWarnings, withFinalizer } from "./shared.ts";

/** A migration that has the shape that its schema wants, and where it stands. */
type Placed = Pick<Migration, "version" | "description" | "sql" | "rollback" | "stage"> & { index: number };

/** The rules. */
export const DATABASE_MIGRATION_RULES: AdmissionRules = {
  kind: DATABASE_MIGRATION,
  mutate: ({ object, old }) => ({ object: old === undefined ? withFinalizer(object) : object, warnings: [] }),
  specProblems: (change, context) => [
    ...IMAGE_ALONE.problems(change, context),
    ...textProblems(change),
    ...appliedProblems(change),
    ...descriptionProblems(change),
    ...orderProblems(change),
  ],
  metadataProblems: () => [],
  warnings: (change) => [
    ...IMAGE_ALONE.warnings(change),
    ...orderWarnings(change),
    ...stageWarnings(change),
    ...rollbackWarnings(change),
    ...pauseWarnings(change),
  ],
  newImages: IMAGE_ALONE.newImages,
};

function migrationsOf(object: Change["object"] | undefined): Placed[] {
  const { migrations } = specOf(object);
  if (!Array.isArray(migrations)) return [];
  return migrations.flatMap((each, index): Placed[] => {
    const isText = (value: unknown): boolean => typeof value === "string";
    if (!isObject(each) || !isText(each.version) || !isText(each.sql)) return [];
    if (!/^[0-9.]+$/.test(each.version as string)) return [];
    const rollback = isText(each.rollback) ? each.rollback as string : undefined;
    const description = isText(each.description) ? each.description as string : undefined;
    return [{ index, version: each.version, description, sql: each.sql, rollback, stage: each.stage } as Placed];
  });
}

function problemAt({ index }: Placed, field: string, message: string): Problem {
  return { field: `spec.migrations[${index}].${field}`, message };
}

function textProblems({ object }: Change): Problem[] {
  const migrations = migrationsOf(object);
  return changeProblems(migrations).map(({ index, field, message }) => problemAt(migrations[index]!, field, message));
}

/** What is known of the very database that the object names. */
function known({ object, old }: Change): Pick<MigrationStatus, "appliedMigrations" | "currentVersion"> {
  const { database } = specOf(object) as Partial<MigrationSpec>;
  const status: MigrationStatus | undefined = old?.status;
  if (!isObject(database) || typeof database.host !== "string" || !status) return {};
  return databaseKey({ ...database, engine: database.engine ?? "postgres" }) === status.database ? status : {};
}

function appliedProblems(change: Change): Problem[] {
  const { appliedMigrations = [] } = known(change);
  const applied = new Map(appliedMigrations.map((each) => [canonical(each.version), each]));
  return migrationsOf(change.object).flatMap((migration): Problem[] => {
    const before = applied.get(canonical(migration.version));
    if (!before) return [];
    const { version, checksum } = before;
    if (version !== migration.version) {
      return [problemAt(migration, "version", `Is applied as "${version}": it must keep its spelling`)];
    }
    if (checksum === UNVERIFIED || checksum === checksumOf(migration.sql)) return [];
    const message = `Version "${version}" is applied, its text must stay: make the change as a new version`;
    return [problemAt(migration, "sql", message)];
  });
}

/** Flyway's history knows a change by its description, too. */
function descriptionProblems(change: Change): Problem[] {
  if (specOf(change.object).tool === "liquibase") return [];
  const applied = new Set(known(change).appliedMigrations?.map(({ version }) => version));
  const before = new Map(migrationsOf(change.old).map((each) => [each.version, fileOf(each)]));
  const others = migrationsOf(change.object).filter((each) =>
    applied.has(each.version) && before.has(each.version) && before.get(each.version) !== fileOf(each)
  );
  return others.map((each) =>
    problemAt(each, "description", `Version "${each.version}" is applied, its description must stay`)
  );
}

function fileOf({ version, description = "" }: Placed): string {
  return fileName({ version, description });
}

/** Of versions that are new in the list: what waited for its turn before is judged by the run. */
function orderProblems(change: Change): Problem[] {
  const { currentVersion, appliedMigrations = [] } = known(change);
  if (!currentVersion || specOf(change.object).allowOutOfOrder === true) return [];
  const old = new Set([...migrationsOf(change.old), ...appliedMigrations].map(({ version }) => canonical(version)));
  const late = migrationsOf(change.object).filter(({ version }) =>
    !old.has(canonical(version)) && compareVersions(version, currentVersion) < 0
  );
  return late.map((migration) =>
    problemAt(
      migration,
      "version",
      `Is lower than "${currentVersion}", which is applied already: give it a higher one, or set allowOutOfOrder`,
    )
  );
}

function orderWarnings(change: Change): string[] {
  if (!isFieldChanged(change, "migrations")) return [];
  const migrations = migrationsOf(change.object);
  const late = migrations.find(({ version }, at) =>
    at > 0 && compareVersions(migrations[at - 1]!.version, version) > 0
  );
  if (!late) return [];
  return [`spec.migrations[${late.index}].version: Stands behind a higher one; they run in the order of their numbers`];
}

/** In an empty database they run in their order; in one that serves, the run refuses it. */
function stageWarnings(change: Change): string[] {
  if (!isFieldChanged(change, "migrations")) return [];
  const { appliedMigrations = [] } = known(change);
  const done = new Set(appliedMigrations.map(({ version }) => canonical(version)));
  const pending = migrationsOf(change.object).filter(({ version }) => !done.has(canonical(version)))
    .sort((a, b) => compareVersions(a.version, b.version));
  const first = pending.findIndex(({ stage }) => stage === "contract");
  const behind = pending.find(({ stage }, at) => first >= 0 && at > first && stage !== "contract");
  if (!behind) return [];
  const { version } = pending[first]!;
  return [
    `spec.migrations[${behind.index}].stage: Runs before a rollout, but stands behind "${version}", which runs after ` +
    "it: where that is not applied yet, the run is refused",
  ];
}

function rollbackWarnings(change: Change): string[] {
  const { rollback, database } = specOf(change.object) as Partial<MigrationSpec>;
  if (!isObject(rollback) || rollback.onFailure !== true || !isFieldChanged(change, "migrations", "rollback")) {
    return [];
  }
  const without = migrationsOf(change.object).filter((each) => !each.rollback).map(({ version }) => `"${version}"`);
  const missing = without.length === 0
    ? []
    : [`spec.rollback.onFailure: Without rollback text, nothing is undone from there on: ${without.join(", ")}`];
  if (!isObject(database) || database.engine === undefined || database.engine === "postgres") return missing;
  const half =
    "spec.rollback.onFailure: This engine has no transactions for DDL: rollback texts meet changes that are " +
    "half done (write IF EXISTS)";
  return [...missing, half];
}
