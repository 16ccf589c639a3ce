/**
 * Bounded concurrency.
 *
 * @module
 */
import { type Hearing, Standing } from "./standing.ts";

export type { Hearing } from "./standing.ts";

/** Bounds beside that of all. */
export interface GateBounds {
  /** Works of one group at a time. */
  perGroup?: number;
  /**
   * Works at a time of all groups that did not answer the last time, or have never been asked: one of each, and one
   * together of those that hang for all that is known ({@link Standing}). Left out: groups do not hang.
   */
  strangers?: number;
}

/** Who is let through. */
export interface Passing {
  /** Ends the waiting. */
  signal?: AbortSignal;
  /** Works of one group share a bound of their own; what has none is bounded with all others only. */
  group?: string;
  /** What a failure says of the group; nothing, where it never came to it. Left out: any failure is an answer. */
  hearing?(error: unknown): Hearing | undefined;
}

interface Waiting {
  group: string | undefined;
  enter: () => void;
}

/** Together. */
const SILENT_ONES = 1;

/**
 * Lets so many through at a time, and so many of one group; the others wait in the order in which they came, but nobody
 * waits behind one whose group has no place. However many groups are known to hang, or are not known at all, one that has
 * answered finds a place.
 */
export class Gate {
  #free: number;
  readonly #perGroup: number;
  readonly #strangers: number | undefined;
  readonly #standing = new Standing();
  readonly #waiting: Waiting[] = [];
  /** How many are inside by group. */
  readonly #inside = new Map<string, number>();

  constructor(places: number, { perGroup = places, strangers }: GateBounds = {}) {
    this.#free = places;
    this.#perGroup = perGroup;
    this.#strangers = strangers;
  }

  /** Runs the work once there is a place; at once where there is one. @throws The signal's reason, if it comes before. */
  async run<T>(work: () => Promise<T>, { signal, group, hearing }: Passing = {}): Promise<T> {
    signal?.throwIfAborted();
    if (this.#hasRoom(group)) this.#count(group, 1);
    else await this.#wait(group, signal);
    let heard: Hearing | undefined = "answered";
    try {
      return await work();
    } catch (error) {
      if (hearing) heard = hearing(error);
      throw error;
    } finally {
      this.#count(group, -1);
      if (group !== undefined && heard) this.#standing.heard(group, heard);
      this.#letIn();
    }
  }

  async #wait(group: string | undefined, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting: Waiting = { group, enter: resolve };
    const giveUp = (): void => {
      const place = this.#waiting.indexOf(waiting);
      // Let in a moment ago: the work sees the signal itself.
      if (place < 0) return;
      this.#waiting.splice(place, 1);
      reject(signal!.reason);
    };
    this.#waiting.push(waiting);
    signal?.addEventListener("abort", giveUp);
    await promise.finally(() => signal?.removeEventListener("abort", giveUp));
  }

  /** Lets in, by their order, all that have a place now: a group that answered may have more of them than before. */
  #letIn(): void {
    for (;;) {
      const place = this.#waiting.findIndex(({ group }) => this.#hasRoom(group));
      const [next] = place < 0 ? [] : this.#waiting.splice(place, 1);
      if (!next) return;
      this.#count(next.group, 1);
      next.enter();
    }
  }

  /** Whoever waits while this holds for a newcomer has no place in its own group: nobody is overtaken. */
  #hasRoom(group: string | undefined): boolean {
    if (this.#free === 0) return false;
    if (group === undefined) return true;
    const inside = this.#inside.get(group) ?? 0;
    if (this.#strangers === undefined || this.#standing.isProven(group)) return inside < this.#perGroup;
    const strangers = this.#insideWhere((other) => !this.#standing.isProven(other));
    if (inside > 0 || strangers >= this.#strangers) return false;
    return !this.#standing.isSilent(group) ||
      this.#insideWhere((other) => this.#standing.isSilent(other)) < SILENT_ONES;
  }

  #insideWhere(counts: (group: string) => boolean): number {
    return [...this.#inside].reduce((sum, [group, inside]) => counts(group) ? sum + inside : sum, 0);
  }

  #count(group: string | undefined, change: 1 | -1): void {
    this.#free -= change;
    if (group === undefined) return;
    const inside = (this.#inside.get(group) ?? 0) + change;
    if (inside === 0) this.#inside.delete(group);
    else this.#inside.set(group, inside);
  }
}
