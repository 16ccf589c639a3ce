/**
 * The Lease of a database: whoever holds it is alone with the database. Pure.
 *
 * @module
 */
import type { DatabaseMigration } from "../../api/database_migration.ts";
import type { KubeObject } from "../../api/object.ts";
import { databaseKey, leaseName } from "../../migration/database.ts";

/** Name of the Lease of its database. */
export function leaseOf({ spec, metadata }: DatabaseMigration): string {
  return leaseName(spec.database, metadata.namespace!);
}

/** The Lease as its holder wants it. It is not renewed: it lasts until the run is over or its holder is gone. */
export function desiredLease(owner: DatabaseMigration, operatorNamespace: string): KubeObject {
  const { spec, metadata } = owner;
  return {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: {
      name: leaseOf(owner),
      namespace: operatorNamespace,
      annotations: { "maquette.dev/database": databaseKey(spec.database) },
    },
    spec: { holderIdentity: metadata.uid },
  };
}
