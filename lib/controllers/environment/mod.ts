/**
 * The kind Environment as the runtime takes it: what is watched, mapped and allowed, as data.
 *
 * @module
 */
import { ENVIRONMENT, type Environment } from "../../api/environment.ts";
import { keyOf, type KubeObject } from "../../api/object.ts";
import { PORTFOLIO_APP } from "../../api/portfolio_app.ts";
import { PREVIEW_ENVIRONMENT } from "../../api/preview_environment.ts";
import { PROJECT } from "../../api/project.ts";
import { NAMESPACE, POD, RESOURCE_QUOTA, SECRET } from "../../api/resources.ts";
import { DEPLOYED_NEEDS, DEPLOYED_PERMISSIONS } from "../../deploy/watched_kinds.ts";
import { BY_NAMESPACE, BY_PROJECT, environmentNamespace, projectKeys } from "../../environment_names.ts";
import { BY_HOST, claimedHosts, concernedByHosts, hostClaim, hostWatch } from "../../hosts.ts";
import type { Change, ControllerDefinition, Lister, Permission, WatchNeed } from "../../runtime/definition.ts";
import { annotatedOwner } from "../../runtime/ownership.ts";
import { podShape } from "../../workload/pod_failure.ts";
import { bareMetadata, withoutStatus } from "../../workload/shapes.ts";
import type { BuildSettings } from "./build.ts";
import { decide } from "./decide.ts";
import { type Further, performed } from "./deployment.ts";
import { gather, type Performed, type Seen } from "./gather.ts";
import type { EnvironmentSettings } from "./settings.ts";
import { DEPLOYER, DEPLOYER_ROLE, possibleNamespaces } from "./target_namespace.ts";
import type { EnvironmentTools } from "./tools.ts";

const KIND = ENVIRONMENT.resource;
const APPLY = ["list", "watch", "get", "create", "patch", "delete"] as const;
/** Index over Projects by the Secrets that they name; made by the kind Project. */
const BY_SECRET = "secret";

/** What the operator must be allowed for this kind. */
export const ENVIRONMENT_PERMISSIONS: readonly Permission[] = [
  { groups: [KIND.group], resources: [KIND.plural], verbs: ["list", "watch", "get", "patch", "delete"] },
  { groups: [KIND.group], resources: [`${KIND.plural}/status`], verbs: ["patch"] },
  ...[PROJECT, PREVIEW_ENVIRONMENT, PORTFOLIO_APP].map(({ resource: { group, plural } }) => (
    { groups: [group], resources: [plural], verbs: ["list", "watch"] } as const
  )),
  {
    groups: [""],
    resources: ["namespaces", "secrets", "resourcequotas", "limitranges", "serviceaccounts"],
    verbs: APPLY,
  },
  { groups: ["networking.k8s.io"], resources: ["ingresses", "networkpolicies"], verbs: APPLY },
  { groups: ["rbac.authorization.k8s.io"], resources: ["rolebindings"], verbs: APPLY },
  { groups: ["batch"], resources: ["jobs"], verbs: APPLY },
  { groups: [""], resources: ["pods"], verbs: ["list", "watch"] },
  { groups: [""], resources: ["pods/log"], verbs: ["get"] },
  ...DEPLOYED_PERMISSIONS,
  // What is deployed is deployed as this account, which may do in its namespace what that role allows.
  { groups: [""], resources: ["serviceaccounts"], verbs: ["impersonate"], resourceNames: [DEPLOYER] },
  {
    groups: ["rbac.authorization.k8s.io"],
    resources: ["clusterroles"],
    verbs: ["bind"],
    resourceNames: [DEPLOYER_ROLE],
  },
];

/** What the kind is made with. */
export interface EnvironmentOptions {
  settings: EnvironmentSettings;
  builds: BuildSettings;
  /** Absent where only the environment's own objects matter: in a plan, and for the permissions. */
  tools?: EnvironmentTools;
}

