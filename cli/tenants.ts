/**
 * What admission knows of Projects and Environments: the controllers' caches.
 *
 * @module
 */
import type { Environment } from "../lib/api/environment.ts";
import type { KubeObject } from "../lib/api/object.ts";
import type { Project } from "../lib/api/project.ts";
import { BY_PROJECT, entitledProject, isNested } from "../lib/environment_names.ts";
import type { Lister } from "../lib/runtime/definition.ts";
import type { Tenants } from "../webhook/rules/mod.ts";

/** Caches; Environments indexed by {@link BY_PROJECT}. */
export type TenantCaches = Record<"projects" | "environments" | "namespaces", Lister>;

/** See the module. */
export function tenantsOf({ projects, environments, namespaces }: TenantCaches): Tenants {
  const project = (key: string): Project | undefined => projects.get(key) as Project | undefined;
  const known = { projects: { get: project }, namespaces };
  return {
    project,
    isNested: (object) => isNested(object, known),
    environmentsOf: (key) =>
      environments.indexed(BY_PROJECT, key)
        .filter((each) => !each.metadata.deletionTimestamp && entitledProject(each as Environment, known) === key)
        .sort(byAge),
  };
}

function byAge(a: KubeObject, b: KubeObject): number {
  const [first, second] = [a, b].map(({ metadata }) => `${metadata.creationTimestamp} ${metadata.uid}`);
  return first! < second! ? -1 : first! > second! ? 1 : 0;
}
