/**
 * How fetching and rendering fail.
 *
 * @module
 */

import type { Hearing } from "../runtime/gate.ts";

/** The renderer program is not where the configuration says. */
export const RENDERER_MISSING = "RendererMissing";
/** The renderer program ended without an answer. */
export const RENDERER_CRASHED = "RendererCrashed";
/** The renderer program answered with something else than was agreed. */
export const RENDERER_GARBAGE = "RendererGarbage";
/** Took longer than the limit. */
export const TIME_EXCEEDED = "TimeExceeded";
/** Took more memory than the limit. */
export const MEMORY_EXCEEDED = "MemoryExceeded";
/** Gave more than the limit. */
export const OUTPUT_TOO_LARGE = "OutputTooLarge";
/** The checkout was evicted after it was fetched: fetch it again. */
export const CHECKOUT_GONE = "CheckoutGone";
/** Whoever asked needs the answer no more. */
export const ABORTED = "Aborted";

/** Reasons that may pass by themselves; all others stay until the source or the request changes. */
const TEMPORARY: ReadonlySet<string> = new Set([
  RENDERER_MISSING,
  RENDERER_CRASHED,
  RENDERER_GARBAGE,
  TIME_EXCEEDED,
  MEMORY_EXCEEDED,
  CHECKOUT_GONE,
  ABORTED,
  // Of render/internal/fetch/reasons.go.
  "HostUnreachable",
  "ServerFailed",
  "TooSlow",
  "CacheFull",
  "CacheFailed",
]);

/** Reasons of a fetch for which the host gave no answer, or none that came to its end. */
const SILENT: ReadonlySet<string> = new Set([TIME_EXCEEDED, "HostUnreachable", "TooSlow"]);
/** Reasons that say nothing of the host. */
const OWN: ReadonlySet<string> = new Set([ABORTED, RENDERER_MISSING, RENDERER_CRASHED, RENDERER_GARBAGE]);

/** What the failure of a fetch says of the host that it was from. */
export function hearingOf(error: unknown): Hearing | undefined {
  if (!(error instanceof RenderError) || OWN.has(error.reason)) return undefined;
  return SILENT.has(error.reason) ? "silent" : "answered";
}

/** A commit could not be fetched or rendered. */
export class RenderError extends Error {
  override readonly name = "RenderError";

  /**
   * @param reason CamelCase, for conditions: one of this module's, of render/internal/failure or of
   * render/internal/fetch/reasons.go.
   * @param message One line that a person can act on. It holds no credential.
   * @param place Path in the checkout, and the line from 1, where they are known.
   */
  constructor(readonly reason: string, message: string, readonly place: { file?: string; line?: number } = {}) {
    super(message);
  }

  /** Another try may go well although nothing was changed. */
  get isTemporary(): boolean {
    return TEMPORARY.has(this.reason);
  }
}
