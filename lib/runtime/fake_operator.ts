/**
 * A controller with all that it needs, in front of a scripted API server, for tests: started, stopped, killed, and
 * started anew on what it left.
 *
 * @module
 */
import assert from "node:assert/strict";
import { FINALIZER } from "../api/names.ts";
import type { Condition, KubeObject } from "../api/object.ts";
import { DEPLOYMENT } from "../api/resources.ts";
import { Controller, type ReconcileResult } from "./controller.ts";
import type { ControllerDefinition } from "./definition.ts";
import { settle } from "./fake_clock.ts";
import { FakeCluster, type World } from "./fake_cluster.ts";
import { gadgetKind, targetOf } from "./fake_kind.ts";
import { GADGET } from "./fake_owner.ts";
import { silentLogger } from "./log.ts";
import { statusRules } from "./status_rules.ts";

export interface FakeOperatorOptions {
  definition?: ControllerDefinition;
  /** A world that another operator has worked on. */
  world?: World;
  workers?: number;
  cleanupDeadlineMs?: number;
}

/** See the module. Stops at the end of its block, and checks that no status ever broke a rule. */
export class FakeOperator extends FakeCluster {
  readonly controller: Controller;
  /** How reconciles ended, in order. */
  readonly results: ReconcileResult[] = [];
  /** `reason: note` of what was said. */
  readonly events: string[] = [];
  readonly warnings: string[] = [];
  /** Rules that a status has broken, at whatever moment. */
  readonly #broken: string[] = [];
  readonly #working = new AbortController();
  #work: Promise<void> = Promise.resolve();

  constructor(
    { definition = gadgetKind(), world, workers = 4, cleanupDeadlineMs = 300_000 }: FakeOperatorOptions = {},
  ) {
    super(world);
    this.server.store.follow(({ after }) => {
      if (after?.kind === GADGET.kind && after.status) this.#broken.push(...statusRules(after, this.clock.now()));
    });
    this.controller = new Controller(definition, {
      kube: this.kube,
      informers: this.informers,
      clock: this.clock,
      random: () => 0.5,
      log: { ...silentLogger, warn: (message) => void this.warnings.push(message) },
      events: { record: (_about, { type, reason, note }) => void this.events.push(`${type} ${reason}: ${note}`) },
      workers,
      cleanupDeadlineMs,
      metrics: { reconciled: (_kind, result) => void this.results.push(result) },
    });
  }

  override async start(): Promise<this> {
    await super.start();
    this.#work = this.controller.run(this.#working.signal);
    await settle();
    return this;
  }

  /** A Gadget that admission has let in: it carries the finalizer. */
  gadget(name = "g", spec: unknown = {}, metadata: Partial<KubeObject["metadata"]> = {}): KubeObject {
    return this.owner(name, { finalizers: [FINALIZER], ...metadata }, spec);
  }

  /** A Gadget as the server has it. */
  look(name = "g"): KubeObject | undefined {
    return this.server.store.find(GADGET, `default/${name}`);
  }

  condition(type: string, name = "g"): Condition | undefined {
    return this.look(name)?.status?.conditions?.find((condition: Condition) => condition.type === type);
  }

  /** Somebody edits a Gadget. */
  edit(change: (owner: KubeObject) => void, name = "g"): void {
    this.server.store.edit(GADGET, `default/${name}`, change);
  }

  /** The Deployment of a Gadget becomes what the cluster's own controllers make of it. */
  rollOut(name = "g", isReady = true): void {
    const namespace = targetOf(this.look(name)!);
    this.server.store.edit(DEPLOYMENT, `${namespace}/app`, (app) => app.status = { isReady });
  }

  /** Finishes what is under way. */
  override async stop(): Promise<void> {
    this.#working.abort();
    await this.#work;
    await super.stop();
    assert.deepEqual(this.#broken, []);
  }

  /** Ends without finishing anything, as SIGKILL does: no request comes any more. */
  async kill(): Promise<void> {
    this.die();
    this.#working.abort();
    await super.stop();
  }
}
