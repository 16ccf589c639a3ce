/**
 * What an application needs of objects that somebody else made. Pure.
 *
 * @module
 */
import type { PortfolioApp } from "../../api/portfolio_app.ts";
import type { BackupPlace } from "../../api/portfolio_backup.ts";

/** Index over PortfolioApps by {@link migrationKey}. */
export const BY_MIGRATION = "migration";

/** Key of the DatabaseMigration that the application names. */
export function migrationKey({ metadata, spec: { migrationRef } }: PortfolioApp): string | undefined {
  return migrationRef && `${metadata.namespace}/${migrationRef.name}`;
}

/** Names of the Secrets that backups and restores of the application log in with, each once, sorted. */
export function namedSecrets({ spec: { backup, restoreFrom } }: PortfolioApp): string[] {
  const names = [
    backup?.database?.secretRef.name,
    storeSecret(backup?.destination),
    restoreFrom?.database?.secretRef.name,
    storeSecret(restoreFrom?.source),
  ];
  return [...new Set(names.filter((name) => name !== undefined))].sort();
}

function storeSecret(place: BackupPlace | undefined): string | undefined {
  return place?.s3?.secretRef.name;
}
