/**
 * The kind PortfolioApp as the runtime takes it: what is watched, mapped and allowed, as data.
 *
 * @module
 */
import { ENVIRONMENT } from "../../api/environment.ts";
import { keyOf, type KubeObject } from "../../api/object.ts";
import { PORTFOLIO_APP, type PortfolioApp } from "../../api/portfolio_app.ts";
import { PREVIEW_ENVIRONMENT } from "../../api/preview_environment.ts";
import {
  AUTOSCALER,
  CLAIM,
  CONFIG_MAP,
  CRON_JOB,
  DEPLOYMENT,
  DISRUPTION_BUDGET,
  ENDPOINT_SLICE,
  INGRESS,
  JOB,
  NAMESPACE,
  POD,
  SECRET,
  SERVICE,
} from "../../api/resources.ts";
import { BY_HOST, claimedHosts, concernedByHosts, hostClaim, hostWatch } from "../../hosts.ts";
import { withoutContent } from "../../runtime/copies.ts";
import type { Change, ControllerDefinition, GatherDeps, Lister, Permission, Root } from "../../runtime/definition.ts";
import { LogReader } from "../../workload/logs.ts";
import { podShape } from "../../workload/pod_failure.ts";
import { endpointsShape, rolloutShape } from "../../workload/rollout.ts";
import { bareMetadata, withoutStatus } from "../../workload/shapes.ts";
import { autoscalerShape } from "./autoscaler_finding.ts";
import { decide } from "./decide.ts";
import { gather, type Seen } from "./gather.ts";
import { part } from "./parting.ts";
import { type Further, perform } from "./perform.ts";
import { podRulesOf } from "./pod.ts";
import type { AppSettings } from "./settings.ts";
import { BY_MIGRATION, migrationKey, namedSecrets } from "./sources.ts";

const KIND = PORTFOLIO_APP.resource;
const BY_SECRET = "secret";
/** Index over PortfolioApps by the namespace that they live in. */
const BY_HOME = "home";
const APPLY = ["list", "watch", "get", "create", "patch", "delete"] as const;

/** Kinds of children, in the order in which they are named. */
const OWNED = [CONFIG_MAP, SECRET, CLAIM, SERVICE, INGRESS, AUTOSCALER, DISRUPTION_BUDGET, CRON_JOB, JOB, DEPLOYMENT];

/** What the operator must be allowed for this kind. The last: to let a migration go on. */
function permissionsOf({ migrations }: AppSettings): readonly Permission[] {
  return [...PERMISSIONS, {
    groups: [migrations.group],
    resources: [migrations.plural],
    verbs: ["list", "watch", "get", "patch"],
  }];
}