/** The definition for one configuration. */
export function environmentController(options: EnvironmentOptions): ControllerDefinition<Seen> {
  const { settings, tools } = options;
  return {
    kind: KIND,
    owns: [{ resource: NAMESPACE, scope: "all", owners: ownersOfNamespace }, ...DEPLOYED_NEEDS.map(read)],
    watches: [
      { resource: POD, scope: "children", shape: podShape },
      { resource: KIND, scope: "all", owners: ownersBeside(settings.domain), reads: claimsOf },
      { resource: PROJECT.resource, scope: "all", owners: ownersOfProject, reads: askedFor },
      ...[PREVIEW_ENVIRONMENT, PORTFOLIO_APP].map(({ resource }) => hostWatch(resource, settings.domain)),
      { resource: SECRET, scope: "all", metadataOnly: true, shape: bareMetadata, owners: usersOfSecret(options) },
    ],
    permissions: ENVIRONMENT_PERMISSIONS,
    indexes: {
      [BY_PROJECT]: (owner) => projectKeys(owner as Environment),
      [BY_NAMESPACE]: (owner) => [environmentNamespace(owner as Environment)],
      [BY_HOST]: (owner) => claimedHosts(hostClaim(owner, settings.domain)),
    },
    gather: (owner, deps, before) => gather(owner as Environment, { ...deps, ...options }, before as Performed),
    decide,
    perform: (_owner, further, deps) => performed(further as Further, tools!, deps),
    roots: (owner) => possibleNamespaces(owner as Environment).map((name) => ({ resource: NAMESPACE, name })),
    released: (owner) => {
      tools?.deploying.observer.forget(owner);
      tools?.checkouts.release(owner.metadata.uid ?? "");
      tools?.renderings.release(owner.metadata.uid ?? "");
    },
  };
}

/** The status of a quota changes with every Pod. */
function read(need: WatchNeed): WatchNeed {
  return need.resource === RESOURCE_QUOTA ? { ...need, reads: withoutStatus } : need;
}

/** Also those whose namespace somebody else holds: they go on when it is gone. */
function ownersOfNamespace({ object }: Change, owners: Lister): string[] {
  const annotated = annotatedOwner(object, KIND);
  const waiting = owners.indexed(BY_NAMESPACE, object.metadata.name).map(keyOf);
  return annotated ? [annotated, ...waiting] : waiting;
}

function ownersOfProject({ object }: Change, owners: Lister): string[] {
  return owners.indexed(BY_PROJECT, keyOf(object)).map(keyOf);
}

/** Those that want a host of one that changed or went, and those that wait for room in its Project. */
function ownersBeside(domain: string): (change: Change, owners: Lister) => string[] {
  return ({ object, old, type }, owners) => {
    const self = keyOf(object);
    const rivals = concernedByHosts({ object, old }, owners, domain);
    const isLeaving = type === "DELETED" || object.metadata.deletionTimestamp !== undefined;
    const siblings = isLeaving
      ? projectKeys(object as Environment).flatMap((key) => owners.indexed(BY_PROJECT, key))
      : [];
    const waiting = siblings.filter(({ status }) => status?.namespace === undefined);
    return [...new Set([...rivals, ...waiting.map(keyOf)])].filter((key) => key !== self);
  };
}

/** What others go by. */
function claimsOf({ apiVersion, kind, metadata, spec, status }: KubeObject): KubeObject {
  const { name, namespace, uid, labels, deletionTimestamp } = metadata;
  return {
    apiVersion,
    kind,
    metadata: { name, namespace, uid, labels, deletionTimestamp },
    spec: { projectRef: spec?.projectRef, namespace: spec?.namespace },
    status: { host: status?.host },
  };
}

/** Without what is said about it. */
function askedFor({ apiVersion, kind, metadata, spec }: KubeObject): KubeObject {
  const { name, namespace, uid, labels, deletionTimestamp } = metadata;
  return { apiVersion, kind, metadata: { name, namespace, uid, labels, deletionTimestamp }, spec };
}

/** By the Projects that name it; the wildcard certificate is everybody's. */
function usersOfSecret({ settings, tools }: EnvironmentOptions): (change: Change, owners: Lister) => string[] {
  const { tls, operatorNamespace } = settings;
  const wildcard = tls.mode === "wildcard" ? `${operatorNamespace}/${tls.secret}` : undefined;
  return ({ object }, owners) => {
    const key = keyOf(object);
    if (key === wildcard) return [...owners.values()].map(keyOf);
    const projects = tools?.projects.indexed(BY_SECRET, key) ?? [];
    return [...new Set(projects.flatMap((project) => owners.indexed(BY_PROJECT, keyOf(project))).map(keyOf))];
  };
}
