/**
 * Admission in the operator's process: the app with its rules, certificates and listener. It runs on every replica and
 * never depends on leadership.
 *
 * @module
 */
import { Gauge, Histogram, type Registry } from "prom-client";
import { keyOf } from "../lib/api/object.ts";
import type { Config } from "../lib/config.ts";
import { BY_HOST } from "../lib/controllers/preview_environment/gather.ts";
import { BY_TARGET } from "../lib/controllers/preview_environment/mod.ts";
import type { KubeClient } from "../lib/kube/client.ts";
import { createRegistry, type ImageRegistry } from "../lib/registry/registry.ts";
import type { Clock } from "../lib/runtime/clock.ts";
import type { Lister } from "../lib/runtime/definition.ts";
import type { Check } from "../lib/runtime/health.ts";
import type { Informer, InformerDeps } from "../lib/runtime/informer.ts";
import type { Logger } from "../lib/runtime/log.ts";
import { createWebhookApp, type Observe } from "../webhook/app.ts";
import { CertificateManager, type ServingCertificate } from "../webhook/certificate_manager.ts";
import { DEFAULT_LIVES } from "../webhook/certificates.ts";
import { ALL_RULES, type NamespaceOwner } from "../webhook/rules/mod.ts";
import { WebhookServer } from "../webhook/server.ts";
import { ClusterCertificateStore } from "./certificate_store.ts";
import { webhookNames } from "./install/webhooks.ts";
import { admissionConfig } from "./judge.ts";

export interface AdmissionDeps {
  config: Config;
  clock: Clock;
  log: Logger;
  kube: KubeClient;
  informerDeps: InformerDeps;
  registry: Registry;
  /** All PreviewEnvironments, indexed by {@link BY_TARGET}. */
  previewOwners: Lister;
}

/** What is under way when the process stops may take this long; the API server itself waits 3 s. */
const DRAIN_MS = 5_000;

/** See the module. */
export class Admission {
  readonly #deps: AdmissionDeps;
  readonly #store: ClusterCertificateStore;
  readonly #manager: CertificateManager;
  readonly #server: WebhookServer;
  #certificate: ServingCertificate | undefined;

  constructor(deps: AdmissionDeps) {
    const { config, clock, log, kube, informerDeps } = deps;
    this.#deps = deps;
    this.#store = new ClusterCertificateStore({ kube, informerDeps, namespace: config.namespace });
    const options = { ...DEFAULT_LIVES, names: webhookNames(config) };
    this.#manager = new CertificateManager({ store: this.#store, clock, log, options });
    this.#server = new WebhookServer({ clock, log });
    this.#expiryGauge();
  }

  /** The watches that admission needs beside those of the controllers. */
  get informers(): readonly Informer[] {
    return this.#store.informers;
  }

  /** A certificate is loaded and the port is open. */
  get readiness(): Check {
    return { name: "webhook", problem: () => this.#certificate ? undefined : "no certificate yet" };
  }

  /** Watches and serves until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    const { config, log } = this.#deps;
    const watching = this.informers.map((informer) => informer.run(signal));
    const app = createWebhookApp(this.#appDeps());
    this.#manager.onRotate((certificate) => {
      const isFirst = this.#certificate === undefined;
      if (isFirst) this.#server.start(app, { hostname: config.webhookHost, port: config.webhookPort, ...certificate });
      else this.#server.rotate(certificate);
      this.#certificate = certificate;
      log.info(isFirst ? "Webhook serves" : "Webhook serves another certificate", {
        port: this.#server.port,
        notAfter: new Date(certificate.notAfter).toISOString(),
      });
    });
    await Promise.race([Promise.all(this.informers.map((informer) => informer.whenSynced)), Promise.all(watching)]);
    if (!signal.aborted) await this.#manager.start();
    await Promise.all(watching);
  }

  /** Finishes what is under way and stops listening. */
  async stop(): Promise<void> {
    await this.#manager.stop();
    const { clock } = this.#deps;
    const deadline = new AbortController();
    const cancel = clock.at(clock.now() + DRAIN_MS, () => deadline.abort());
    await this.#server.stop(deadline.signal);
    cancel();
  }

  #appDeps(): Parameters<typeof createWebhookApp>[0] {
    const { config, clock, log } = this.#deps;
    const context = {
      config: admissionConfig(config),
      now: () => clock.now(),
      ownerOf: (namespace: string) => this.#oldest(BY_TARGET, namespace),
      holderOf: (host: string) => this.#oldest(BY_HOST, host),
    };
    return { rules: ALL_RULES, context, clock, log, observe: this.#createObserve(), registry: this.#imageRegistry() };
  }

  /** The oldest environment for a namespace or host; one that is on its way out frees it. */
  #oldest(index: string, value: string): NamespaceOwner | undefined {
    const owners = this.#deps.previewOwners.indexed(index, value).filter((owner) => !owner.metadata.deletionTimestamp);
    owners.sort((a, b) =>
      Date.parse(a.metadata.creationTimestamp ?? "") - Date.parse(b.metadata.creationTimestamp ?? "")
    );
    return owners[0] && { key: keyOf(owners[0]), uid: owners[0].metadata.uid ?? "" };
  }

  #imageRegistry(): ImageRegistry | undefined {
    const { checkImages, insecureRegistries } = this.#deps.config;
    return checkImages ? createRegistry({ fetch, insecureRegistries }) : undefined;
  }

  #createObserve(): Observe {
    const duration = new Histogram({
      name: "maquette_webhook_duration_seconds",
      help: "Time to answer an admission review, by kind, operation and verdict.",
      labelNames: ["kind", "operation", "verdict"],
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
      registers: [this.#deps.registry],
    });
    return (kind, operation, verdict, seconds) => duration.observe({ kind, operation, verdict }, seconds);
  }

  #expiryGauge(): void {
    const notAfter = (): number => this.#certificate?.notAfter ?? 0;
    new Gauge({
      name: "maquette_webhook_certificate_expiry_timestamp_seconds",
      help: "When the certificate that the webhook serves runs out; 0 while there is none.",
      registers: [this.#deps.registry],
      collect(): void {
        this.set(notAfter() / 1000);
      },
    });
  }
}
