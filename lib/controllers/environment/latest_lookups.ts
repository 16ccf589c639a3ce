/**
 * Slow reads of which every owner needs one answer, the latest.
 *
 * @module
 */
import type { LookupsOptions, Question } from "../../runtime/lookups.ts";
import { type Steady, SteadyLookups } from "./steady_lookups.ts";

/** {@link SteadyLookups} that forget what an owner asked before, and end the look at it. No two owners share a key. */
export class LatestLookups<T> {
  readonly #lookups: SteadyLookups<T>;
  /** Keys by the uid of who asked. */
  readonly #keyOf = new Map<string, string>();

  constructor(options: Omit<LookupsOptions<T>, "dropped">) {
    this.#lookups = new SteadyLookups(options);
  }

  /** See {@link SteadyLookups.ask}. */
  ask(uid: string, key: string, question: Question<T>): Steady<T> {
    if (this.#keyOf.get(uid) !== key) this.release(uid);
    this.#keyOf.set(uid, key);
    return this.#lookups.ask(key, question);
  }

  /** An owner is gone. */
  release(uid: string): void {
    const key = this.#keyOf.get(uid);
    this.#keyOf.delete(uid);
    if (key !== undefined) this.#lookups.forget(key);
  }

  /** Ends all looks. */
  close(): void {
    this.#lookups.close();
  }
}
