/**
 * Kubernetes Events (events.k8s.io/v1) about owners: one for each transition; a repeat within some minutes becomes a
 * series of the first.
 *
 * @see https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
 * @module
 */
import type { KubeObject } from "../api/object.ts";
import { EVENT } from "../api/resources.ts";
import type { KubeClient } from "./client.ts";

/** What happened. */
export interface EventText {
  type: "Normal" | "Warning";
  /** CamelCase. */
  reason: string;
  /** For people; cut at 1,024 bytes of UTF-8, the API's limit. */
  note: string;
}

export interface EventRecorderOptions {
  kube: Pick<KubeClient, "create" | "patch">;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Unique text for names of Events. */
  unique: () => string;
  /** Which process says so: the Pod's name. */
  instance: string;
  /** Told when an Event could not be written: it is lost, nothing else is. */
  onLost: (error: unknown) => void;
}

const LONGEST_NOTE = 1024;
const SERIES_MS = 6 * 60_000;
const REMEMBERED = 1_000;
/** A wave of Events must not take the API server's time from the work that they tell of. */
const AT_ONCE = 4;

interface Series {
  name: string;
  count: number;
  lastMs: number;
  /** Events of one series are written one after the other. */
  written: Promise<void>;
}

/** Writes Events behind the caller's back, a few at once: an Event is never worth waiting for. */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #series = new Map<string, Series>();
  readonly #waiting: (() => void)[] = [];
  /** Writes that are under way or wait. */
  readonly #pending = new Set<Promise<void>>();
  #running = 0;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  /** Says something about an object. Never throws. */
  record(about: KubeObject, event: EventText): void {
    const note = cutToBytes(event.note, LONGEST_NOTE);
    const key = [about.metadata.uid, event.type, event.reason, note].join("\n");
    const now = this.#options.now();
    const known = this.#series.get(key);
    this.#series.delete(key);
    const isRepeat = known !== undefined && now - known.lastMs < SERIES_MS;
    const series = isRepeat ? known : this.#begin(about, { ...event, note }, now);
    if (isRepeat) this.#repeat(about, series, now);
    this.#series.set(key, series);
    if (this.#series.size > REMEMBERED) this.#series.delete(this.#series.keys().next().value!);
  }

  /** Waits until everything that was said is written or lost. */
  async flush(): Promise<void> {
    await Promise.all(this.#pending);
  }

  #begin(about: KubeObject, event: EventText, now: number): Series {
    const { namespace = "default", name, uid, resourceVersion } = about.metadata;
    // Cut anywhere, a name may end in a dash or dot, which none in front of a dot may.
    const eventName = `${name.slice(0, 230).replace(/[-.]+$/, "")}.${this.#options.unique()}`;
    const object: KubeObject = {
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: { namespace, name: eventName },
      eventTime: microTime(now),
      type: event.type,
      reason: event.reason,
      note: event.note,
      action: "Reconcile",
      regarding: { apiVersion: about.apiVersion, kind: about.kind, namespace, name, uid, resourceVersion },
      reportingController: "maquette.dev/operator",
      reportingInstance: this.#options.instance.slice(0, 128),
    };
    const written = this.#write(() => this.#options.kube.create(object, EVENT, "maquette"));
    return { name: eventName, count: 1, lastMs: now, written };
  }

  #repeat(about: KubeObject, series: Series, now: number): void {
    series.count++;
    series.lastMs = now;
    const value = { count: series.count, lastObservedTime: microTime(now) };
    const target = { namespace: about.metadata.namespace ?? "default", name: series.name };
    const { written } = series;
    series.written = this.#write(async () => {
      await written;
      await this.#options.kube.patch(EVENT, target, [{ op: "add", path: "/series", value }]);
    });
  }

  /** In the order of the calls; never fails. */
  #write(write: () => Promise<unknown>): Promise<void> {
    const written = this.#turn().then(write).then(() => {}, this.#options.onLost).finally(() => {
      this.#pending.delete(written);
      this.#running--;
      this.#waiting.shift()?.();
    });
    this.#pending.add(written);
    return written;
  }

  /** Resolves when one more may be written. */
  #turn(): Promise<void> {
    if (this.#running < AT_ONCE) return Promise.resolve(void this.#running++);
    return new Promise((resolve) => {
      this.#waiting.push(() => resolve(void this.#running++));
    });
  }
}

/** As many whole characters as fit. */
function cutToBytes(text: string, bytes: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(bytes));
  return text.slice(0, read);
}

function microTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace("Z", "000Z");
}
