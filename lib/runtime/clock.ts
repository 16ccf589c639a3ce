/**
 * Time, handed in: the only module that reads the machine's clock or sets a timer, so that an hour of watching can be
 * tested in a moment.
 *
 * @module
 */

/** A clock with exact, cancellable timers. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /**
   * Milliseconds since some moment in the past, for comparing only: they never jump when somebody sets the machine's
   * time, but may stand still while the machine is suspended.
   */
  monotonic(): number;
  /**
   * Calls back once at the given time, at once (but never synchronously) when it is already over.
   *
   * @param epochMs Time of the call, in milliseconds since the Unix epoch; may lie years ahead.
   * @returns Cancels the call; harmless afterwards.
   */
  at(epochMs: number, callback: () => void): () => void;
}

/** Longest delay that JavaScript timers take; anything above fires at once (about 24.8 days). */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** The machine's clock. A timer that is set keeps the process alive: whoever stops cancels what it has set. */
export const systemClock: Clock = Object.freeze({
  now(): number {
    return Date.now();
  },
  monotonic(): number {
    return performance.now();
  },
  at(epochMs: number, callback: () => void): () => void {
    let timer: ReturnType<typeof setTimeout>;
    function arm(): void {
      const left = Math.max(0, epochMs - Date.now());
      timer = left > LONGEST_DELAY_MS ? setTimeout(arm, LONGEST_DELAY_MS) : setTimeout(callback, left);
    }
    arm();
    return () => clearTimeout(timer);
  },
});

/**
 * Waits, unless the signal ends it first.
 *
 * @param ms Milliseconds to wait.
 * @returns Resolves in both cases: the caller looks at the signal.
 */
export function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const finish = (): void => {
      cancel();
      signal.removeEventListener("abort", finish);
      resolve();
    };
    const cancel = clock.at(clock.now() + ms, finish);
    signal.addEventListener("abort", finish);
  });
}

/** Resolves when the signal comes; never without one. */
export function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) resolve();
    else signal?.addEventListener("abort", () => resolve(), { once: true });
  });
}
