/**
 * A fence around those who may write only for a while, as a leader does.
 *
 * What is not on the wire when it falls does not get there, but for what this process' network stack has been handed at
 * that very moment: no client can take that back, so writes must carry what they were decided on (uid, version).
 *
 * @module
 */

/** Says whether requests that change something may leave. */
export interface WriteGuard {
  /** Called as the last thing before a request is handed to the network. @throws What the caller is told; nothing is sent. */
  check(): void;
  /** Ends writes that are not answered yet, with its reason. */
  readonly signal: AbortSignal;
}
