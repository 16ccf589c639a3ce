/**
 * A scripted API server with a client and informers in front of it, for tests of what writes.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";
import {
  CLAIM,
  CONFIG_MAP,
  DEPLOYMENT,
  EVENT,
  JOB,
  LEASE,
  NAMESPACE,
  NETWORK_POLICY,
  POD,
  SECRET,
  SERVICE,
} from "../api/resources.ts";
import { KubeClient } from "../kube/client.ts";
import { SCRIPTED_CREDENTIALS, ScriptedServer } from "../kube/scripted_server.ts";
import { FakeClock, settle } from "./fake_clock.ts";
import { GADGET } from "./fake_owner.ts";
import { InformerSet } from "./informer_set.ts";
import type { WatchNeed } from "./definition.ts";
import { silentLogger } from "./log.ts";

const SERVED = [
  ...[NAMESPACE, CONFIG_MAP, SECRET, SERVICE, DEPLOYMENT, NETWORK_POLICY],
  ...[CLAIM, POD, JOB, EVENT, LEASE, GADGET],
];

/** A server with all resources that tests write to. */
export function createServer(clock: FakeClock, options: { eventsFirst?: boolean } = {}): ScriptedServer {
  return new ScriptedServer({ resources: SERVED, clock, ...options });
}

/** What outlives a process. */
export interface World {
  server: ScriptedServer;
  clock: FakeClock;
}

/** See the module. Stops at the end of its block. */
export class FakeCluster implements AsyncDisposable {
  readonly clock: FakeClock;
  readonly server: ScriptedServer;
  readonly kube: KubeClient;
  readonly informers: InformerSet;
  readonly #stop = new AbortController();
  #running: Promise<unknown> = Promise.resolve();
  #isDead = false;

  /** @param world One that another process has worked on: this process is new, the world is not. */
  constructor(world?: World) {
    this.clock = world?.clock ?? new FakeClock();
    this.server = world?.server ?? createServer(this.clock);
    const send =
      ((...args: Parameters<typeof fetch>) =>
        this.#isDead ? new Promise<never>(() => {}) : this.server.fetch(...args)) as typeof fetch;
    this.kube = new KubeClient(SCRIPTED_CREDENTIALS, { fetch: send });
    const deps = { kube: this.kube, clock: this.clock, random: () => 0.5, log: silentLogger };
    this.informers = new InformerSet(deps);
  }

  /** Starts what is needed by now, and waits until it is synced. */
  async start(...needs: WatchNeed[]): Promise<this> {
    for (const need of needs) this.informers.need(need);
    this.#running = Promise.all(this.informers.all().map((informer) => informer.run(this.#stop.signal)));
    await settle();
    await Promise.all(this.informers.all().map((informer) => informer.whenSynced));
    return this;
  }

  /** An owner that exists. */
  owner(name = "g", metadata: Partial<KubeObject["metadata"]> = {}, spec: unknown = {}): KubeObject {
    const object = {
      apiVersion: "test.example.com/v1",
      kind: "Gadget",
      metadata: { name, namespace: "default", ...metadata },
      spec,
    };
    return this.server.store.create(GADGET, object);
  }

  /** A namespace that somebody made. */
  namespace(name: string, metadata: Partial<KubeObject["metadata"]> = {}): KubeObject {
    return this.server.store.create(NAMESPACE, {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name, ...metadata },
    });
  }

  /** Requests so far beyond lists and watches, as `verb resource name`. */
  get calls(): string[] {
    return this.server.requests.filter(({ verb }) => verb !== "list" && verb !== "watch").map((
      { verb, resource, name, body },
    ) => `${verb} ${resource} ${name || (body as KubeObject).metadata.name}`);
  }

  /** From now on no request leaves this process, and those under way are never answered. */
  die(): void {
    this.#isDead = true;
  }

  async stop(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    if (!this.#isDead) await this.#running;
    this.kube.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
