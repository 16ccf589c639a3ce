/**
 * A request that is not an admission review: answered with a 4xx, before any rule is asked.
 *
 * @module
 */

/** HTTP statuses of refused requests. */
export type RefusalStatus = 400 | 404 | 405 | 408 | 413 | 415;

/** Thrown by what reads a request, caught by the app. The message is the answer's body. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: RefusalStatus;

  constructor(status: RefusalStatus, message: string) {
    super(message);
    this.status = status;
  }
}
