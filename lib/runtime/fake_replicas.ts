/**
 * Replicas that want to lead, in front of one scripted API server, for tests.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { KubeObject } from "../api/object.ts";
import { CONFIG_MAP, LEASE } from "../api/resources.ts";
import { KubeClient } from "../kube/client.ts";
import { SCRIPTED_CREDENTIALS, type ScriptedServer } from "../kube/scripted_server.ts";
import { Elector } from "./elector.ts";
import { leaseInformer } from "./elector_lease.ts";
import { FakeClock } from "./fake_clock.ts";
import { createServer } from "./fake_cluster.ts";
import { silentLogger } from "./log.ts";

const TARGET = { namespace: "default", name: "maquette" };
const KEY = "default/maquette";
const STEP_MS = 250;

/** A process that wants to lead: it does as long as `isWorking` says. */
export class Replica {
  readonly elector: Elector;
  /** Of the elector; a test may replace its methods. */
  readonly kube: KubeClient;
  /** Of those who reconcile, and of those who tell. */
  readonly guarded: { reconciling: KubeClient; telling: KubeClient };
  readonly clock: FakeClock;
  readonly stop = new AbortController();
  /** Messages of the elector's log. */
  readonly log: string[] = [];
  readonly #watching = new AbortController();
  readonly #watch: Promise<void>;
  isWorking = false;
  isLost = false;
  isFrozen = false;
  ended: Promise<void> = Promise.resolve();

  /** @param options.clock One of its own, or that of the server. @param options.hasWatch False: it never shows anything. */
  constructor(identity: string, server: ScriptedServer, { clock, hasWatch = true }: ReplicaOptions) {
    this.clock = clock;
    this.kube = new KubeClient(SCRIPTED_CREDENTIALS, { fetch: server.fetch, userAgent: identity });
    const deps = { kube: this.kube.with({}), clock, random: () => 0.5, log: silentLogger };
    const informer = leaseInformer(TARGET, deps);
    const note = (message: string): void => void this.log.push(message);
    const log = { ...silentLogger, info: note, warn: note, error: note };
    this.elector = new Elector({ kube: this.kube, informer, clock, log, lease: TARGET, identity });
    this.guarded = {
      reconciling: this.kube.with({ guard: this.elector.reconciling }),
      telling: this.kube.with({ guard: this.elector.telling }),
    };
    this.#watch = hasWatch ? informer.run(this.#watching.signal) : Promise.resolve();
  }

  start(): this {
    this.ended = this.#run();
    return this;
  }

  async #run(): Promise<void> {
    if (!await this.elector.acquire(this.stop.signal)) return;
    this.isWorking = true;
    this.isLost = await this.elector.hold(this.stop.signal);
    this.isWorking = false;
    await this.elector.release();
  }

  /** Dies without a word. */
  kill(): void {
    const never = (): Promise<never> => new Promise(() => {});
    Object.assign(this.kube, { get: never, create: never, replace: never });
    this.isWorking = false;
  }

  /** Ends its watch, too. */
  async close(): Promise<void> {
    this.stop.abort();
    this.#watching.abort();
    await this.#watch;
    this.kube.close();
  }
}

export interface ReplicaOptions {
  clock: FakeClock;
  hasWatch?: boolean;
}

/** A ConfigMap that somebody writes who reconciles. */
export function write(kube: KubeClient, name: string): Promise<KubeObject> {
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "default" }, data: {} };
  return kube.create(object, CONFIG_MAP, "maquette");
}

/** See the module. */
export class FakeReplicas {
  readonly clock = new FakeClock();
  readonly server = createServer(this.clock);
  readonly #replicas: Replica[] = [];

  replica(identity: string, { hasWatch, clock = this.clock }: Partial<ReplicaOptions> = {}): Replica {
    const replica = new Replica(identity, this.server, { clock, hasWatch });
    this.#replicas.push(replica);
    return replica;
  }

  /** A Lease that is there already. */
  lend(spec: Record<string, unknown>): KubeObject {
    return this.server.store.create(LEASE, {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: TARGET,
      spec,
    });
  }

  get lease(): KubeObject["spec"] {
    return this.server.store.get(LEASE, KEY).spec;
  }

  /** Somebody edits the Lease by hand. */
  edit(change: (lease: KubeObject) => void): void {
    this.server.store.edit(LEASE, KEY, change);
  }

  /** Somebody deletes it. */
  erase(): void {
    this.server.store.remove(LEASE, KEY);
  }

  /** Verbs of the requests so far, but those of watches. */
  get calls(): string[] {
    return this.server.requests.map(({ verb }) => verb).filter((verb) => verb !== "list" && verb !== "watch");
  }

  /** Moves the time in small steps and asserts at each that one leads at most. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      await this.clock.advance(STEP_MS);
      for (const { clock, isFrozen } of this.#replicas) {
        if (clock === this.clock) continue;
        if (isFrozen) clock.freeze(STEP_MS);
        else await clock.advance(STEP_MS);
      }
      assert.ok(this.#replicas.filter(({ elector }) => elector.isLeading).length <= 1, "Two lead");
    }
  }

  /** Of all replicas. */
  async close(): Promise<void> {
    this.server.mend();
    await Promise.all(this.#replicas.map((replica) => replica.close()));
  }
}
