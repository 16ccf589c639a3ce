/**
 * What admission knows of Projects and Environments: the controllers' caches.
 *
 * @module
 */
import type { Environment } from "../lib/api/environment.ts";
import type { KubeObject } from "../lib/api/object.ts";
import type { Project } from "../lib/api/project.ts";
import { BY_PROJECT, usedProject } from "../lib/environment_names.ts";
import type { Lister } from "../lib/runtime/definition.ts";
import type { Tenants } from "../webhook/rules/mod.ts";

/** @param environments Indexed by {@link BY_PROJECT}. */
export function tenantsOf(projects: Lister, environments: Lister): Tenants {
  const project = (key: string): Project | undefined => projects.get(key) as Project | undefined;
  const exists = (key: string): boolean => project(key) !== undefined;
  return {
    project,
    environmentsOf: (key) =>
      environments.indexed(BY_PROJECT, key)
        .filter((each) => !each.metadata.deletionTimestamp && usedProject(each as Environment, exists) === key)
        .sort(byAge),
  };
}

function byAge(a: KubeObject, b: KubeObject): number {
  const [first, second] = [a, b].map(({ metadata }) => `${metadata.creationTimestamp} ${metadata.uid}`);
  return first! < second! ? -1 : first! > second! ? 1 : 0;
}
