/**
 * Builds that have ended, by the image that they built: an answer of a registry from before one of them is not worth
 * anything, also when its Job is gone.
 *
 * @module
 */

const REMEMBERED = 2_000;

/** See the module. */
export class EndedBuilds {
  readonly #uids = new Map<string, Set<string>>();

  /** Takes in Jobs that have ended. @returns All that ever did for this image, as far as is known here. */
  add(image: string, uids: readonly string[]): string[] {
    const known = this.#uids.get(image) ?? new Set();
    this.#uids.delete(image);
    this.#uids.set(image, known.union(new Set(uids)));
    if (this.#uids.size > REMEMBERED) this.#uids.delete(this.#uids.keys().next().value!);
    return [...this.#uids.get(image)!];
  }
}
