/**
 * The names that wait for a reconcile.
 *
 * Guarantees (promise 2): a name waits once, however often it is added; at most one worker has it; what is added while
 * a worker has it comes back when the worker is done; names that people just touched go first; a timer fires at its
 * time, however far away, and the earlier of two wins.
 *
 * @module
 */
import { backoffMs, type BackoffOptions } from "./backoff.ts";
import type { Clock } from "./clock.ts";

/** `high`: somebody waits for it; `low`: found by a list at start or a periodic look. */
export type Priority = "high" | "low";

/** See the module. */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #backoff: BackoffOptions;
  /** Names that wait, in order; a Set is a queue without doubles. */
  readonly #waiting: Record<Priority, Set<string>> = { high: new Set(), low: new Set() };
  readonly #running = new Set<string>();
  /** Added while a worker had them. */
  readonly #again = new Map<string, Priority>();
  readonly #timers = new Map<string, { at: number; cancel: () => void }>();
  readonly #failures = new Map<string, number>();
  readonly #idle: ((name: string | undefined) => void)[] = [];
  #closed = false;

  constructor(clock: Clock, backoff: BackoffOptions) {
    this.#clock = clock;
    this.#backoff = backoff;
  }

  /** Names that wait for a worker. */
  get depth(): number {
    return this.#waiting.high.size + this.#waiting.low.size;
  }

  /** Names that wait or run: 0 when nothing is to be done now. */
  get busy(): number {
    return this.depth + this.#running.size;
  }

  /** Timers that are set. */
  get timers(): number {
    return this.#timers.size;
  }

  add(name: string, priority: Priority = "high"): void {
    if (this.#closed) return;
    if (this.#running.has(name)) {
      if (this.#again.get(name) !== "high") this.#again.set(name, priority);
      return;
    }
    if (this.#waiting.high.has(name)) return;
    if (priority === "high") this.#waiting.low.delete(name);
    this.#waiting[priority].add(name);
    this.#dispatch();
  }

  /** Adds a name at a time (milliseconds since the epoch), unless an earlier timer is set. */
  addAt(name: string, epochMs: number): void {
    if (this.#closed) return;
    const set = this.#timers.get(name);
    if (set && set.at <= epochMs) return;
    set?.cancel();
    const cancel = this.#clock.at(epochMs, () => {
      this.#timers.delete(name);
      this.add(name);
    });
    this.#timers.set(name, { at: epochMs, cancel });
  }

  /** Adds a name after its back-off. @returns The delay in milliseconds. @param atLeastMs What the server asked for. */
  retry(name: string, atLeastMs = 0): number {
    const failures = (this.#failures.get(name) ?? 0) + 1;
    this.#failures.set(name, failures);
    const delay = Math.max(atLeastMs, backoffMs(failures, this.#backoff));
    this.addAt(name, this.#clock.now() + delay);
    return delay;
  }

  /** Forgets the failures of a name. */
  forget(name: string): void {
    this.#failures.delete(name);
  }

  /** Takes a timer back: a worker looks at the name now and will say when to look again. */
  cancelTimer(name: string): void {
    this.#timers.get(name)?.cancel();
    this.#timers.delete(name);
  }

  /** The next name, as soon as there is one; undefined when the queue is closed. The taker calls {@link done}. */
  take(): Promise<string | undefined> {
    return new Promise((resolve) => {
      if (this.#closed) return resolve(undefined);
      this.#idle.push(resolve);
      this.#dispatch();
    });
  }

  /** Gives a name back. */
  done(name: string): void {
    this.#running.delete(name);
    const again = this.#again.get(name);
    this.#again.delete(name);
    if (again) this.add(name, again);
  }

  /** Drops what waits and all timers, and lets takers go. */
  close(): void {
    this.#closed = true;
    for (const { cancel } of this.#timers.values()) cancel();
    this.#timers.clear();
    this.#waiting.high.clear();
    this.#waiting.low.clear();
    this.#again.clear();
    for (const resolve of this.#idle.splice(0)) resolve(undefined);
  }

  #dispatch(): void {
    while (this.#idle.length > 0) {
      const from = this.#waiting.high.size > 0 ? this.#waiting.high : this.#waiting.low;
      const { value: name, done } = from.values().next();
      if (done) return;
      from.delete(name);
      this.#running.add(name);
      this.#idle.shift()!(name);
    }
  }
}
