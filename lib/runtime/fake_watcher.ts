/**
 * One informer in front of a scripted API server, for tests: what it told is kept, and can be compared with the truth.
 *
 * @module
 */
import { keyOf, type KubeObject, type Resource } from "../api/object.ts";
import { CONFIG_MAP } from "../api/resources.ts";
import { KubeClient } from "../kube/client.ts";
import { SCRIPTED_CREDENTIALS, ScriptedServer } from "../kube/scripted_server.ts";
import type { Change } from "./cache.ts";
import { FakeClock, settle } from "./fake_clock.ts";
import { Informer, type InformerSpec, type InformerTimings, type WatchEnd } from "./informer.ts";
import { type Logger, silentLogger } from "./log.ts";

export interface FakeWatcherOptions {
  spec?: Partial<InformerSpec>;
  timings?: InformerTimings;
  log?: Logger;
  random?: () => number;
  /** Runs before the first request. */
  prepare?: (server: ScriptedServer) => void;
}

/** See the module. Stops at the end of its block. */
export class FakeWatcher implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly resource: Resource;
  readonly server: ScriptedServer;
  readonly kube: KubeClient;
  readonly informer: Informer;
  /** Everything that listeners were told. */
  readonly changes: Change[] = [];
  readonly ends: Record<WatchEnd, number> = { closed: 0, idle: 0, expired: 0, error: 0 };
  missed = 0;
  /** What a listener knows that only looks at changes. */
  readonly #mirror = new Map<string, KubeObject>();
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor({ spec, timings, log = silentLogger, random = () => 0.5, prepare }: FakeWatcherOptions = {}) {
    this.resource = spec?.resource ?? CONFIG_MAP;
    this.server = new ScriptedServer({ resources: [this.resource], clock: this.clock });
    this.kube = new KubeClient(SCRIPTED_CREDENTIALS, { fetch: this.server.fetch });
    prepare?.(this.server);
    const metrics = {
      watchEnded: (_resource: Resource, why: WatchEnd): void => void this.ends[why]++,
      eventsMissed: (_resource: Resource, count: number): void => void (this.missed += count),
    };
    const deps = { kube: this.kube, clock: this.clock, random, log, timings, metrics };
    this.informer = new Informer({ resource: this.resource, ...spec }, deps);
    this.informer.subscribe((change) => this.#note(change));
    this.#running = this.informer.run(this.#stop.signal);
  }

  /** Started, with its first list. */
  static async start(options: FakeWatcherOptions = {}): Promise<FakeWatcher> {
    const watcher = new FakeWatcher(options);
    await settle();
    return watcher;
  }

  /** A ConfigMap is made or changed by somebody. */
  write(name: string, value: string): KubeObject {
    const { store } = this.server;
    const key = `default/${name}`;
    if (store.find(this.resource, key)) return store.edit(this.resource, key, (object) => object.data = { value });
    return store.create(this.resource, { ...configMap(name), data: { value } });
  }

  /** A ConfigMap is deleted by somebody. */
  erase(name: string): void {
    this.server.store.remove(this.resource, `default/${name}`);
  }

  /** What the server has, as `name=value`. */
  get truth(): string[] {
    return described(this.server.store.list(this.resource));
  }

  /** What the cache holds. */
  get cached(): string[] {
    return described(this.informer.cache.values());
  }

  /** What listeners make of the changes they were told. */
  get told(): string[] {
    return described(this.#mirror.values());
  }

  #note(change: Change): void {
    this.changes.push(change);
    if (change.type === "DELETED") this.#mirror.delete(keyOf(change.object));
    else this.#mirror.set(keyOf(change.object), change.object);
  }

  async stop(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    await this.#running;
    this.kube.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** A ConfigMap in the namespace that is always there. */
export function configMap(name: string, metadata: Partial<KubeObject["metadata"]> = {}): KubeObject {
  const data = { value: "0" };
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "default", ...metadata }, data };
}

function described(objects: Iterable<KubeObject>): string[] {
  return [...objects].map(({ metadata, data }) => `${metadata.name}=${data?.value} @${metadata.resourceVersion}`)
    .sort();
}
