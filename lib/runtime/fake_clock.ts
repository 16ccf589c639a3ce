/**
 * A clock for tests that moves only when it is told to.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import type { Clock } from "./clock.ts";

const MOST_AT_ONCE = 1_000;

interface Timer {
  /** By the monotonic clock, as the platform's timers. */
  at: number;
  order: number;
  callback: () => void;
}

/** A {@link Clock} whose time stands still until {@link FakeClock.advance} moves it. */
export class FakeClock implements Clock {
  #monotonic = 0;
  /** Time of day at 0 of the monotonic clock. */
  #epoch: number;
  #order = 0;
  readonly #timers = new Set<Timer>();

  /** @param now Start time in milliseconds since the Unix epoch. */
  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#epoch = now;
  }

  now(): number {
    return this.#epoch + this.#monotonic;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  at(epochMs: number, callback: () => void): () => void {
    const timer = { at: epochMs - this.#epoch, order: this.#order++, callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Timers that are set: a test's check for leaks. */
  get pending(): number {
    return this.#timers.size;
  }

  /**
   * Moves the time forward, calling the timers that come due in order and letting promises settle after each.
   *
   * @param ms Milliseconds to move by.
   * @throws {Error} When timers set timers for the same moment without end: a loop that would make no test fail, but hang.
   */
  async advance(ms: number): Promise<void> {
    const end = this.#monotonic + ms;
    let fired = 0;
    for (;;) {
      await settle();
      const next = [...this.#timers].sort((a, b) => a.at - b.at || a.order - b.order)[0];
      if (!next || next.at > end) break;
      this.#timers.delete(next);
      fired = next.at > this.#monotonic ? 0 : fired + 1;
      if (fired > MOST_AT_ONCE) throw new Error("Timers set timers for the same moment without end");
      this.#monotonic = Math.max(this.#monotonic, next.at);
      next.callback();
    }
    this.#monotonic = end;
    await settle();
  }

  /** The process is frozen (SIGSTOP): time goes by, and what is due runs only when the clock is advanced again. */
  freeze(ms: number): void {
    this.#monotonic += ms;
  }

  /** Moves the time of day alone: somebody set it, or the machine was suspended. @param ms Back where negative. */
  set(ms: number): void {
    this.#epoch += ms;
  }
}

/** Lets everything that can run without the clock run: some turns of the event loop. */
export async function settle(turns = 5): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}
