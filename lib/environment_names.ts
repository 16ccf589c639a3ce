/**
 * Names that follow from Projects and Environments (SPEC sections 2 and 5). Pure; shared by the controllers and by
 * admission, which must agree.
 *
 * Team, project and environment stand in the labels `catalyst.dev/*`. Where a label is absent, the name follows from
 * the object alone, never from what else exists, so that an answer does not depend on what a cache has seen yet:
 *
 * - the environment is the name of the Environment;
 * - the project is the name of the Project;
 * - the team is the namespace of the Project. A namespace that is `<team>-<project>` is taken as the project's own, as
 *   the hierarchy of namespaces has it: then the team is what stands before.
 *
 * The same functions fill the labels in at admission. Labels name things, they open nothing: {@link mayUse}.
 *
 * @module
 */
import { LABEL_BRANCH, LABEL_ENVIRONMENT, LABEL_OWNER_UID, LABEL_PROJECT, LABEL_TEAM } from "./api/names.ts";
import { generate, labelValue, sanitize } from "./naming.ts";

/** Index over Environments by {@link projectKeys}. */
export const BY_PROJECT = "project";
/** Index over Environments by {@link environmentNamespace}. */
export const BY_NAMESPACE = "environment-namespace";

/** What names of a Project are made of. */
export interface ProjectLike {
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
}

/** What names of an Environment are made of. */
export interface EnvironmentLike extends ProjectLike {
  spec: {
    projectRef: { name: string; namespace?: string | null };
    namespace?: string | null;
    source?: { branch?: string };
  };
}

/** Team and project, as label values. */
export interface ProjectNames {
  team: string;
  project: string;
}

/** A Project, and whom it opens itself to. */
export type OpenProject = ProjectLike & { spec?: { allowedNamespaces?: readonly string[] } };

/** Projects by `namespace/name`, and Namespaces by name, as far as they are known. */
export interface Known {
  projects: { get(key: string): OpenProject | undefined };
  namespaces: { get(name: string): Pick<ProjectLike, "metadata"> | undefined };
}

/** Team, project and environment, as label values. */
export interface EnvironmentNames extends ProjectNames {
  environment: string;
}

/** The names of a Project. */
export function projectNames({ metadata }: ProjectLike): ProjectNames {
  const { name, namespace = "default", labels = {} } = metadata;
  return {
    team: labels[LABEL_TEAM] || asLabel(teamOf(namespace, name)),
    project: labels[LABEL_PROJECT] || asLabel(name),
  };
}

/** The names of an Environment. */
export function environmentNames({ metadata, spec }: EnvironmentLike): EnvironmentNames {
  const { name, namespace = "default", labels = {} } = metadata;
  const { name: project, namespace: home } = spec.projectRef;
  return {
    team: labels[LABEL_TEAM] || asLabel(teamOf(home || namespace, project)),
    project: labels[LABEL_PROJECT] || asLabel(project),
    environment: labels[LABEL_ENVIRONMENT] || asLabel(name),
  };
}

/**
 * The team in whose Project's namespace something lives.
 *
 * @example
 * ```ts
 * teamOf("acme", "shop"); // "acme"
 * teamOf("acme-shop", "shop"); // "acme"
 * ```
 */
export function teamOf(namespace: string, project: string): string {
  const end = `-${sanitize(project)}`;
  return namespace.endsWith(end) && namespace.length > end.length ? namespace.slice(0, -end.length) : namespace;
}

/** A name as it stands where it is a label value; a longer one keeps its difference to others that start alike. */
function asLabel(name: string): string {
  return labelValue(name) === name ? name : generate(name);
}

/** The namespace of an environment: the explicit one, else a generated one. */
export function environmentNamespace(environment: EnvironmentLike): string {
  return environment.spec.namespace || namespaceFor(environmentNames(environment));
}

/** The generated namespace: one DNS label of at most 63 characters. */
export function namespaceFor({ team, project, environment }: EnvironmentNames): string {
  return generate(team, project, environment);
}

/**
 * Where the Project of an Environment is looked for: `namespace/name`, the first that exists is meant. A namespace that
 * is written is the only place; else it is the Environment's own, then the team's.
 */
export function projectKeys({ metadata, spec }: EnvironmentLike): string[] {
  const { name, namespace: home } = spec.projectRef;
  if (home) return [`${home}/${name}`];
  const { namespace = "default" } = metadata;
  return [...new Set([namespace, teamOf(namespace, name)])].map((place) => `${place}/${name}`);
}

/**
 * The key of the Project that an Environment means: the first of {@link projectKeys} that exists.
 *
 * @param exists whether there is a Project of a key
 */
export function usedProject(environment: EnvironmentLike, exists: (key: string) => boolean): string | undefined {
  return projectKeys(environment).find(exists);
}

/**
 * Whether an Environment may use a Project. Decided by where both live and by what the Project says; labels of the
 * Environment, which its author writes, have no say.
 */
export function mayUse(environment: Pick<EnvironmentLike, "metadata">, project: OpenProject): boolean {
  const { namespace = "default" } = environment.metadata;
  if (namespace === (project.metadata.namespace ?? "default")) return true;
  const { team, project: name } = projectNames(project);
  if (namespace === generate(team, name)) return true;
  return project.spec?.allowedNamespaces?.includes(namespace) ?? false;
}

/**
 * Whether an Environment lives in a namespace that was itself made for an environment. Whoever had that one made chose
 * its name, and may have chosen one that a Project of somebody else opens itself to.
 */
export function isNested(
  { metadata }: Pick<EnvironmentLike, "metadata">,
  { namespaces }: Pick<Known, "namespaces">,
): boolean {
  const home = namespaces.get(metadata.namespace ?? "default");
  return home?.metadata.labels?.[LABEL_OWNER_UID] !== undefined;
}

/**
 * The key of the Project that an Environment means and may use. One that may not use it takes nothing from those who
 * may: no place under its cap, no host, and its deletion does not wait for it.
 */
export function entitledProject(environment: EnvironmentLike, known: Known): string | undefined {
  const key = usedProject(environment, (each) => known.projects.get(each) !== undefined);
  if (key === undefined || isNested(environment, known)) return undefined;
  return mayUse(environment, known.projects.get(key)!) ? key : undefined;
}

/**
 * Hosts that an environment may have, without the domain, the preferred one first: `<environment>`, and where somebody
 * else has that, one with its project and team. Each is one label, so that a wildcard certificate covers it.
 */
export function hostLabels({ team, project, environment }: EnvironmentNames): [string, string] {
  return [generate(environment), generate(environment, project, team)];
}

/** {@link hostLabels} below the domain. */
export function environmentHosts(environment: EnvironmentLike, domain: string): string[] {
  return hostLabels(environmentNames(environment)).map((label) => `${label}.${domain}`);
}

/** The labels `catalyst.dev/*` of an environment's namespace. */
export function namespaceLabels(environment: EnvironmentLike): Record<string, string> {
  const { team, project, environment: name } = environmentNames(environment);
  const branch = labelValue(environment.spec.source?.branch ?? "");
  return {
    [LABEL_TEAM]: team,
    [LABEL_PROJECT]: project,
    [LABEL_ENVIRONMENT]: name,
    ...(branch ? { [LABEL_BRANCH]: branch } : {}),
  };
}
