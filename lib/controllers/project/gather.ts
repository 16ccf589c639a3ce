/**
 * Everything that is read for one Project, in one place: caches only.
 *
 * @module
 */
import { ENVIRONMENT, type Environment } from "../../api/environment.ts";
import { keyOf } from "../../api/object.ts";
import { PROJECT, type Project } from "../../api/project.ts";
import { NAMESPACE, SECRET } from "../../api/resources.ts";
import { BY_PROJECT, entitledProject } from "../../environment_names.ts";
import type { GatherDeps } from "../../runtime/definition.ts";
import type { SeenProject } from "./decide.ts";

/** Reads caches. */
export function gather(owner: Project, deps: Pick<GatherDeps, "cache">): SeenProject {
  const { namespace } = owner.metadata;
  const there = deps.cache(SECRET, "all");
  const secrets = secretNames(owner).filter((name) => {
    const secret = there.get(`${namespace}/${name}`);
    return secret && !secret.metadata.deletionTimestamp;
  });
  return { owner, environments: environmentsOf(owner, deps), secrets: new Set(secrets) };
}

/** Environments that mean this Project and may use it, those on their way out among them. */
export function environmentsOf(owner: Project, { cache }: Pick<GatherDeps, "cache">): Environment[] {
  const known = { projects: cache(PROJECT.resource, "all"), namespaces: cache(NAMESPACE, "all") };
  const all = cache(ENVIRONMENT.resource, "all").indexed(BY_PROJECT, keyOf(owner)) as Environment[];
  return all.filter((each) => entitledProject(each, known) === keyOf(owner));
}

/** Names of all Secrets that the Project names. */
export function secretNames({ spec }: Project): string[] {
  const named = [spec.source.secretRef?.name, spec.build?.pushSecretRef?.name, ...(spec.secrets ?? [])];
  return [...new Set(named.filter((name) => name !== undefined))];
}
