/**
 * Chooses where the certificate of admission comes from.
 *
 * @module
 */
import type { Config } from "../lib/config.ts";
import type { KubeClient } from "../lib/kube/client.ts";
import type { Clock } from "../lib/runtime/clock.ts";
import type { Informer, InformerDeps } from "../lib/runtime/informer.ts";
import type { Logger } from "../lib/runtime/log.ts";
import { CertificateManager } from "../webhook/certificate_manager.ts";
import { CertificateReader } from "../webhook/certificate_reader.ts";
import type { CertificateSource } from "../webhook/certificate_source.ts";
import { livesOf } from "../webhook/certificates.ts";
import { CertificateSecret, ClusterCertificateStore } from "./certificate_store.ts";
import { certificateSecret } from "./install/certificates.ts";
import { webhookNames } from "./install/webhooks.ts";

export interface CertificateSourceDeps {
  config: Config;
  clock: Clock;
  log: Logger;
  kube: KubeClient;
  informerDeps: InformerDeps;
}

/** A source, and the watches behind it, which somebody must run. */
export interface WatchedSource {
  source: CertificateSource;
  informers: readonly Informer[];
  /** What is missing while there is no certificate. */
  awaited: string;
}

/** Makes and renews the certificate, or reads that of cert-manager. */
export function createCertificateSource(deps: CertificateSourceDeps): WatchedSource {
  const { config, clock, log, kube, informerDeps } = deps;
  const { namespace } = config;
  const name = certificateSecret(config);
  const awaited = `waiting for Secret "${namespace}/${name}"`;
  if (config.webhookCertificates === "cert-manager") {
    const store = new CertificateSecret({ informerDeps, namespace, name });
    return { source: new CertificateReader({ store, clock, log }), informers: [store.informer], awaited };
  }
  const store = new ClusterCertificateStore({ kube, informerDeps, namespace, name });
  const options = { ...livesOf(config.webhookCertificateSeconds * 1000), names: webhookNames(config) };
  return { source: new CertificateManager({ store, clock, log, options }), informers: store.informers, awaited };
}
