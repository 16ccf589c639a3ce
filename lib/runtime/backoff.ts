/**
 * Exponential back-off with jitter.
 *
 * @module
 */

export interface BackoffOptions {
  /** First delay in milliseconds. */
  baseMs: number;
  /** Longest delay in milliseconds. */
  capMs: number;
  /** A number in [0, 1). */
  random: () => number;
}

/**
 * The delay before a try: doubled with every failure up to the cap, then spread over its upper half, so that many that
 * failed together do not come back together.
 *
 * @param failures Failures in a row so far, from 1.
 * @returns Milliseconds.
 */
export function backoffMs(failures: number, options: BackoffOptions): number {
  const full = Math.min(options.capMs, options.baseMs * 2 ** Math.min(failures - 1, 30));
  return full / 2 + options.random() * full / 2;
}
