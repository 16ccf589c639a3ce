import { inspect } from "node:util";

/** Milliseconds between two looks. */
const interval = 50;
/** Machines that are busy with other things are given so many times as long: waiting costs nothing where all is well. */
const patience = 3;

/**
 * Looks again and again until `probe` answers with something true, and returns that.
 *
 * A probe that throws has not succeeded yet: a failed assertion inside it is how a probe says what it saw instead.
 *
 * @param description what is waited for, completing "Timed out waiting for …"
 * @param timeoutMs after which a machine with nothing else to do should be given up; default 30 s. Threefold is waited
 * @throws Error with the description and the last value (or error) seen
 */
export async function waitFor<T>(
  description: string,
  probe: () => T | Promise<T>,
  timeoutMs = 30_000,
): Promise<Exclude<Awaited<T>, undefined | null | false | 0 | "">> {
  return await poll(description, probe, Boolean, timeoutMs) as Exclude<Awaited<T>, undefined | null | false | 0 | "">;
}

/**
 * Reads a value again and again until `accept` takes it, and returns it.
 *
 * @param description what is waited for, completing "Timed out waiting for …"
 * @param timeoutMs after which a machine with nothing else to do should be given up; default 30 s. Threefold is waited
 * @throws Error with the description and the last value (or error) seen
 */
export async function waitUntil<T>(
  description: string,
  read: () => T | Promise<T>,
  accept: (value: T) => boolean,
  timeoutMs = 30_000,
): Promise<T> {
  return await poll(description, read, accept, timeoutMs);
}

/** A question that remembers how long its slowest answer took, in milliseconds: so late is a busy machine by itself. */
export class TimedProbe<T> {
  readonly #probe: () => Promise<T>;
  slowestMs = 0;

  constructor(probe: () => Promise<T>) {
    this.#probe = probe;
  }

  async ask(): Promise<T> {
    const start = performance.now();
    try {
      return await this.#probe();
    } finally {
      this.slowestMs = Math.max(this.slowestMs, performance.now() - start);
    }
  }
}

async function poll<T>(
  description: string,
  read: () => T | Promise<T>,
  accept: (value: T) => boolean,
  timeoutMs: number,
): Promise<T> {
  const end = performance.now() + timeoutMs * patience;
  let seen = "nothing";
  do {
    try {
      const value = await read();
      if (accept(value)) return value;
      seen = inspect(value, { depth: 6, breakLength: 120 });
    } catch (error) {
      seen = error instanceof Error ? error.message : String(error);
    }
    await new Promise((resolve) => setTimeout(resolve, interval));
  } while (performance.now() < end);
  throw new Error(`Timed out after ${timeoutMs * patience / 1000} s waiting for ${description}: last seen ${seen}`);
}
