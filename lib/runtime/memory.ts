/**
 * Gives back the memory that a burst of work leaves behind.
 *
 * V8 grows its heap rather than collect, and once nothing happens it has no reason to look again: after a first list of
 * 5,000 objects the process kept three times what it held, for good. So it is made to collect when there is time for
 * the tenth of a second that this takes: when the caches have been filled, and when work has been over for a while.
 *
 * @module
 */
import { type Clock, sleep } from "./clock.ts";

/** Work that was so long ago is over. */
const QUIET_MS = 30_000;

export interface MemoryKeeperDeps {
  clock: Clock;
  /** When anything was last done, in milliseconds since the epoch; 0 for never. */
  lastWorkAt(): number;
  /** Frees what it can. */
  collect(): void;
}

/** See the module. */
export class MemoryKeeper {
  readonly #deps: MemoryKeeperDeps;
  #collectedAt = 0;

  constructor(deps: MemoryKeeperDeps) {
    this.#deps = deps;
  }

  /** Collects now. */
  collect(): void {
    this.#collectedAt = this.#deps.clock.now();
    this.#deps.collect();
  }

  /** Collects once after every burst of work, until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, lastWorkAt } = this.#deps;
    while (!signal.aborted) {
      await sleep(clock, QUIET_MS, signal);
      const last = lastWorkAt();
      if (!signal.aborted && last >= this.#collectedAt && clock.now() - last >= QUIET_MS) this.collect();
    }
  }
}

/** V8's most thorough collection, in a binary that was compiled with `--expose-gc`; nothing elsewhere. */
export function collectGarbage(): void {
  const { gc } = globalThis as { gc?: (options: Record<string, string>) => void };
  gc?.({ type: "major", execution: "sync", flavor: "last-resort" });
}
