/**
 * DatabaseMigrations and runs for tests.
 *
 * @module
 */
import type { DatabaseMigration, Migration } from "../api/database_migration.ts";
import { changesOf } from "./migration_set.ts";
import { type MigrationOptions, type MigrationRequest, requestFor } from "./request.ts";

/** Options of no installation in particular. */
export const OPTIONS: MigrationOptions = {
  flywayImage: "flyway/flyway:10.22",
  liquibaseImage: "liquibase/liquibase:4.31.1",
  ttlSecondsAfterFinished: 86_400,
};

/** Three versions, each with its rollback. */
export const THREE: readonly Migration[] = ["1", "1.9", "1.10"].map((version) => (
  { version, sql: `CREATE TABLE t${version} (i int)`, rollback: `DROP TABLE t${version}` }
));

/** An object as the API server gives it. */
export function dbm(
  over: Partial<DatabaseMigration["spec"]> = {},
  { status, annotations }: Pick<DatabaseMigration, "status"> & { annotations?: Record<string, string> } = {},
): DatabaseMigration {
  return {
    apiVersion: "portfolio.example.com/v1alpha1",
    kind: "DatabaseMigration",
    metadata: {
      name: "orders",
      namespace: "shop",
      uid: "uid-1",
      generation: 1,
      ...(annotations ? { annotations } : {}),
    },
    spec: {
      database: { engine: "postgres", host: "db", name: "orders", secretRef: { name: "login" } },
      migrations: [...THREE],
      tool: "flyway",
      timeoutSeconds: 1800,
      allowOutOfOrder: false,
      ...over,
    },
    ...(status ? { status } : {}),
  };
}

/** The run that an object asks for. */
export function requestOf(owner: DatabaseMigration, isHeld = false): MigrationRequest {
  return requestFor(owner, changesOf(owner.spec.migrations ?? []), isHeld);
}
