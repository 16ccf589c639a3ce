/**
 * Projects and Environments with their controllers in front of a scripted API server, for tests: sources and renderings
 * come from a double, registries from a script.
 *
 * @module
 */
import { DATABASE_MIGRATION } from "../../api/database_migration.ts";
import { FINALIZER } from "../../api/names.ts";
import { ENVIRONMENT, type Environment, type EnvironmentSpec } from "../../api/environment.ts";
import type { Condition, KubeObject, Resource } from "../../api/object.ts";
import { PORTFOLIO_APP } from "../../api/portfolio_app.ts";
import { PREVIEW_ENVIRONMENT } from "../../api/preview_environment.ts";
import { PROJECT, type ProjectSpec } from "../../api/project.ts";
import { DEPLOYMENT, ENDPOINT_SLICE, NAMESPACE, POD, SECRET } from "../../api/resources.ts";
import { Observer } from "../../deploy/observer.ts";
import { Answers } from "../../deploy/set_changes.ts";
import { DEPLOYED_NEEDS } from "../../deploy/watched_kinds.ts";
import { KubeClient } from "../../kube/client.ts";
import { type ServedKind, UnknownKind } from "../../kube/discovery.ts";
import { collectGarbage } from "../../kube/scripted_garbage.ts";
import { SCRIPTED_CREDENTIALS, ScriptedServer } from "../../kube/scripted_server.ts";
import type { InspectedImage, InspectOptions, Registry } from "../../registry/registry.ts";
import { FakeRenderer } from "../../render/fake_renderer.ts";
import { Controller } from "../../runtime/controller.ts";
import type { ControllerDefinition } from "../../runtime/definition.ts";
import { FakeClock, settle } from "../../runtime/fake_clock.ts";
import { InformerSet } from "../../runtime/informer_set.ts";
import { silentLogger } from "../../runtime/log.ts";
import { statusRules } from "../../runtime/status_rules.ts";
import { LogReader } from "../../workload/logs.ts";
import { Checkouts } from "./checkouts.ts";
import { EndedBuilds } from "./ended_builds.ts";
import { environmentController } from "./mod.ts";
import { LatestLookups } from "./latest_lookups.ts";
import { SteadyLookups } from "./steady_lookups.ts";
import { BUILDS, environment, project, SETTINGS } from "./test_objects.ts";
import type { EnvironmentTools } from "./tools.ts";

const KINDS = DEPLOYED_NEEDS.map(({ resource }) => resource);
const SERVED: readonly Resource[] = [
  ...[NAMESPACE, POD, ENDPOINT_SLICE, PROJECT.resource, ENVIRONMENT.resource, PREVIEW_ENVIRONMENT.resource],
  ...[PORTFOLIO_APP.resource, DATABASE_MIGRATION.resource],
  ...KINDS,
];

/** Says of every image what a test puts into it. */
export class FakeRegistry implements Pick<Registry, "inspect"> {
  readonly asked: (InspectOptions & { image: string })[] = [];
  answer: InspectedImage = { exists: false };

  inspect(ref: { path: string; tag?: string }, options: InspectOptions): Promise<InspectedImage> {
    this.asked.push({ ...options, image: `${ref.path}:${ref.tag}` });
    return Promise.resolve(this.answer);
  }
}

/** What outlives a process. */
export interface EnvironmentWorld {
  clock: FakeClock;
  server: ScriptedServer;
}

/** See the module. Stops at the end of its block. */
export class FakeEnvironments implements AsyncDisposable {
  readonly clock: FakeClock;
  readonly server: ScriptedServer;
  readonly renderer = new FakeRenderer();
  readonly registry = new FakeRegistry();
  /** Kinds that the cluster knows beside those that are watched. */
  readonly installed: Resource[] = [];
  /** `type reason: note` of what was said. */
  readonly events: string[] = [];
  /** Rules that a status has broken, at whatever moment. */
  readonly broken: string[] = [];
  readonly #kube: KubeClient;
  readonly #controllers: Controller[];
  readonly #informers: InformerSet;
  readonly #stop = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  /** @param others Makers of controllers of other kinds that run beside. */
  constructor({ world, others = [] }: { world?: EnvironmentWorld; others?: ControllerDefinition[] } = {}) {
    this.clock = world?.clock ?? new FakeClock();
    this.server = world?.server ?? createServer(this.clock);
    this.server.store.follow(({ after }) => {
      if (after?.kind === "Environment" && after.status) this.broken.push(...statusRules(after, this.clock.now()));
    });
    this.#kube = new KubeClient(SCRIPTED_CREDENTIALS, { fetch: this.server.fetch });
    const common = { kube: this.#kube, clock: this.clock, random: () => 0.5, log: silentLogger };
    this.#informers = new InformerSet(common);
    const tools = this.#tools();
    const kinds = [environmentController({ settings: SETTINGS, builds: BUILDS, tools }) as ControllerDefinition];
    this.#controllers = [...kinds, ...others].map((definition) =>
      new Controller(definition, {
        ...common,
        informers: this.#informers,
        events: { record: (_, { type, reason, note }) => void this.events.push(`${type} ${reason}: ${note}`) },
        workers: 4,
        cleanupDeadlineMs: 60_000,
      })
    );
  }

