/**
 * The kind DatabaseMigration: ordered, versioned schema changes of one database (SPEC section 6).
 *
 * @module
 */
import { z } from "zod";
import { list, listMap, matching, objectName, text, textWithoutNul, time } from "./fields.ts";
import { imageReference } from "./image_fields.ts";
import { AGE_COLUMN, CATEGORIES, type KindDefinition, READY_COLUMNS } from "./kind.ts";
import type { KubeObject } from "./object.ts";
import { immutable, withRules } from "./rules.ts";
import { MESSAGE_LENGTH, sharedStatus } from "./status.ts";

/** Phases of a DatabaseMigration, in the order of a life. */
export const MIGRATION_PHASES = ["Pending", "Running", "Completed", "Failed", "RollingBack", "Terminating"] as const;

/** Condition: True when everything that comes before a rollout is applied. Applications wait for it. */
export const EXPANDED = "Expanded";
/** Reason of Ready: the rest is for after the rollout of those who name it. */
export const WAITING_FOR_ROLLOUT = "WaitingForRollout";

/** Most migrations of one object: the list grows for as long as the database lives. */
export const MAX_MIGRATIONS = 500;
/** Most bytes of UTF-8 in one script: a ConfigMap takes 1 MiB, keys and all. */
export const MAX_SQL_BYTES = 1_000_000;
/** Most characters of a version: what Flyway's history table takes. */
export const MAX_VERSION_LENGTH = 50;
const MAX_TIMEOUT_SECONDS = 86_400;

const VERSION_PATTERN = "^[0-9]+([.][0-9]+)*$";
const HOST_PATTERN = "^([a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?([.][a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?)*" +
  "|\\[[0-9a-fA-F:.]+\\])$";
const DATABASE_PATTERN = "^[a-zA-Z0-9_]([-a-zA-Z0-9_.$]*[a-zA-Z0-9_$])?$";
const KEY_PATTERN = "^[-._a-zA-Z0-9]+$";
const LINE_PATTERN = "^[^\\x00-\\x1f\\x7f]*$";

function secretKey(): z.ZodString {
  return matching(KEY_PATTERN, { max: 253, message: "Must be a key: letters, digits, -, _ and dots" });
}

function version(): z.ZodString {
  const message = "Must be numbers with dots between them, for instance 3, 1.10 or 20260131120000";
  return matching(VERSION_PATTERN, { max: MAX_VERSION_LENGTH, message });
}

/** The keys may stand beside `secretRef`, too; where both are written, they are the same. */
const KEY_AGREES = (["usernameKey", "passwordKey"] as const).map((key) => ({
  field: [key],
  reads: ["secretRef", key],
  cel: `!has(self.${key}) || !has(self.secretRef.${key}) || self.${key} == self.secretRef.${key}`,
  holds: (value: { secretRef: { [K in typeof key]?: string } } & { [K in typeof key]?: string }) =>
    value[key] === undefined || value.secretRef[key] === undefined || value[key] === value.secretRef[key],
  message: `Must equal secretRef.${key}, or be left out`,
}));

const database = withRules(
  z.object({
    engine: immutable(z.enum(["postgres", "mysql", "mariadb"]).default("postgres")).describe("What the database is."),
    host: matching(HOST_PATTERN, {
      max: 253,
      message: "Must be a host name or an address, without port; IPv6 in brackets",
    }).describe("Host name or address of the server, as Pods of this namespace reach it."),
    port: z.int().min(1).max(65_535).optional()
      .describe("Port of the server; 5432 for postgres, 3306 for mysql and mariadb when absent."),
    name: matching(DATABASE_PATTERN, { max: 63, message: "Must be the name of a database: letters, digits, _ - . $" })
      .describe("Name of the database. It exists already."),
    secretRef: z.object({
      name: objectName().describe("Name of a Secret in the namespace of this object."),
      usernameKey: secretKey().optional().describe("Key of the user's name in the Secret; username when absent."),
      passwordKey: secretKey().optional().describe("Key of the password in the Secret; password when absent."),
    }).describe("The login. It goes to the Job by reference and is never read by the operator."),
    usernameKey: secretKey().optional().describe("The same as secretRef.usernameKey."),
    passwordKey: secretKey().optional().describe("The same as secretRef.passwordKey."),
  }),
  ...KEY_AGREES,
);

const migration = z.object({
  version: version().describe("Unique number of the change. Changes run in the order of numbers: 1.10 after 1.9."),
  description: matching(LINE_PATTERN, { max: 200, message: "Must be one line" }).optional()
    .describe("What it does, in a few words."),
  sql: textWithoutNul(MAX_SQL_BYTES).describe("The change. Runs in one transaction where the database has such."),
  rollback: textWithoutNul(MAX_SQL_BYTES).optional()
    .describe("What undoes it, for rollback.onFailure."),
  stage: z.enum(["expand", "contract"]).optional()
    .describe(
      "When it runs: before a new version of the application rolls out (expand, the default) or after (contract).",
    ),
});

type Sources = { migrations?: unknown[]; source?: unknown };

