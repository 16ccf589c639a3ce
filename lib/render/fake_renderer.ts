/**
 * A renderer for tests, without a program.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";
import type { Fetched, FetchRequest, ForgetRequest, Forgotten } from "./renderer.ts";
import type { Renderer, Rendering, RenderRequest } from "./renderer.ts";

/** Answers with what a test puts into it, and keeps what it was asked. */
export class FakeRenderer implements Renderer {
  /** Every request, in the order in which they came. */
  readonly fetches: FetchRequest[] = [];
  readonly renders: RenderRequest[] = [];
  readonly forgets: ForgetRequest[] = [];
  /** Called for every fetch; throws what a test wants to fail. */
  onFetch: (request: FetchRequest) => Fetched | Promise<Fetched> = fetchedOf;
  /** Called for every rendering. */
  onRender: (request: RenderRequest) => Rendering | Promise<Rendering> = () => renderingOf([]);

  async fetch(request: FetchRequest): Promise<Fetched> {
    this.fetches.push(request);
    return await this.onFetch(request);
  }

  async render(request: RenderRequest): Promise<Rendering> {
    this.renders.push(request);
    return await this.onRender(request);
  }

  async forget(request: ForgetRequest): Promise<Forgotten> {
    this.forgets.push(request);
    return await Promise.resolve({ removed: [...request.paths], inUse: [] });
  }
}

/** A checkout of the commit that was asked for, or of one that is made of the ref. */
export function fetchedOf({ ref, cacheDir }: FetchRequest): Fetched {
  const commit = ref.commit ?? `${ref.pullRequest ?? ref.branch ?? "main"}`.replace(/[^0-9a-f]/g, "0").padEnd(40, "0");
  return { commit, path: `${cacheDir}/${commit}`, cached: false, files: 1, bytes: 1, warnings: [] };
}

/** A rendering of objects, without hooks or warnings. */
export function renderingOf(objects: readonly KubeObject[], more: Partial<Rendering> = {}): Rendering {
  const rendered = objects.map((object) => ({ source: `${object.kind}.yaml`, object }));
  return { objects: rendered, hooks: [], refused: [], warnings: [], injected: [], ...more };
}