  /** Starts the operator and waits until nothing moves. */
  async start(): Promise<this> {
    const { signal } = this.#stop;
    const watching = this.#informers.all().map((informer) => informer.run(signal));
    await settle();
    this.#running = Promise.all([...watching, ...this.#controllers.map((controller) => controller.run(signal))]);
    await this.idle();
    return this;
  }

  #tools(): EnvironmentTools {
    const now = (): number => this.clock.now();
    const lookups = { clock: this.clock, random: () => 0.5, capacity: 100, concurrency: 4 };
    const watched = DEPLOYED_NEEDS.map((need) => this.#informers.need(need));
    return {
      renderer: this.renderer,
      fetching: { cacheDir: "/cache" },
      registry: this.registry as unknown as Registry,
      kubeVersion: () => Promise.resolve("v1.36.0"),
      deploying: {
        discovery: {
          find: ({ apiVersion, kind }) => this.#served(apiVersion.split("/").slice(0, -1).join(), kind),
          findPreferred: (group, kind) => this.#served(group, kind),
        },
        observer: new Observer({ watched, now }),
        answers: new Answers(),
        logs: new LogReader(),
      },
      checkouts: new Checkouts(this.renderer, "/cache"),
      projects: this.#informers.need({ resource: PROJECT.resource, scope: "all" }).cache,
      endedBuilds: new EndedBuilds(),
      sources: new SteadyLookups(lookups),
      images: new SteadyLookups(lookups),
      versions: new SteadyLookups(lookups),
      renderings: new LatestLookups(lookups),
    };
  }

  #served(group: string, kind: string): Promise<ServedKind> {
    const resource = [...KINDS, ...this.installed].find((each) => each.kind === kind && each.group === group);
    if (resource) return Promise.resolve({ resource, verbs: [], subresources: ["status"] });
    return Promise.reject(new UnknownKind(`The cluster does not know kind "${kind}"`, false));
  }

  /** A Project `acme/shop`. */
  project(spec: Partial<ProjectSpec> = {}): void {
    this.server.store.create(PROJECT.resource, project(spec));
  }

  /** An Environment `acme/<name>` of it. */
  environment(name = "dev", spec: Partial<EnvironmentSpec> = {}, metadata: Partial<KubeObject["metadata"]> = {}): void {
    const made = environment(spec, { metadata: { name, uid: undefined, finalizers: [FINALIZER], ...metadata } });
    this.server.store.create(ENVIRONMENT.resource, made);
  }

  secret(name: string, data: Record<string, string> = { key: "dmFsdWU=" }): void {
    this.server.store.create(SECRET, {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name, namespace: "acme" },
      data,
    });
  }

  /** Somebody's namespace. */
  namespace(name: string): void {
    this.server.store.create(NAMESPACE, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  }

  look(name = "dev"): Environment | undefined {
    return this.server.store.find(ENVIRONMENT.resource, `acme/${name}`) as Environment | undefined;
  }

  condition(type: string, name = "dev"): Condition | undefined {
    return this.look(name)?.status?.conditions?.find((condition) => condition.type === type);
  }

  get namespaces(): string[] {
    return this.server.store.list(NAMESPACE).map(({ metadata }) => metadata.name);
  }

  /** What there is in a namespace of one kind, by name. */
  names(resource: Resource, namespace = "acme-shop-dev"): string[] {
    return this.server.store.list(resource).filter(({ metadata }) => metadata.namespace === namespace)
      .map(({ metadata }) => metadata.name).sort();
  }

  /** Somebody edits an object. */
  async edit(resource: Resource, key: string, change: (object: KubeObject) => void): Promise<void> {
    this.server.store.edit(resource, key, change);
    await this.idle();
  }

  /** The Deployment controller has rolled everything out. */
  async rollOut(name = "shop", namespace = "acme-shop-dev"): Promise<void> {
    const all = { replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 };
    const conditions = [{ type: "Available", status: "True" }];
    await this.edit(DEPLOYMENT, `${namespace}/${name}`, (object) => {
      object.status = { observedGeneration: object.metadata.generation, ...all, conditions };
    });
  }

  /** Writes since the last call, as `verb resource name`. */
  writes(): string[] {
    const all = this.server.requests.splice(0).filter(({ verb }) => !["get", "list", "watch"].includes(verb));
    return all.map(({ verb, resource, name, body }) =>
      `${verb} ${resource} ${name || (body as KubeObject).metadata.name}`
    );
  }

  /** Everything that waits for nothing has happened. */
  async idle(): Promise<void> {
    for (let round = 0; round < 5; round++) await settle();
  }

  /** What a cluster's own controllers do about deletions. */
  async collectGarbage(): Promise<void> {
    collectGarbage(this.server.store);
    await this.idle();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#kube.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

function createServer(clock: FakeClock): ScriptedServer {
  const server = new ScriptedServer({ resources: SERVED, clock });
  server.store.create(NAMESPACE, { apiVersion: "v1", kind: "Namespace", metadata: { name: "acme" } });
  return server;
}
