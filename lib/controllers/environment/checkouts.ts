/**
 * Who needs which checkout: one that nobody needs any more is removed at once, instead of when room is needed.
 *
 * @module
 */
import type { Renderer } from "../../render/renderer.ts";

/** See the module. */
export class Checkouts {
  readonly #renderer: Pick<Renderer, "forget">;
  readonly #cacheDir: string;
  /** Paths by the uid of who needs them. */
  readonly #pathOf = new Map<string, string>();

  constructor(renderer: Pick<Renderer, "forget">, cacheDir: string) {
    this.#renderer = renderer;
    this.#cacheDir = cacheDir;
  }

  /** An owner needs this checkout, and the one before no more. */
  use(uid: string, path: string): void {
    const before = this.#pathOf.get(uid);
    if (before === path) return;
    this.#pathOf.set(uid, path);
    if (before !== undefined) this.#forget(before);
  }

  /** An owner is gone. */
  release(uid: string): void {
    const before = this.#pathOf.get(uid);
    this.#pathOf.delete(uid);
    if (before !== undefined) this.#forget(before);
  }

  /** What cannot be removed now is evicted later, and what is needed again is fetched again. */
  #forget(path: string): void {
    for (const needed of this.#pathOf.values()) if (needed === path) return;
    void this.#renderer.forget({ cacheDir: this.#cacheDir, paths: [path] }).catch(() => {});
  }
}
