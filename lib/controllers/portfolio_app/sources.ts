/**
 * What an application needs of objects that somebody else made. Pure.
 *
 * @module
 */
import type { PortfolioApp } from "../../api/portfolio_app.ts";
import type { BackupPlace } from "../../api/portfolio_backup.ts";

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
