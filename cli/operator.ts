/**
 * Wires the operator: one process that watches, reconciles while it leads, and serves admission, health and metrics
 * always.
 *
 * @module
 */
import { Registry } from "prom-client";
import type { KindDefinition } from "../lib/api/kind.ts";
import type { Config } from "../lib/config.ts";
import { ENVIRONMENT } from "../lib/api/environment.ts";
import { PORTFOLIO_APP } from "../lib/api/portfolio_app.ts";
import { PREVIEW_ENVIRONMENT } from "../lib/api/preview_environment.ts";
import { PROJECT } from "../lib/api/project.ts";
import { NAMESPACE } from "../lib/api/resources.ts";
import type { EnvironmentTools } from "../lib/controllers/environment/tools.ts";
import { PreviewMetrics } from "../lib/controllers/preview_environment/metrics.ts";
import { KubeClient, type RequestObserver } from "../lib/kube/client.ts";
import type { Credentials } from "../lib/kube/credentials.ts";
import { EventRecorder } from "../lib/kube/events.ts";
import { aborted, type Clock, sleep } from "../lib/runtime/clock.ts";
import { Controller } from "../lib/runtime/controller.ts";
import { Elector, LEASE_REQUEST_MS } from "../lib/runtime/elector.ts";
import { leaseInformer } from "../lib/runtime/elector_lease.ts";
import { raiseFence } from "../lib/runtime/fence.ts";
import { cachesSynced, type Check, healthResponse, watchesAlive } from "../lib/runtime/health.ts";
import { DEFAULT_TIMINGS, type Informer, type InformerDeps } from "../lib/runtime/informer.ts";
import { InformerSet } from "../lib/runtime/informer_set.ts";
import type { Logger } from "../lib/runtime/log.ts";
import { collectGarbage, MemoryKeeper } from "../lib/runtime/memory.ts";
import { RuntimeMetrics } from "../lib/runtime/metrics.ts";
import { VERSION } from "../lib/version.ts";
import { Admission } from "./admission.ts";
import { createControllers } from "./controllers.ts";
import { closeTools, createEnvironmentTools } from "./environment_tools.ts";

/** What the operator is given. */
export interface OperatorDeps {
  config: Config;
  credentials: Credentials;
  clock: Clock;
  log: Logger;
  /** Unique among replicas. */
  identity: string;
  /** Authorities of registries and git servers beside the system's, in PEM. */
  caCertificates?: string;
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
  readonly #tools: EnvironmentTools;
  readonly #controllers: Controller[];
  readonly #events: EventRecorder;
  readonly #admission: Admission | undefined;
  readonly #lease: Informer | undefined;
  readonly #elector: Elector | undefined;
  readonly #memory: MemoryKeeper;
  /** Milliseconds since the epoch. */
  #reconciledAt = 0;

