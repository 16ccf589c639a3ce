/**
 * What the configuration says to each kind.
 *
 * @module
 */
import type { BuildSettings } from "../lib/controllers/environment/build.ts";
import { DATABASE_MIGRATION } from "../lib/api/database_migration.ts";
import { PORTFOLIO_APP } from "../lib/api/portfolio_app.ts";
import type { MigrationSettings } from "../lib/controllers/database_migration/settings.ts";
import type { EnvironmentSettings } from "../lib/controllers/environment/settings.ts";
import type { AppSettings } from "../lib/controllers/portfolio_app/settings.ts";
import type { PreviewSettings, TlsSettings } from "../lib/controllers/preview_environment/settings.ts";
import type { Config } from "../lib/config.ts";
import { parseMirrors } from "../lib/registry/endpoints.ts";

/** Of a build's Pod. What is more must fit the room that an environment has for builds. */
const BUILD_RESOURCES = { requests: { cpu: "500m", memory: "1Gi" }, limits: { memory: "4Gi" } };
const BUILD_STORAGE = "20Gi";
/** So long can the log of a build be read. */
const BUILD_KEPT_SECONDS = 3600;

/** So long can the log of a migration be read. */
const MIGRATION_KEPT_SECONDS = 86_400;

/** Of PreviewEnvironments. */
export function previewSettings(config: Config): PreviewSettings {
  const { progressDeadlineSeconds } = config;
  return { ...sharedSettings(config), progressDeadlineSeconds };
}

/** Of PortfolioApps. */
export function appSettings(config: Config): AppSettings {
  const { progressDeadlineSeconds, backupImage, backupStoreImage } = config;
  const { domain, ingressClass, operatorNamespace, tls } = sharedSettings(config);
  const images = { backupImage, backupStoreImage };
  const migrations = DATABASE_MIGRATION.resource;
  return { domain, ingressClass, operatorNamespace, tls, progressDeadlineSeconds, migrations, ...images };
}

/** Of Environments. */
export function environmentSettings(config: Config): EnvironmentSettings {
  return { ...sharedSettings(config), reachableRanges: config.reachableRanges };
}

/** Of builds. @param caCertificates PEM. */
export function buildSettings(config: Config, caCertificates: string): BuildSettings {
  const { buildBuildkitImage, buildKanikoImage, buildGitImage, buildSeccompProfile, buildApparmorProfile } = config;
  return {
    buildkitImage: buildBuildkitImage,
    kanikoImage: buildKanikoImage,
    gitImage: buildGitImage,
    seccompProfile: buildSeccompProfile,
    appArmorProfile: buildApparmorProfile,
    caCertificates,
    insecureRegistries: config.insecureRegistries,
    mirrors: parseMirrors(config.registryMirrors),
    resources: BUILD_RESOURCES,
    storage: BUILD_STORAGE,
    ttlSecondsAfterFinished: BUILD_KEPT_SECONDS,
    allowedRanges: config.buildAllowedRanges,
    clusterRanges: config.clusterRanges,
  };
}

/** Of DatabaseMigrations. */
export function migrationSettings(config: Config): MigrationSettings {
  const { flywayImage, liquibaseImage, namespace } = config;
  const ttlSecondsAfterFinished = MIGRATION_KEPT_SECONDS;
  return {
    ...{ flywayImage, liquibaseImage, ttlSecondsAfterFinished },
    operatorNamespace: namespace,
    application: PORTFOLIO_APP.resource,
  };
}

function sharedSettings(config: Config): Omit<PreviewSettings, "progressDeadlineSeconds"> {
  const { domain, ingressClass, ingressNamespace, namespace, clusterRanges, maxTtlSeconds, reservedNamespaces } =
    config;
  return {
    ...{ domain, ingressClass, ingressNamespace, clusterRanges, maxTtlSeconds, reservedNamespaces },
    operatorNamespace: namespace,
    tls: tlsSettings(config),
  };
}

function tlsSettings({ tls, clusterIssuer, wildcardSecret }: Config): TlsSettings {
  if (tls === "cert-manager") return { mode: tls, clusterIssuer };
  return tls === "wildcard" ? { mode: tls, secret: wildcardSecret } : { mode: tls };
}
