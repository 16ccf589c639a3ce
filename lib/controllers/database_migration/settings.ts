/**
 * What the operator's configuration says about DatabaseMigrations.
 *
 * @module
 */
import type { Resource } from "../../api/object.ts";
import type { MigrationOptions } from "../../migration/request.ts";

export interface MigrationSettings extends MigrationOptions {
  /** Where the Leases of databases are: one place for all namespaces. */
  operatorNamespace: string;
  /** The kind whose rollouts are waited for (`spec.migrationRef.name`); absent where there is none. */
  application?: Resource;
}
