/**
 * What is remembered of hosts, or whatever else may hang: whether they answered lately.
 *
 * ```
 *  stranger ── answered → proven ── silent → stranger ── silent → silent ── answered → proven
 * ```
 *
 * One silence is no verdict: a single repository may be too large for the time that it has.
 *
 * @module
 */

/** What came of a work: an answer, whichever, or none at all. */
export type Hearing = "answered" | "silent";

/** So many are remembered; one that is forgotten is a stranger. */
const REMEMBERED = 1_000;
/** So many silences in a row make it one that hangs. */
const SILENCES = 2;

/** See the module. */
export class Standing {
  /** Silences since the last answer; the one heard of last stands last. */
  readonly #silences = new Map<string, number>();

  /** Takes in what came of a work for one. */
  heard(name: string, hearing: Hearing): void {
    const before = this.#silences.get(name) ?? 0;
    this.#silences.delete(name);
    this.#silences.set(name, hearing === "answered" ? 0 : before + 1);
    if (this.#silences.size > REMEMBERED) this.#silences.delete(this.#silences.keys().next().value!);
  }

  /** It answered the last time. */
  isProven(name: string): boolean {
    return this.#silences.get(name) === 0;
  }

  /** It hangs, for all that is known. */
  isSilent(name: string): boolean {
    return (this.#silences.get(name) ?? 0) >= SILENCES;
  }
}
