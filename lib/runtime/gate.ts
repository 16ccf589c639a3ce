/**
 * Bounded concurrency.
 *
 * @module
 */

/** Who is let through. */
export interface Passing {
  /** Ends the waiting. */
  signal?: AbortSignal;
  /** Works of one group share a bound of their own; what has none is bounded with all others only. */
  group?: string;
}

interface Waiting {
  group: string | undefined;
  enter: () => void;
}

/**
 * Lets so many through at a time, and so many of one group; the others wait in the order in which they came, but nobody
 * waits behind one whose group has no place.
 */
export class Gate {
  #free: number;
  readonly #perGroup: number;
  readonly #waiting: Waiting[] = [];
  /** How many are inside by group. */
  readonly #inside = new Map<string, number>();

  constructor(places: number, perGroup = places) {
    this.#free = places;
    this.#perGroup = perGroup;
  }

  /** Runs the work once there is a place; at once where there is one. @throws The signal's reason, if it comes before. */
  async run<T>(work: () => Promise<T>, { signal, group }: Passing = {}): Promise<T> {
    signal?.throwIfAborted();
    if (this.#hasRoom(group)) this.#count(group, 1);
    else await this.#wait(group, signal);
    try {
      return await work();
    } finally {
      this.#count(group, -1);
      this.#next();
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

  /** Lets in who came first of those that have a place now: one, because one has left. */
  #next(): void {
    const place = this.#waiting.findIndex(({ group }) => this.#hasRoom(group));
    const [next] = place < 0 ? [] : this.#waiting.splice(place, 1);
    if (!next) return;
    this.#count(next.group, 1);
    next.enter();
  }

  /** Whoever waits while this holds for a newcomer has no place in its own group: nobody is overtaken. */
  #hasRoom(group: string | undefined): boolean {
    return this.#free > 0 && (group === undefined || this.#insideOf(group) < this.#perGroup);
  }

  #insideOf(group: string): number {
    return this.#inside.get(group) ?? 0;
  }

  #count(group: string | undefined, change: 1 | -1): void {
    this.#free -= change;
    if (group === undefined) return;
    const inside = this.#insideOf(group) + change;
    if (inside === 0) this.#inside.delete(group);
    else this.#inside.set(group, inside);
  }
}
