/**
 * What the operator's configuration says about PortfolioApps.
 *
 * @module
 */
import type { Resource } from "../../api/object.ts";
import type { ExposureSettings } from "../../workload/exposure.ts";

/** See the module. */
export interface AppSettings extends ExposureSettings {
  /** Applications that name no host are at `<name>-<namespace>.<domain>`. */
  domain: string;
  /** Where the wildcard certificate is. */
  operatorNamespace: string;
  /** The kind that `migrationRef` names. */
  migrations: Resource;
  /** Seconds without progress after which a rollout is called stuck. */
  progressDeadlineSeconds: number;
  /** Image with `sh`, GNU `tar`, `gzip`, `sha256sum`, `pg_dump`, `pg_restore` and `psql`. */
  backupImage: string;
  /** Image with `sh`, `curl` and `sha256sum`. */
  backupStoreImage: string;
}