const spec = withRules(
  z.object({
    database: database.describe("The database that is changed."),
    migrations: listMap(migration, { key: "version", max: MAX_MIGRATIONS }).optional()
      .describe("The changes: those that were applied and those to come."),
    source: z.object({
      configMapRef: z.object({ name: objectName().describe("Name of a ConfigMap in the namespace of this object.") })
        .describe(
          "A ConfigMap with a file for each change: V<version>__<description>.sql, its rollback U<version>__….sql.",
        ),
    }).optional().describe("Where the changes are, in place of migrations."),
    tool: immutable(z.enum(["flyway", "liquibase"]).default("flyway")).describe(
      "What runs them and keeps the history.",
    ),
    image: imageReference().optional().describe("Image of the tool; the operator's own when absent."),
    timeoutSeconds: z.int().min(10).max(MAX_TIMEOUT_SECONDS).default(1800)
      .describe("Seconds after which a run is given up."),
    rollback: z.object({
      onFailure: z.boolean().default(false)
        .describe("Whether a failed run undoes what it had applied, by the rollback texts in reverse order."),
    }).optional().describe("What happens after a failure."),
    allowOutOfOrder: z.boolean().default(false)
      .describe("Whether a change may run that has a lower number than one that was applied already."),
  }),
  {
    cel: "has(self.migrations) != has(self.source)",
    holds: ({ migrations, source }: Sources) => (migrations !== undefined) !== (source !== undefined),
    reads: ["migrations", "source"],
    message: "Must have exactly one of migrations and source",
  },
).describe("Which database, which changes, and how they run.");

const applied = z.object({
  version: text(1, MAX_VERSION_LENGTH).describe("Version of the change."),
  checksum: text(1, 64).describe("Digest of the text that the tool found to be the one that it had applied."),
});

const run = z.object({
  name: text(1, 253).describe("Name of the Job; it follows from what was asked for."),
  outcome: z.enum(["Succeeded", "Failed"]).describe("How it ended."),
  reason: text(0, 1024).optional().describe("Why it failed, as one CamelCase word for programs."),
  message: text(0, MESSAGE_LENGTH).optional().describe("Why it failed, for people."),
  undo: list(text(1, MAX_VERSION_LENGTH), MAX_MIGRATIONS).optional()
    .describe("Versions that were to be undone after the failure, the latest first."),
  isUndone: z.boolean().optional().describe("Whether undoing them has ended, well or not."),
});

const attempt = z.object({
  name: text(1, 253).describe("Name of the Job that was to be made."),
  time: time().describe("When it was tried."),
});

const status = z.object({
  ...sharedStatus(MIGRATION_PHASES),
  database: text(0, 400).optional().describe("The database that this status is about."),
  currentVersion: text(0, MAX_VERSION_LENGTH).optional()
    .describe("Highest version in the history of the database, whoever applied it."),
  appliedMigrations: list(applied, MAX_MIGRATIONS).optional()
    .describe("Changes of this object that are in the history of the database, in their order."),
  failedMigration: text(0, MAX_VERSION_LENGTH).optional().describe("Version that failed in the last run."),
  error: text(0, MESSAGE_LENGTH).optional().describe("What the database said to it."),
  revision: text(0, 64).optional()
    .describe("With source: what maquette.dev/contract-approved has to say. It changes with the content."),
  lastMigrationTime: time().optional().describe("When the last run ended."),
  attempt: attempt.optional()
    .describe(
      "The last attempt to begin a run, where it failed; Ready says why. What is refused is tried once a minute.",
    ),
  run: run.optional().describe("The last run that ended: nothing runs again while what is asked for stays the same."),
}).describe("What became of it.");

/** The kind as data. */
export const DATABASE_MIGRATION: KindDefinition = {
  resource: {
    group: "portfolio.example.com",
    version: "v1alpha1",
    kind: "DatabaseMigration",
    plural: "databasemigrations",
    namespaced: true,
  },
  singular: "databasemigration",
  shortNames: ["dbm", "dbmig"],
  categories: CATEGORIES,
  description:
    "DatabaseMigration is ordered, versioned schema changes of a database, run by Flyway or Liquibase in a Job.",
  columns: [
    { name: "Database", type: "string", jsonPath: ".spec.database.name", description: "Name of the database." },
    { name: "Phase", type: "string", jsonPath: ".status.phase", description: "Where the migration stands." },
    { name: "Version", type: "string", jsonPath: ".status.currentVersion", description: "Version of the database." },
    AGE_COLUMN,
    { name: "Host", type: "string", jsonPath: ".spec.database.host", description: "Server.", wide: true },
    { name: "Tool", type: "string", jsonPath: ".spec.tool", description: "What runs the changes.", wide: true },
    { name: "Failed", type: "string", jsonPath: ".status.failedMigration", description: "What failed.", wide: true },
    ...READY_COLUMNS,
  ],
  spec,
  status,
};

/** `spec` of a DatabaseMigration, defaults filled in. */
export type MigrationSpec = z.output<typeof spec>;
/** `status` of a DatabaseMigration. */
export type MigrationStatus = z.output<typeof status>;
/** `spec.migrations[]`. */
export type Migration = z.output<typeof migration>;
/** A DatabaseMigration as the API server gives it. */
export interface DatabaseMigration extends KubeObject {
  spec: MigrationSpec;
  status?: MigrationStatus;
}
