/**
 * The kind Project as the runtime takes it: what is watched, mapped and allowed, as data.
 *
 * @module
 */
import { ENVIRONMENT, type Environment } from "../../api/environment.ts";
import { keyOf, type KubeObject } from "../../api/object.ts";
import { PROJECT, type Project } from "../../api/project.ts";
import { NAMESPACE, SECRET } from "../../api/resources.ts";
import { projectKeys } from "../../environment_names.ts";
import type { Change, ControllerDefinition, Lister, Permission } from "../../runtime/definition.ts";
import { bareMetadata } from "../../workload/shapes.ts";
import { decide, type SeenProject, waitingFor } from "./decide.ts";
import { environmentsOf, gather, secretNames } from "./gather.ts";

const KIND = PROJECT.resource;
/** Index over Projects by the Secrets that they name. */
const BY_SECRET = "secret";

/** What the operator must be allowed for this kind. */
export const PROJECT_PERMISSIONS: readonly Permission[] = [
  { groups: [KIND.group], resources: [KIND.plural], verbs: ["list", "watch", "get", "patch"] },
  { groups: [KIND.group], resources: [`${KIND.plural}/status`], verbs: ["patch"] },
  { groups: [ENVIRONMENT.resource.group], resources: [ENVIRONMENT.resource.plural], verbs: ["list", "watch"] },
  { groups: [""], resources: ["secrets", "namespaces"], verbs: ["list", "watch"] },
];

/** The definition. */
export function projectController(): ControllerDefinition<SeenProject> {
  return {
    kind: KIND,
    owns: [],
    watches: [
      { resource: ENVIRONMENT.resource, scope: "all", owners: projectsOf, reads: counted },
      // Read, never waited for: a namespace is an environment's from its creation on.
      { resource: NAMESPACE, scope: "all", owners: () => [] },
      { resource: SECRET, scope: "all", metadataOnly: true, shape: bareMetadata, owners: usersOfSecret },
    ],
    permissions: PROJECT_PERMISSIONS,
    indexes: {
      [BY_SECRET]: (owner) => secretNames(owner as Project).map((name) => `${owner.metadata.namespace}/${name}`),
    },
    gather: (owner, deps) => gather(owner as Project, deps),
    decide,
    heldBack: (owner, deps) => waitingFor({ environments: environmentsOf(owner as Project, deps) }),
    roots: () => [],
  };
}

/** Those that it may mean: which one it does changes with what there is. */
function projectsOf({ object }: Change): string[] {
  return projectKeys(object as Environment);
}

/** What a Project says of its Environments. */
function counted({ apiVersion, kind, metadata, spec, status }: KubeObject): KubeObject {
  const { name, namespace, deletionTimestamp } = metadata;
  const ready = status?.conditions?.find(({ type }: { type: string }) => type === "Ready")?.status;
  return {
    apiVersion,
    kind,
    metadata: { name, namespace, deletionTimestamp },
    spec: { projectRef: spec?.projectRef },
    status: { ready, deployedCommit: status?.deployedCommit },
  };
}

function usersOfSecret({ object }: Change, owners: Lister): string[] {
  return owners.indexed(BY_SECRET, keyOf(object)).map(keyOf);
}
