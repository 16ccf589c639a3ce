/**
 * The Lease of a database: whoever holds it is alone with the database. Pure.
 *
 * @module
 */
import type { DatabaseMigration } from "../../api/database_migration.ts";
import type { KubeObject } from "../../api/object.ts";
import { databaseKey, leaseName } from "../../migration/database.ts";

/** The Lease as its holder wants it. It is not renewed: it lasts until the run is over or its holder is gone. */
export function desiredLease({ spec, metadata }: DatabaseMigration, operatorNamespace: string): KubeObject {
  return {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: {
      name: leaseName(spec.database),
      namespace: operatorNamespace,
      annotations: { "maquette.dev/database": databaseKey(spec.database) },
    },
    spec: { holderIdentity: metadata.uid },
  };
}
