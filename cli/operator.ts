/**
 * Wires the operator: one process that watches, reconciles while it leads, and serves admission, health and metrics
 * always.
 *
 * @module
 */
import { Registry } from "prom-client";
import type { Config } from "../lib/config.ts";
import { PREVIEW_ENVIRONMENT } from "../lib/api/preview_environment.ts";
import { PreviewMetrics } from "../lib/controllers/preview_environment/metrics.ts";
import { KubeClient } from "../lib/kube/client.ts";
import type { Credentials } from "../lib/kube/credentials.ts";
import { EventRecorder } from "../lib/kube/events.ts";
import { type Clock, sleep } from "../lib/runtime/clock.ts";
import { Controller } from "../lib/runtime/controller.ts";
import { Elector } from "../lib/runtime/elector.ts";
import { cachesSynced, type Check, healthResponse, watchesAlive } from "../lib/runtime/health.ts";
import type { InformerDeps } from "../lib/runtime/informer.ts";
import { InformerSet } from "../lib/runtime/informer_set.ts";
import type { Logger } from "../lib/runtime/log.ts";
import { RuntimeMetrics } from "../lib/runtime/metrics.ts";
import { VERSION } from "../lib/version.ts";
import { Admission } from "./admission.ts";
import { createControllers } from "./controllers.ts";

/** What the operator is given. */
export interface OperatorDeps {
  config: Config;
  credentials: Credentials;
  clock: Clock;
  log: Logger;
  /** Unique among replicas. */
  identity: string;
}

/** What is under way when the process is told to stop may take this long. */
const SHUTDOWN_MS = 25_000;
/** Each part of the end after that. */
const FINISH_MS = 3_000;
const LEASE = "maquette";

/** See the module. */
export class Operator {
  readonly #deps: OperatorDeps;
  readonly #kube: KubeClient;
  readonly #metrics: RuntimeMetrics;
  readonly #informers: InformerSet;
  readonly #controllers: Controller[];
  readonly #events: EventRecorder;
  readonly #admission: Admission | undefined;
  readonly #elector: Elector | undefined;

