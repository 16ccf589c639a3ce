/**
 * Slow reads beside the reconciles: a registry, a git server, a rendering. A worker never waits for them: it is told
 * that the look has begun, and its owner is woken when there is an answer.
 *
 * Guarantees: one look at a time for each key, however many ask; so many at once and no more; a failure is kept, and
 * looked at again after a back-off; what nobody has asked for lately goes first when there is too much, by number or by
 * bytes.
 *
 * @module
 */
import { backoffMs } from "./backoff.ts";
import type { Clock } from "./clock.ts";
import { Gate, type GateBounds, type Hearing } from "./gate.ts";

/** What is known of a key. Times in milliseconds since the epoch. */
export type Known<T> =
  | { is: "looking" }
  | { is: "found"; value: T; at: number }
  | { is: "failed"; error: unknown; retryAt: number };

export interface LookupsOptions<T> {
  clock: Clock;
  random: () => number;
  /** Looks at once. */
  concurrency: number;
  /** Bounds of {@link Question.group}. */
  groups?: GateBounds;
  /** What a failed look says of its group: {@link Passing.hearing}. */
  hearing?(error: unknown): Hearing | undefined;
  /** Answers that are kept. */
  capacity: number;
  /** What all answers may take together, as {@link LookupsOptions.weigh} counts; one alone must fit. */
  capacityBytes?: number;
  /** Bytes that an answer takes; left out: none. */
  weigh?(value: T): number;
  /** Told of every key of which nothing is known any more. */
  dropped?(key: string): void;
}

/** One question. */
export interface Question<T> {
  look(signal: AbortSignal): Promise<T>;
  /** Told once when there is an answer to a look that this call has begun or waits for. */
  wake(): void;
  /** Milliseconds for which an answer counts; left out: for ever. */
  freshMs?: number;
  /** Looks that may all hang together: at one host. Others do not wait behind them. */
  group?: string;
}

interface Entry<T> {
  known: Known<T>;
  failures: number;
  waiting: Set<() => void>;
  /** Of the last answer. */
  bytes: number;
  ending: AbortController;
}

const BACKOFF = { baseMs: 2_000, capMs: 5 * 60_000 };

/** See the module. */
export class Lookups<T> {
  readonly #options: LookupsOptions<T>;
  /** The one asked for or answered last stands last. */
  readonly #entries = new Map<string, Entry<T>>();
  readonly #gate: Gate;
  readonly #ending = new AbortController();
  #bytes = 0;

  constructor(options: LookupsOptions<T>) {
    this.#options = options;
    this.#gate = new Gate(options.concurrency, options.groups);
  }

  /** What is known; begins to look where nothing is, where it is too old, and where a failure has been waited out. */
  ask(key: string, question: Question<T>): Known<T> {
    const entry = this.#entries.get(key) ?? nothingKnown<T>();
    this.#putLast(key, entry);
    if (this.#isDue(entry.known, question.freshMs ?? Infinity)) this.#begin(key, entry, question);
    if (entry.known.is === "looking") entry.waiting.add(question.wake);
    this.#evict();
    return entry.known;
  }

  /** Whether anything is known of a key, or looked at. */
  has(key: string): boolean {
    return this.#entries.has(key);
  }

  /** Forgets an answer: the next question begins anew. A look that is under way is ended; those who wait are woken. */
  forget(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#drop(key, entry);
    entry.ending.abort();
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

  #begin(key: string, entry: Entry<T>, { look, group }: Question<T>): void {
    entry.known = { is: "looking" };
    const { hearing } = this.#options;
    // The entry holds the failure.
    this.#gate.run(() => this.#look(key, entry, look), { group, hearing }).catch(() => {});
  }

  /** @throws What the look throws. */
  async #look(key: string, entry: Entry<T>, look: Question<T>["look"]): Promise<void> {
    const { clock, random } = this.#options;
    try {
      const value = await look(AbortSignal.any([this.#ending.signal, entry.ending.signal]));
      entry.known = { is: "found", value, at: clock.now() };
      entry.failures = 0;
      this.#weigh(key, entry, value);
    } catch (error) {
      entry.failures++;
      const retryAt = clock.now() + backoffMs(entry.failures, { ...BACKOFF, random });
      entry.known = { is: "failed", error, retryAt };
      throw error;
    } finally {
      this.#wake(entry);
    }
  }

  #wake({ waiting }: Entry<T>): void {
    if (this.#ending.signal.aborted) return;
    const all = [...waiting];
    waiting.clear();
    for (const wake of all) wake();
  }

  /** Whoever asked is about to ask again: what has just come goes last. */
  #weigh(key: string, entry: Entry<T>, value: T): void {
    if (this.#entries.get(key) !== entry) return;
    const bytes = this.#options.weigh?.(value) ?? 0;
    this.#bytes += bytes - entry.bytes;
    entry.bytes = bytes;
    this.#putLast(key, entry);
    this.#evict();
  }

  #putLast(key: string, entry: Entry<T>): void {
    this.#entries.delete(key);
    this.#entries.set(key, entry);
  }

  #evict(): void {
    const { capacity, capacityBytes = Infinity } = this.#options;
    for (const [key, entry] of this.#entries) {
      if (this.#entries.size <= capacity && this.#bytes <= capacityBytes) return;
      if (entry.known.is !== "looking") this.#drop(key, entry);
    }
  }

  #drop(key: string, entry: Entry<T>): void {
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
    this.#options.dropped?.(key);
  }
}

function nothingKnown<T>(): Entry<T> {
  const known: Known<T> = { is: "failed", error: undefined, retryAt: 0 };
  return { known, failures: 0, waiting: new Set(), bytes: 0, ending: new AbortController() };
}
