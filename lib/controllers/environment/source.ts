/**
 * The commit of an environment: which one is asked for, and where it lies once it is fetched.
 *
 * @module
 */
import type { Environment } from "../../api/environment.ts";
import type { KubeObject } from "../../api/object.ts";
import type { Project } from "../../api/project.ts";
import { SECRET } from "../../api/resources.ts";
import type { Fetched, FetchRequest } from "../../render/renderer.ts";
import { repositoryMachine } from "../../render/repository_host.ts";
import { sourceOf } from "../../runtime/copies.ts";
import type { GatherDeps } from "../../runtime/definition.ts";
import { gitCredentials } from "./git_credentials.ts";
import type { Steady } from "./steady_lookups.ts";
import type { EnvironmentTools } from "./tools.ts";

/** The tip of a branch or pull request is looked up so often. */
export const TIP_MS = 60_000;
const WHOLE = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** What is asked for. The most exact part decides; the others say where a server that gives no bare commit has it. */
export function refOf({ spec, status }: Environment, project: Project): FetchRequest["ref"] {
  const { commitSha, prNumber } = spec.source;
  const branch = spec.source.branch ?? project.spec.source.branch;
  return {
    ...(commitSha ? { commit: wholeCommit(commitSha, status?.commit) } : {}),
    ...(branch ? { branch } : {}),
    ...(prNumber ? { pullRequest: prNumber } : {}),
  };
}

/** A short one means what it was found to mean: the tip that told may have moved on. */
function wholeCommit(commitSha: string, found: string | undefined): string {
  return found?.startsWith(commitSha) ? found : commitSha;
}

/** For people: `commit "…"`. */
export function refText({ commit, pullRequest, branch }: FetchRequest["ref"]): string {
  if (commit) return `commit "${commit}"`;
  if (pullRequest) return `pull request ${pullRequest}`;
  return branch ? `branch "${branch}"` : "the default branch";
}

/** What fetching needs. */
export interface SourceDeps extends Pick<GatherDeps, "kube" | "wake"> {
  tools: EnvironmentTools;
}

/** @param login Metadata of the Secret with the credentials, where the Project names one. */
export function askSource(
  owner: Environment,
  given: { project: Project; login?: KubeObject },
  deps: SourceDeps,
): Steady<Fetched> {
  const { project, login } = given;
  const ref = refOf(owner, project);
  const { repositoryUrl } = project.spec.source;
  const key = JSON.stringify([repositoryUrl, ref, login ? sourceOf(login) : ""]);
  return deps.tools.sources.ask(key, {
    look: (signal) => fetchSource({ repositoryUrl, ref }, { login, signal, ...deps }),
    wake: () => deps.wake(owner),
    group: repositoryMachine(repositoryUrl),
    freshMs: ref.commit && WHOLE.test(ref.commit) ? Infinity : TIP_MS,
  });
}

/** Fetches now. @throws {RenderError} @throws {KubeError} Where the Secret cannot be read. */
export async function fetchSource(
  { repositoryUrl, ref }: Pick<FetchRequest, "repositoryUrl" | "ref">,
  { login, signal, kube, tools }: Pick<SourceDeps, "kube" | "tools"> & { login?: KubeObject; signal?: AbortSignal },
): Promise<Fetched> {
  const secret = login && await kube.get(SECRET, { namespace: login.metadata.namespace, name: login.metadata.name });
  const credentials = secret && gitCredentials(secret, repositoryUrl);
  const request = { repositoryUrl, ref, ...tools.fetching, ...(credentials ? { credentials } : {}) };
  return await tools.renderer.fetch(request, { signal });
}
