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
  /** Of what is known to the lookups, and nothing else. */
  readonly #standing = new Map<string, Standing<T>>();

  constructor(options: Omit<LookupsOptions<T>, "dropped">) {
    this.#lookups = new Lookups({ ...options, dropped: (key) => void this.#standing.delete(key) });
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
    this.#standing.set(key, { error });
    return { is: "failed", error, nextAt };
  }

  /** Forgets an answer, and ends the look at it; see {@link Lookups.forget}. */
  forget(key: string): void {
    this.#lookups.forget(key);
  }

  /** Ends all looks. */
  close(): void {
    this.#lookups.close();
  }

  async #look(key: string, looking: Promise<T>): Promise<T> {
    const value = await looking;
    if (this.#lookups.has(key)) this.#standing.set(key, { value });
    return value;
  }
}

function standing<T>(before: Standing<T>): Steady<T> {
  return "value" in before ? { is: "found", value: before.value } : { is: "failed", error: before.error };
}
