/**
 * Slow reads beside the reconciles: a registry, a git server, a rendering. A worker never waits for them: it is told
 * that the look has begun, and its owner is woken when there is an answer.
 *
 * Guarantees: one look at a time for each key, however many ask; so many at once and no more; a failure is kept, and
 * looked at again after a back-off; what nobody has asked for lately goes first when there is too much.
 *
 * @module
 */
import { backoffMs } from "./backoff.ts";
import type { Clock } from "./clock.ts";

/** What is known of a key. Times in milliseconds since the epoch. */
export type Known<T> =
  | { is: "looking" }
  | { is: "found"; value: T; at: number }
  | { is: "failed"; error: unknown; retryAt: number };

export interface LookupsOptions {
  clock: Clock;
  random: () => number;
  /** Looks at once. */
  concurrency: number;
  /** Answers that are kept. */
  capacity: number;
}

/** One question. */
export interface Question<T> {
  look(signal: AbortSignal): Promise<T>;
  /** Told once when there is an answer to a look that this call has begun or waits for. */
  wake(): void;
  /** Milliseconds for which an answer counts; left out: for ever. */
  freshMs?: number;
}

interface Entry<T> {
  known: Known<T>;
  failures: number;
  waiting: Set<() => void>;
}

const BACKOFF = { baseMs: 2_000, capMs: 5 * 60_000 };

/** See the module. */
export class Lookups<T> {
  readonly #options: LookupsOptions;
  /** The one asked for last stands last. */
  readonly #entries = new Map<string, Entry<T>>();
  readonly #queue: (() => Promise<void>)[] = [];
  readonly #ending = new AbortController();
  #running = 0;

  constructor(options: LookupsOptions) {
    this.#options = options;
  }

  /** What is known; begins to look where nothing is, where it is too old, and where a failure has been waited out. */
  ask(key: string, question: Question<T>): Known<T> {
    const entry = this.#entries.get(key) ??
      { known: { is: "failed", error: undefined, retryAt: 0 }, failures: 0, waiting: new Set() };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#isDue(entry.known, question.freshMs ?? Infinity)) this.#begin(entry, question.look);
    if (entry.known.is === "looking") entry.waiting.add(question.wake);
    this.#evict();
    return entry.known;
  }

  /** Forgets an answer: the next question begins anew. A look that is under way is finished for those who wait. */
  forget(key: string): void {
    this.#entries.delete(key);
  }

  /** Ends all looks. */
  close(): void {
    this.#ending.abort();
  }

  #isDue(known: Known<T>, freshMs: number): boolean {
    const now = this.#options.clock.now();
    if (known.is === "looking") return false;
    return known.is === "found" ? now >= known.at + freshMs : now >= known.retryAt;
  }

  #begin(entry: Entry<T>, look: Question<T>["look"]): void {
    entry.known = { is: "looking" };
    this.#queue.push(() => this.#look(entry, look));
    this.#next();
  }

  #next(): void {
    while (this.#running < this.#options.concurrency && this.#queue.length > 0) {
      this.#running++;
      void this.#queue.shift()!().finally(() => {
        this.#running--;
        this.#next();
      });
    }
  }

  async #look(entry: Entry<T>, look: Question<T>["look"]): Promise<void> {
    const { clock, random } = this.#options;
    try {
      const value = await look(this.#ending.signal);
      entry.known = { is: "found", value, at: clock.now() };
      entry.failures = 0;
    } catch (error) {
      entry.failures++;
      const retryAt = clock.now() + backoffMs(entry.failures, { ...BACKOFF, random });
      entry.known = { is: "failed", error, retryAt };
    }
    if (this.#ending.signal.aborted) return;
    const waiting = [...entry.waiting];
    entry.waiting.clear();
    for (const wake of waiting) wake();
  }

  #evict(): void {
    for (const [key, { known }] of this.#entries) {
      if (this.#entries.size <= this.#options.capacity) return;
      if (known.is !== "looking") this.#entries.delete(key);
    }
  }
}
