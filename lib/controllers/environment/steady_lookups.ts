/**
 * Slow reads whose last answer stands until there is a newer one: while a look is repeated, nothing that rests on it
 * falters.
 *
 * @module
 */
import { Lookups, type LookupsOptions, type Question } from "../../runtime/lookups.ts";

/** What stands. Times in milliseconds since the epoch. */
export type Steady<T> =
  /** Nothing is known yet. */
  | { is: "looking" }
  /** `trouble` is why it could not be looked at anew; `nextAt` is when that is due, absent while a look is under way. */
  | { is: "found"; value: T; trouble?: unknown; nextAt?: number }
  | { is: "failed"; error: unknown; nextAt?: number };

type Standing<T> = { value: T } | { error: unknown };

/** {@link Lookups} that remember. */
export class SteadyLookups<T> {
  readonly #lookups: Lookups<T>;
  readonly #capacity: number;
  readonly #standing = new Map<string, Standing<T>>();

  constructor(options: LookupsOptions) {
    this.#lookups = new Lookups(options);
    this.#capacity = options.capacity;
  }

  /** What stands; begins to look where nothing is known, where it is too old, and where a failure has been waited out. */
  ask(key: string, question: Question<T>): Steady<T> {
    const { freshMs = Infinity } = question;
    const known = this.#lookups.ask(key, { ...question, look: (signal) => this.#look(key, question.look(signal)) });
    const before = this.#standing.get(key);
    if (known.is === "looking") return before ? standing(before) : known;
    if (known.is === "found") {
      return { is: "found", value: known.value, ...(freshMs < Infinity ? { nextAt: known.at + freshMs } : {}) };
    }
    const { error, retryAt: nextAt } = known;
    if (before && "value" in before) return { is: "found", value: before.value, trouble: error, nextAt };
    this.#keep(key, { error });
    return { is: "failed", error, nextAt };
  }

  /** Ends all looks. */
  close(): void {
    this.#lookups.close();
  }

  async #look(key: string, looking: Promise<T>): Promise<T> {
    const value = await looking;
    this.#keep(key, { value });
    return value;
  }

  #keep(key: string, what: Standing<T>): void {
    this.#standing.delete(key);
    this.#standing.set(key, what);
    if (this.#standing.size > this.#capacity) this.#standing.delete(this.#standing.keys().next().value!);
  }
}

function standing<T>(before: Standing<T>): Steady<T> {
  return "value" in before ? { is: "found", value: before.value } : { is: "failed", error: before.error };
}
