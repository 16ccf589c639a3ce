/**
 * The runtime's own metrics. Every label has few values: kinds, verbs, codes, reasons of ours; never a name or an
 * error's text.
 *
 * @module
 */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { Resource } from "../api/object.ts";
import type { ReconcileResult } from "./controller.ts";
import type { WatchEnd } from "./informer.ts";

const SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** See the module. */
export class RuntimeMetrics {
  readonly registry: Registry;
  readonly #requests: Counter;
  readonly #watchRestarts: Counter;
  readonly #missedEvents: Counter;
  readonly #reconciles: Histogram;

  constructor(registry: Registry) {
    this.registry = registry;
    const registers = [registry];
    this.#requests = new Counter({
      name: "maquette_api_requests_total",
      help: "Requests to the API server by verb, resource and HTTP status (0: no answer).",
      labelNames: ["verb", "resource", "code"],
      registers,
    });
    this.#watchRestarts = new Counter({
      name: "maquette_watch_restarts_total",
      help: "Watch connections that ended, by why: closed by the server, idle, expired (410) or error.",
      labelNames: ["resource", "reason"],
      registers,
    });
    this.#missedEvents = new Counter({
      name: "maquette_watch_missed_events_total",
      help: "Changes that a verifying list found and the watch had not shown. Must stay 0.",
      labelNames: ["resource"],
      registers,
    });
    this.#reconciles = new Histogram({
      name: "maquette_reconcile_duration_seconds",
      help: "Duration of reconciles by kind and outcome.",
      labelNames: ["kind", "outcome"],
      buckets: SECONDS,
      registers,
    });
    this.#processGauges();
  }

  requested(verb: string, resource: string, code: number): void {
    this.#requests.inc({ verb, resource, code: String(code) });
  }

  watchEnded(resource: Resource, why: WatchEnd): void {
    this.#watchRestarts.inc({ resource: resource.plural, reason: why });
  }

  /** Makes the counter of a resource show 0, so that an alert on it has something to compare with. */
  watched(resource: Resource): void {
    this.#missedEvents.inc({ resource: resource.plural }, 0);
  }

  eventsMissed(resource: Resource, count: number): void {
    this.#missedEvents.inc({ resource: resource.plural }, count);
  }

  reconciled(kind: string, outcome: ReconcileResult, seconds: number): void {
    this.#reconciles.observe({ kind, outcome }, seconds);
  }

  /** Shows how many names wait, read when the metrics are asked for. */
  queueDepth(queues: () => Iterable<{ kind: string; depth: number }>): void {
    new Gauge({
      name: "maquette_queue_depth",
      help: "Names that wait for a reconcile, by kind.",
      labelNames: ["kind"],
      registers: [this.registry],
      collect(): void {
        for (const { kind, depth } of queues()) this.set({ kind }, depth);
      },
    });
  }

  /** Shows whether this replica reconciles. */
  leading(isLeading: () => boolean): void {
    new Gauge({
      name: "maquette_leader",
      help: "1 on the replica that reconciles, 0 on those that stand by.",
      registers: [this.registry],
      collect(): void {
        this.set(isLeading() ? 1 : 0);
      },
    });
  }

  /** prom-client's own process metrics read files that a binary with few permissions may not. */
  #processGauges(): void {
    new Gauge({
      name: "process_resident_memory_bytes",
      help: "Resident memory of the process in bytes.",
      registers: [this.registry],
      collect(): void {
        this.set(Deno.memoryUsage().rss);
      },
    });
    new Gauge({
      name: "maquette_heap_used_bytes",
      help: "Heap in use by JavaScript objects in bytes.",
      registers: [this.registry],
      collect(): void {
        this.set(Deno.memoryUsage().heapUsed);
      },
    });
  }
}