  constructor(deps: OperatorDeps) {
    const { config, clock, log, identity } = deps;
    this.#deps = deps;
    const registry = new Registry();
    this.#metrics = new RuntimeMetrics(registry);
    const observe = this.#metrics.requested.bind(this.#metrics);
    this.#kube = new KubeClient(deps.credentials, { observe, userAgent: `maquette/${VERSION}` });
    const informerDeps: InformerDeps = { kube: this.#kube, clock, random: Math.random, log, metrics: this.#metrics };
    this.#informers = new InformerSet(informerDeps);
    const now = (): number => clock.now();
    this.#events = new EventRecorder({
      kube: this.#kube,
      now,
      unique: () => crypto.randomUUID().slice(0, 13),
      instance: identity,
      onLost: (error) => log.warn("Event could not be written", { error }),
    });
    const previews = new PreviewMetrics(registry, { now, perPullRequest: config.perPrMetrics });
    this.#controllers = createControllers(config, { previews }).map((definition) => this.#createController(definition));
    const controllerOf = (kind: string): Controller =>
      this.#controllers.find(({ definition }) => definition.kind.kind === kind)!;
    previews.follow(controllerOf(PREVIEW_ENVIRONMENT.resource.kind).owners);
    this.#metrics.queueDepth(() =>
      this.#controllers.map(({ definition, queue }) => ({ kind: definition.kind.kind, depth: queue.depth }))
    );
    if (config.webhook) {
      const previewOwners = controllerOf(PREVIEW_ENVIRONMENT.resource.kind).owners.cache;
      this.#admission = new Admission({ config, clock, log, kube: this.#kube, informerDeps, registry, previewOwners });
    }
    if (config.leaderElection) {
      const lease = { namespace: config.namespace, name: LEASE };
      this.#elector = new Elector({ kube: this.#kube, clock, log, lease, identity });
    }
    this.#metrics.leading(() => this.#elector?.isLeading ?? true);
  }

  #createController(definition: ConstructorParameters<typeof Controller>[0]): Controller {
    const { config, clock, log } = this.#deps;
    return new Controller(definition, {
      kube: this.#kube,
      informers: this.#informers,
      clock,
      random: Math.random,
      log,
      events: this.#events,
      workers: config.workers,
      cleanupDeadlineMs: config.cleanupDeadlineSeconds * 1000,
      metrics: this.#metrics,
    });
  }

  /** @throws {Error} When the API server does not answer. */
  async ping(): Promise<void> {
    const response = await this.#kube.request({
      method: "GET",
      path: "/version",
      counts: { verb: "get", resource: "version" },
    });
    await response.body?.cancel();
  }

  /** Works until the signal. @returns Whether it ended as it should: false when the lease was lost. */
  async run(signal: AbortSignal): Promise<boolean> {
    const { log, config } = this.#deps;
    const watching = new AbortController();
    const background = [...this.#informers.all().map((informer) => informer.run(watching.signal))];
    for (const informer of this.#informers.all()) this.#metrics.watched(informer.resource);
    if (this.#admission) background.push(this.#admission.run(watching.signal));
    const http = this.#serve();
    log.info("Started", { version: VERSION, httpPort: (http.addr as Deno.NetAddr).port, namespace: config.namespace });
    const isHeld = await this.#lead(signal);
    log.info("Stopping");
    await this.#finish("writing Events", this.#events.flush());
    await this.#finish("giving up the lease", this.#elector?.release());
    await this.#finish("admission", this.#admission?.stop());
    watching.abort();
    await this.#finish("watches", Promise.all(background));
    await this.#finish("HTTP", http.shutdown());
    this.#kube.close();
    return isHeld;
  }

  /** Waits for a part of the end, but not for ever: the process must go before the kubelet kills it. */
  async #finish(name: string, work: Promise<unknown> | undefined): Promise<void> {
    const waiting = new AbortController();
    const isLate = sleep(this.#deps.clock, FINISH_MS, waiting.signal).then(() => !waiting.signal.aborted);
    const late = await Promise.race([Promise.resolve(work).then(() => false), isLate]);
    waiting.abort();
    if (late) this.#deps.log.warn("Stopping took too long, left undone", { part: name });
  }

  /** Reconciles while it leads. */
  async #lead(signal: AbortSignal): Promise<boolean> {
    await Promise.race([Promise.all(this.#informers.all().map((informer) => informer.whenSynced)), aborted(signal)]);
    if (this.#elector && !await this.#elector.acquire(signal)) return true;
    const working = new AbortController();
    const stop = (): void => working.abort();
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
    const work = Promise.all(this.#controllers.map((controller) => controller.run(working.signal)));
    const isLost = this.#elector ? await this.#elector.hold(signal) : await aborted(signal).then(() => false);
    stop();
    // Finish what is under way, but not for ever.
    await Promise.race([work, sleep(this.#deps.clock, SHUTDOWN_MS, new AbortController().signal)]);
    return !isLost;
  }

  #serve(): Deno.HttpServer {
    const { config, log } = this.#deps;
    const informers = (): ReturnType<InformerSet["all"]> => this.#informers.all();
    const alive = [watchesAlive(informers)];
    const ready: Check[] = [cachesSynced(informers), ...(this.#admission ? [this.#admission.readiness] : [])];
    return Deno.serve({
      hostname: config.httpHost,
      port: config.httpPort,
      onListen: () => {},
      onError: (error) => {
        log.error("Answering a request failed", { error });
        return new Response("Internal error\n", { status: 500 });
      },
    }, async (request) => {
      const { pathname } = new URL(request.url);
      if (request.method !== "GET" && request.method !== "HEAD") return new Response("Only GET\n", { status: 405 });
      if (pathname === "/healthz" || pathname === "/livez") return healthResponse(alive);
      if (pathname === "/readyz") return healthResponse(ready);
      if (pathname !== "/metrics") return new Response("Not found\n", { status: 404 });
      const { registry } = this.#metrics;
      return new Response(await registry.metrics(), { headers: { "content-type": registry.contentType } });
    });
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