const PERMISSIONS: readonly Permission[] = [
  { groups: [KIND.group], resources: [KIND.plural], verbs: ["list", "watch", "get", "patch"] },
  { groups: [KIND.group], resources: [`${KIND.plural}/status`], verbs: ["patch"] },
  // Where OwnerReferencesPermissionEnforcement is on, an ownerReference that blocks deletion takes this.
  { groups: [KIND.group], resources: [`${KIND.plural}/finalizers`], verbs: ["update"] },
  ...OWNED.map(({ group, plural }): Permission => ({ groups: [group], resources: [plural], verbs: APPLY })),
  { groups: [""], resources: ["pods", "namespaces"], verbs: ["list", "watch"] },
  { groups: [""], resources: ["pods/log"], verbs: ["get"] },
  { groups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
  ...[PREVIEW_ENVIRONMENT, ENVIRONMENT].map(({ resource: { group, plural } }): Permission => ({
    ...{ groups: [group], resources: [plural], verbs: ["list", "watch"] },
  })),
];

/** The definition for one configuration. */
export function portfolioAppController(settings: AppSettings): ControllerDefinition<Seen> {
  const logs = new LogReader();
  const { domain } = settings;
  return {
    kind: KIND,
    owns: OWNED.map((resource) => ({ resource, scope: "children", ...partsOf(resource) })),
    watches: [
      { resource: NAMESPACE, scope: "all", owners: ownersWithin, reads: asJudge },
      { resource: POD, scope: "children", shape: podShape },
      { resource: ENDPOINT_SLICE, scope: "children", shape: endpointsShape },
      { resource: KIND, scope: "all", owners: (change, owners) => beside(change, owners, domain) },
      ...[PREVIEW_ENVIRONMENT, ENVIRONMENT].map(({ resource }) => hostWatch(resource, domain)),
      { resource: settings.migrations, scope: "all", owners: usersOfMigration },
      { resource: SECRET, scope: "all", metadataOnly: true, shape: bareMetadata, owners: usersOfSecret(settings) },
    ],
    permissions: permissionsOf(settings),
    indexes: {
      [BY_HOME]: ({ metadata }) => [metadata.namespace ?? ""],
      [BY_HOST]: (owner) => claimedHosts(hostClaim(owner, domain)),
      [BY_MIGRATION]: (owner) => [migrationKey(owner as PortfolioApp)].filter((key) => key !== undefined),
      [BY_SECRET]: (owner) => namedSecrets(owner as PortfolioApp).map((name) => `${owner.metadata.namespace}/${name}`),
    },
    gather: (owner, deps) => gather(owner as PortfolioApp, { ...deps, settings, logs }),
    decide,
    part,
    perform: (_owner, further, deps) => perform(further as Further, { ...deps, settings }),
    roots,
  };
}

function partsOf(resource: (typeof OWNED)[number]): Pick<ControllerDefinition["owns"][number], "shape" | "reads"> {
  if (resource === SECRET || resource === CONFIG_MAP) return { shape: withoutContent };
  if (resource === DEPLOYMENT) return { reads: rolloutShape };
  if (resource === AUTOSCALER) return { reads: autoscalerShape };
  const isTelling = resource === JOB || resource === CLAIM;
  return isTelling ? {} : { reads: withoutStatus };
}

/** Those that wait for the host of one that changed or went, or for its rollout. */
function beside(change: Change, owners: Lister, domain: string): string[] {
  const migration = migrationKey(change.object as PortfolioApp);
  const peers = migration === undefined ? [] : owners.indexed(BY_MIGRATION, migration).map(keyOf);
  const keys = [...concernedByHosts(change, owners, domain), ...peers];
  return [...new Set(keys)].filter((key) => key !== keyOf(change.object));
}

function ownersWithin({ object }: Change, owners: Lister): string[] {
  return owners.indexed(BY_HOME, object.metadata.name).map(keyOf);
}

/** What a namespace asks of Pods, and whether anything can be made in it. */
function asJudge(namespace: KubeObject): KubeObject {
  const { apiVersion, kind, metadata: { name, deletionTimestamp } } = namespace;
  return { apiVersion, kind, metadata: { name, deletionTimestamp }, ...podRulesOf(namespace) };
}

function usersOfMigration({ object }: Change, owners: Lister): string[] {
  return owners.indexed(BY_MIGRATION, keyOf(object)).map(keyOf);
}

/** The wildcard certificate is everybody's. */
function usersOfSecret({ tls, operatorNamespace }: AppSettings): (change: Change, owners: Lister) => string[] {
  const wildcard = tls.mode === "wildcard" ? `${operatorNamespace}/${tls.secret}` : undefined;
  return ({ object }, owners) => {
    const key = keyOf(object);
    const users = key === wildcard ? [...owners.values()] : owners.indexed(BY_SECRET, key);
    return users.map(keyOf);
  };
}

/** Whatever is left that is the owner's own: a volume that is to stay is not any more by then. */
function roots(owner: KubeObject, { cache }: Pick<GatherDeps, "cache">): Root[] {
  const { namespace, uid = "" } = owner.metadata;
  return OWNED.flatMap((resource) =>
    cache(resource, "children").ownedBy(uid)
      .filter(({ metadata }) => metadata.namespace === namespace)
      .map(({ metadata }) => ({ resource, namespace, name: metadata.name }))
  );
}
