/**
 * The end of a question: whoever asked needs it no more, or its time is over.
 *
 * @module
 */
import type { Clock } from "../runtime/clock.ts";

/** A signal that follows another one and falls by itself after a time; nothing of it is left when its block is over. */
export class Deadline implements Disposable {
  readonly #controller = new AbortController();
  readonly #undo: (() => void)[] = [];

  /** @param limit without it only the other signal ends it */
  constructor(signal: AbortSignal, limit?: { clock: Clock; ms: number }) {
    const follow = (): void => this.#controller.abort(signal.reason);
    if (signal.aborted) follow();
    signal.addEventListener("abort", follow);
    this.#undo.push(() => signal.removeEventListener("abort", follow));
    if (limit === undefined) return;
    const end = (): void => this.#controller.abort(new DOMException("It did not answer in time", "TimeoutError"));
    this.#undo.push(limit.clock.at(limit.clock.now() + limit.ms, end));
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    for (const undo of this.#undo) undo();
  }
}
