/**
 * The kinds that this program runs, made from its configuration.
 *
 * @module
 */
import type { Config } from "../lib/config.ts";
import { previewEnvironmentController } from "../lib/controllers/preview_environment/mod.ts";
import type { PreviewMetrics } from "../lib/controllers/preview_environment/metrics.ts";
import type { PreviewSettings, TlsSettings } from "../lib/controllers/preview_environment/settings.ts";
import { printerController } from "../lib/controllers/printer/mod.ts";
import type { ControllerDefinition } from "../lib/runtime/definition.ts";

/** All definitions, in the order of the registry. */
export function createControllers(config: Config, metrics?: { previews: PreviewMetrics }): ControllerDefinition[] {
  return [
    previewEnvironmentController(previewSettings(config), metrics?.previews) as ControllerDefinition,
    printerController({ image: config.printerImage }) as ControllerDefinition,
  ];
}

function previewSettings(config: Config): PreviewSettings {
  const { domain, ingressClass, ingressNamespace, namespace, clusterRanges, maxTtlSeconds, progressDeadlineSeconds } =
    config;
  return {
    ...{ domain, ingressClass, ingressNamespace, clusterRanges, maxTtlSeconds, progressDeadlineSeconds },
    operatorNamespace: namespace,
    reservedNamespaces: config.reservedNamespaces,
    tls: tlsSettings(config),
  };
}

function tlsSettings({ tls, clusterIssuer, wildcardSecret }: Config): TlsSettings {
  if (tls === "cert-manager") return { mode: tls, clusterIssuer };
  return tls === "wildcard" ? { mode: tls, secret: wildcardSecret } : { mode: tls };
}
