/**
 * Errors whose kind is the retry policy (promise 3): what a reconcile throws says when to look next.
 *
 * @module
 */

/** Nothing can be done until the object, or what it depends on, changes: Ready=False, Stalled=True. */
export class Stalled extends Error {
  override readonly name = "Stalled";

  /**
   * @param reason CamelCase, for machines.
   * @param message What is wrong and what a person can do about it.
   * @param lookAgainMs For what no watch shows: milliseconds until the next look.
   */
  constructor(readonly reason: string, message: string, readonly lookAgainMs?: number) {
    super(message);
  }
}

/** Something else must happen first: Ready=False, Reconciling=True; no failure. */
export class Waiting extends Error {
  override readonly name = "Waiting";

  /** @param lookAgainMs Milliseconds until the next look, if no watch event comes before. */
  constructor(readonly reason: string, message: string, readonly lookAgainMs: number) {
    super(message);
  }
}
