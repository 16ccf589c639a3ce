/**
 * One rendering of an environment's source, from the checkout to what can be deployed.
 *
 * @module
 */
import type { KubeObject } from "../../api/object.ts";
import { RENDER_LIMITS } from "../../render/bounds.ts";
import { CHECKOUT_GONE, RenderError } from "../../render/render_error.ts";
import type { Fetched, Rendering } from "../../render/renderer.ts";
import type { GatherDeps } from "../../runtime/definition.ts";
import { prepared, type RenderingInput, renderRequest } from "./rendering.ts";
import { scopesOf } from "./scopes.ts";
import { fetchSource } from "./source.ts";
import type { EnvironmentTools } from "./tools.ts";

/** What rendering needs. */
export interface RenderDeps extends Pick<GatherDeps, "kube"> {
  tools: EnvironmentTools;
  fetched: Fetched;
  /** Metadata of the Secret with the repository's credentials. */
  login?: KubeObject;
  signal: AbortSignal;
}

/** @returns `Prepared` as JSON. @throws {RenderError} @throws {KubeError} Where credentials cannot be read again. */
export async function renderNow(input: RenderingInput, deps: RenderDeps): Promise<string> {
  const rendering = await rendered(input, deps);
  return JSON.stringify(prepared(rendering, input, await scopesOf(rendering, deps.tools.deploying.discovery)));
}

async function rendered(input: RenderingInput, deps: RenderDeps): Promise<Rendering> {
  const { tools: { renderer }, fetched, signal } = deps;
  const { uid: owner } = input.owner.metadata;
  const render = (root: string): Promise<Rendering> =>
    renderer.render({ ...renderRequest(input, root), limits: RENDER_LIMITS }, { signal, owner });
  try {
    return await render(fetched.path);
  } catch (error) {
    if (!(error instanceof RenderError) || error.reason !== CHECKOUT_GONE) throw error;
    const { repositoryUrl } = input.project.spec.source;
    const { branch } = fetched;
    const ref = { commit: input.commit, ...(branch ? { branch } : {}) };
    const again = await fetchSource({ repositoryUrl, ref }, deps);
    return await render(again.path);
  }
}