  constructor(deps: OperatorDeps) {
    const { config, clock, log, identity } = deps;
    this.#deps = deps;
    const registry = new Registry();
    this.#metrics = new RuntimeMetrics(registry);
    const observe = this.#metrics.requested.bind(this.#metrics);
    this.#kube = new KubeClient(deps.credentials, { observe, userAgent: `maquette/${VERSION} (${identity})` });
    const timings = { ...DEFAULT_TIMINGS, verifyMs: config.verifyIntervalSeconds * 1000 };
    const watching = { kube: this.#kube, clock, random: Math.random, log };
    const informerDeps: InformerDeps = { ...watching, timings, metrics: this.#metrics };
    this.#informers = new InformerSet(informerDeps);
    if (config.leaderElection) {
      const lease = { namespace: config.namespace, name: LEASE };
      const informer = this.#lease = leaseInformer(lease, informerDeps);
      const kube = this.#kube.with({ timeoutMs: LEASE_REQUEST_MS });
      this.#elector = new Elector({ kube, informer, clock, log, lease, identity });
    }
    const now = (): number => clock.now();
    this.#events = new EventRecorder({
      kube: this.#kube.with({ guard: this.#elector?.telling }),
      now,
      unique: () => crypto.randomUUID().slice(0, 13),
      instance: identity,
      onLost: (error) => log.warn("Event could not be written", { error }),
    });
    const previews = new PreviewMetrics(registry, { now, perPullRequest: config.perPrMetrics });
    const { caCertificates = "" } = deps;
    const making = { config, clock, random: Math.random, kube: this.#kube, informers: this.#informers, caCertificates };
    const environments = this.#tools = createEnvironmentTools(making);
    this.#controllers = createControllers(config, { previews, environments, caCertificates })
      .map((definition) => this.#createController(definition));
    const ownersOf = ({ resource }: KindDefinition): Informer =>
      this.#controllers.find(({ definition }) => definition.kind === resource)!.owners;
    previews.follow(ownersOf(PREVIEW_ENVIRONMENT));
    this.#metrics.queueDepth(() =>
      this.#controllers.map(({ definition, queue }) => ({ kind: definition.kind.kind, depth: queue.depth }))
    );
    if (config.webhook) {
      const owners = {
        previews: ownersOf(PREVIEW_ENVIRONMENT).cache,
        projects: ownersOf(PROJECT).cache,
        environments: ownersOf(ENVIRONMENT).cache,
        apps: ownersOf(PORTFOLIO_APP).cache,
        namespaces: this.#informers.get({ resource: NAMESPACE, scope: "all" }).cache,
      };
      this.#admission = new Admission({ config, clock, log, kube: this.#kube, informerDeps, registry, owners });
    }
    this.#metrics.leading(() => this.#elector?.isLeading ?? true);
    const lastWorkAt = (): number => Math.max(this.#reconciledAt, this.#admission?.usedAt ?? 0);
    this.#memory = new MemoryKeeper({ clock, lastWorkAt, collect: collectGarbage });
  }

  #createController(definition: ConstructorParameters<typeof Controller>[0]): Controller {
    const { config, clock, log } = this.#deps;
    return new Controller(definition, {
      kube: this.#kube.with({ guard: this.#elector?.reconciling }),
      informers: this.#informers,
      clock,
      random: Math.random,
      log,
      events: this.#events,
      workers: config.workers,
      cleanupDeadlineMs: config.cleanupDeadlineSeconds * 1000,
      metrics: {
        reconciled: (kind, result, seconds) => {
          this.#reconciledAt = clock.now();
          this.#metrics.reconciled(kind, result, seconds);
        },
      },
    });
  }

  /** @throws {Error} When the API server does not answer. */
  async ping(): Promise<void> {
    await this.#kube.request({
      method: "GET",
      path: "/version",
      counts: { verb: "get", resource: "version" },
    }, (response) => response.arrayBuffer());
  }

  /** Works until the signal. @returns Whether it ended as it should: false when the lease was lost or work hangs. */
  async run(signal: AbortSignal): Promise<boolean> {
    const { log, config, identity } = this.#deps;
    const watching = new AbortController();
    const background = this.#ownInformers().map((informer) => informer.run(watching.signal));
    for (const informer of this.#allInformers()) this.#metrics.watched(informer.resource);
    if (this.#admission) background.push(this.#admission.run(watching.signal));
    background.push(this.#memory.run(watching.signal));
    const http = this.#serve(signal);
    const { port: httpPort } = http.addr as Deno.NetAddr;
    log.info("Started", { version: VERSION, identity, httpPort, namespace: config.namespace });
    // At once: a client that keeps its connection is not led elsewhere by what becomes of the endpoints.
    signal.addEventListener("abort", () => this.#admission?.drain(), { once: true });
    const isHeld = await this.#lead(signal);
    log.info("Stopping", { isHeld });
    // Whatever still runs works for nobody, and its writes are refused: the process ends here.
    if (!isHeld) return false;
    // First, because another replica waits for it; Events are no decisions.
    await this.#finish("giving up the lease", this.#elector?.release());
    await this.#finish("writing Events", this.#events.flush());
    await this.#admission?.whenDrained();
    await this.#finish("admission", this.#admission?.stop());
    watching.abort();
    closeTools(this.#tools);
    await this.#finish("watches", Promise.all(background));
    await this.#finish("HTTP", http.shutdown());
    this.#kube.close();
    return isHeld;
  }

  /** The process must go before the kubelet kills it, whatever hangs. */
  async #finish(part: string, work: Promise<unknown> | undefined): Promise<void> {
    if (!await this.#within(FINISH_MS, work)) this.#deps.log.warn("Stopping took too long, left undone", { part });
  }

  /** Reconciles while it leads. */
  async #lead(signal: AbortSignal): Promise<boolean> {
    // The lease too: whoever has not seen who holds it asks for what it must not get.
    await Promise.race([Promise.all(this.#ownInformers().map(({ whenSynced }) => whenSynced)), aborted(signal)]);
    this.#memory.collect();
    if (this.#elector && !await this.#elector.acquire(signal)) return true;
    const working = new AbortController();
    const work = this.#work(working.signal);
    // The lease is renewed until the last piece of work is done: nobody else may begin before.
    const holding = new AbortController();
    const held = this.#elector?.hold(holding.signal) ?? aborted(holding.signal).then(() => false);
    await Promise.race([aborted(signal), held]);
    working.abort();
    const isDone = await Promise.race([this.#within(SHUTDOWN_MS, work), held.then(() => false)]);
    holding.abort();
    // Work that hangs may still write: then the lease is left to run out.
    return !await held && isDone;
  }

  /** Keeps out those who led before, then reconciles. */
  async #work(signal: AbortSignal): Promise<void> {
    const { clock, log, identity, config: { namespace } } = this.#deps;
    if (this.#elector) {
      // Part of the election, and counted as such.
      const observe: RequestObserver = (verb, _resource, code) => this.#metrics.requested(verb, "leader", code);
      const kube = this.#kube.with({ guard: this.#elector.reconciling, timeoutMs: LEASE_REQUEST_MS, observe });
      await raiseFence({ kube, clock, log, namespace, identity }, signal);
    }
    await Promise.all(this.#controllers.map((controller) => controller.run(signal)));
  }

  /** Waits for something, but not for ever. @returns Whether it ended in time. */
  async #within(ms: number, work: Promise<unknown> | undefined): Promise<boolean> {
    const waiting = new AbortController();
    const isLate = sleep(this.#deps.clock, ms, waiting.signal).then(() => false);
    const inTime = await Promise.race([Promise.resolve(work).then(() => true), isLate]);
    waiting.abort();
    return inTime;
  }

  /** Those of the controllers and the lease's. */
  #ownInformers(): Informer[] {
    return [...this.#informers.all(), ...(this.#lease ? [this.#lease] : [])];
  }

  /** Those of admission too, which runs them itself. */
  #allInformers(): Informer[] {
    return [...this.#ownInformers(), ...(this.#admission?.informers ?? [])];
  }

  #serve(stop: AbortSignal): Deno.HttpServer {
    const { config, log } = this.#deps;
    const alive = [watchesAlive(() => this.#allInformers())];
    // First of all, so that nobody sends anything new to a process that is about to go.
    const staying: Check = { name: "process", problem: () => stop.aborted ? "is stopping" : undefined };
    const ready: Check[] = [staying, cachesSynced(() => this.#allInformers())];
    if (this.#admission) ready.push(this.#admission.readiness);
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
