/**
 * Admission in the operator's process: the app with its rules, certificates and listener. It runs on every replica and
 * never depends on leadership.
 *
 * @module
 */
import { Gauge, Histogram, type Registry } from "prom-client";
import { isOlder, keyOf, type KubeObject } from "../lib/api/object.ts";
import type { Config } from "../lib/config.ts";
import { BY_TARGET } from "../lib/controllers/preview_environment/mod.ts";
import { BY_NAMESPACE } from "../lib/environment_names.ts";
import { BY_HOST, hostClaim } from "../lib/hosts.ts";
import type { KubeClient } from "../lib/kube/client.ts";
import { createRegistry, type ImageRegistry } from "../lib/registry/registry.ts";
import { type Clock, sleep } from "../lib/runtime/clock.ts";
import type { Lister } from "../lib/runtime/definition.ts";
import type { Check } from "../lib/runtime/health.ts";
import type { Informer, InformerDeps } from "../lib/runtime/informer.ts";
import type { Logger } from "../lib/runtime/log.ts";
import { createWebhookApp, type Observe } from "../webhook/app.ts";
import type { ServingCertificate } from "../webhook/certificate_source.ts";
import { ALL_RULES, type NamespaceOwner } from "../webhook/rules/mod.ts";
import { WebhookServer } from "../webhook/server.ts";
import { serialOf } from "../webhook/x509.ts";
import { createCertificateSource, type WatchedSource } from "./certificate_source.ts";
import { admissionConfig } from "./judge.ts";
import { tenantsOf } from "./tenants.ts";

export interface AdmissionDeps {
  config: Config;
  clock: Clock;
  log: Logger;
  kube: KubeClient;
  informerDeps: InformerDeps;
  registry: Registry;
  /** All objects of the kinds, with the indexes of their controllers, and all Namespaces. */
  owners: Record<"previews" | "projects" | "environments" | "apps" | "namespaces", Lister>;
}

/** What is under way when the process stops may take this long: more than the 2 s that looking up an image may take. */
const DRAIN_MS = 2_500;

/** Nobody comes for so long: nobody will. */
const QUIET_MS = 2_000;
const LONGEST_DRAIN_MS = 15_000;

/** See the module. */
export class Admission {
  readonly #deps: AdmissionDeps;
  readonly #certificates: WatchedSource;
  readonly #server: WebhookServer;
  #certificate: ServingCertificate | undefined;

  constructor(deps: AdmissionDeps) {
    const { clock, log } = deps;
    this.#deps = deps;
    this.#certificates = createCertificateSource(deps);
    this.#server = new WebhookServer({ clock, log });
    this.#expiryGauge();
  }

  /** The watches that admission needs beside those of the controllers. */
  get informers(): readonly Informer[] {
    return this.#certificates.informers;
  }

  /** When somebody last connected or asked, in milliseconds since the epoch. */
  get usedAt(): number {
    return this.#deps.clock.now() - this.#server.quietMs;
  }

  /** A certificate is loaded and the port is open. */
  get readiness(): Check {
    const missing = `no certificate yet: ${this.#certificates.awaited}`;
    return { name: "webhook", problem: () => this.#certificate ? undefined : missing };
  }

  /** Watches and serves until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    const { config, log } = this.#deps;
    const watching = this.informers.map((informer) => informer.run(signal));
    const app = createWebhookApp(this.#appDeps());
    this.#certificates.source.onRotate((certificate) => {
      const isFirst = this.#certificate === undefined;
      if (isFirst) this.#server.start(app, { hostname: config.webhookHost, port: config.webhookPort, ...certificate });
      else this.#server.rotate(certificate);
      this.#certificate = certificate;
      log.info(isFirst ? "Webhook serves" : "Webhook serves another certificate", {
        port: this.#server.port,
        serial: serialOf(certificate.cert),
        notAfter: new Date(certificate.notAfter).toISOString(),
      });
    });
    await Promise.race([Promise.all(this.informers.map((informer) => informer.whenSynced)), Promise.all(watching)]);
    if (!signal.aborted) await this.#certificates.source.start();
    await Promise.all(watching);
  }

  /** Sends clients elsewhere: this process will stop. */
  drain(): void {
    this.#server.drain();
  }

  /**
   * Serves on until clients have gone elsewhere: at least for the configured time, and as long as somebody still comes.
   * Endpoints are withdrawn a little later than a Pod is told to stop, and a busy cluster takes longer.
   */
  async whenDrained(): Promise<void> {
    const { clock, config } = this.#deps;
    if (config.webhookDrainSeconds === 0) return;
    const began = clock.now();
    const [least, most] = [began + config.webhookDrainSeconds * 1000, began + LONGEST_DRAIN_MS];
    const isBusy = (): boolean => this.#server.quietMs < QUIET_MS && clock.now() < most;
    while (clock.now() < least || isBusy()) await sleep(clock, QUIET_MS / 4, new AbortController().signal);
  }

  /** Finishes what is under way and stops listening. */
  async stop(): Promise<void> {
    await this.#certificates.source.stop();
    const { clock } = this.#deps;
    const deadline = new AbortController();
    const cancel = clock.at(clock.now() + DRAIN_MS, () => deadline.abort());
    await this.#server.stop(deadline.signal);
    cancel();
  }

  #appDeps(): Parameters<typeof createWebhookApp>[0] {
    const { config, clock, log, owners } = this.#deps;
    const context = {
      config: admissionConfig(config),
      now: () => clock.now(),
      tenants: tenantsOf(owners),
      ownerOf: (namespace: string) =>
        oldest(owners.previews.indexed(BY_TARGET, namespace), owners.environments.indexed(BY_NAMESPACE, namespace)),
      holderOf: (host: string) =>
        oldest(...[owners.previews, owners.environments, owners.apps].map((all) => at(host, all, config.domain))),
    };
    return { rules: ALL_RULES, context, clock, log, observe: this.#createObserve(), registry: this.#imageRegistry() };
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

/** The oldest object for a namespace or host; one that is on its way out frees it. */
function oldest(...groups: readonly (readonly KubeObject[])[]): NamespaceOwner | undefined {
  const owners = groups.flat().filter((owner) => !owner.metadata.deletionTimestamp);
  const [first] = owners.sort((a, b) => isOlder(a, b) ? -1 : 1);
  return first && { kind: first.kind, key: keyOf(first), uid: first.metadata.uid ?? "" };
}

/** Those that have a host; an Environment that merely wants it takes another. */
function at(host: string, all: Lister, domain: string): KubeObject[] {
  return all.indexed(BY_HOST, host).filter((object) => hostClaim(object, domain).given === host);
}
