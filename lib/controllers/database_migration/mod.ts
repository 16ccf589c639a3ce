/**
 * The kind DatabaseMigration as the runtime takes it: what is watched, mapped and allowed, as data.
 *
 * @module
 */
import { DATABASE_MIGRATION, type DatabaseMigration } from "../../api/database_migration.ts";
import { keyOf, type KubeObject } from "../../api/object.ts";
import { CONFIG_MAP, JOB, LEASE, POD } from "../../api/resources.ts";
import { withoutContent } from "../../runtime/copies.ts";
import type { Change, ControllerDefinition, GatherDeps, Lister, Permission, Root } from "../../runtime/definition.ts";
import { annotatedOwner } from "../../runtime/ownership.ts";
import { LogReader } from "../../workload/logs.ts";
import { podShape } from "../../workload/pod_failure.ts";
import { mayRun } from "../../workload/pods.ts";
import { bareMetadata } from "../../workload/shapes.ts";
import { decide } from "./decide.ts";
import { gather, runsIn, type Seen } from "./gather.ts";
import { releaseOrphan } from "./orphan.ts";
import { leaseOf } from "./lock.ts";
import type { MigrationSettings } from "./settings.ts";
import { sourceKey, SourceReader } from "./sources.ts";

const KIND = DATABASE_MIGRATION.resource;
const CHILD = ["list", "watch", "get", "create", "patch", "delete"] as const;
const BY_DATABASE = "database";
const BY_SOURCE = "source";

/** What the operator must be allowed for this kind. */
export const MIGRATION_PERMISSIONS: readonly Permission[] = [
  { groups: [KIND.group], resources: [KIND.plural], verbs: ["list", "watch", "get", "patch"] },
  { groups: [KIND.group], resources: [`${KIND.plural}/status`], verbs: ["patch"] },
  // Where OwnerReferencesPermissionEnforcement is on, an ownerReference that blocks deletion takes this.
  { groups: [KIND.group], resources: [`${KIND.plural}/finalizers`], verbs: ["update"] },
  { groups: ["batch"], resources: ["jobs"], verbs: CHILD },
  { groups: [""], resources: ["configmaps"], verbs: CHILD },
  { groups: [""], resources: ["pods"], verbs: ["list", "watch", "get", "delete"] },
  { groups: [""], resources: ["pods/log"], verbs: ["get"] },
  { groups: ["coordination.k8s.io"], resources: ["leases"], verbs: CHILD, isOwnNamespace: true },
];

/** The definition for one configuration. */
export function databaseMigrationController(settings: MigrationSettings): ControllerDefinition<Seen> {
  const tools = { settings, sources: new SourceReader(), logs: new LogReader() };
  const { application } = settings;
  return {
    kind: KIND,
    owns: [
      { resource: JOB, scope: "children" },
      { resource: POD, scope: "children", shape: podShape },
      { resource: CONFIG_MAP, scope: "children", shape: withoutContent },
      { resource: LEASE, scope: "children", namespace: settings.operatorNamespace, owners: ownersOfLease },
    ],
    watches: [
      { resource: CONFIG_MAP, scope: "all", metadataOnly: true, shape: bareMetadata, owners: ownersOfSource },
      ...(application
        ? [{ resource: application, scope: "all" as const, reads: askedFor, owners: ownersOfApplication }]
        : []),
    ],
    permissions: [
      ...MIGRATION_PERMISSIONS,
      ...(application
        ? [{ groups: [application.group], resources: [application.plural], verbs: ["list", "watch"] as const }]
        : []),
    ],
    indexes: {
      [BY_DATABASE]: (owner) => [leaseOf(owner as DatabaseMigration)],
      [BY_SOURCE]: (owner) => [sourceKey(owner as DatabaseMigration) ?? ""],
    },
    gather: (owner, deps) => gather(owner as DatabaseMigration, { ...deps, ...tools }),
    decide,
    perform: (_owner, lease, deps) => releaseOrphan(lease as KubeObject, deps),
    roots: (owner, deps) => roots(owner as DatabaseMigration, deps, settings),
  };
}

/**
 * The Lease goes when nothing of the owner can talk to the database any more. What stands beside the owner goes with it:
 * Jobs, and Pods that a Job has left behind, are waited for.
 */
function roots(
  owner: DatabaseMigration,
  { cache }: Pick<GatherDeps, "cache">,
  { operatorNamespace }: MigrationSettings,
): Root[] {
  const uid = owner.metadata.uid!;
  const jobs = runsIn(cache(JOB, "children"), owner).map(({ metadata }) => ({ resource: JOB, ...named(metadata) }));
  const pods = runsIn(cache(POD, "children"), owner).filter(mayRun)
    .map(({ metadata }) => ({ resource: POD, ...named(metadata) }));
  const names = new Set([
    leaseOf(owner),
    ...cache(LEASE, "children").ownedBy(uid).map(({ metadata }) => metadata.name),
  ]);
  const leases = [...names].map((name) => ({ resource: LEASE, namespace: operatorNamespace, name }));
  const working = [...jobs, ...pods];
  if (owner.metadata.deletionTimestamp && working.length > 0) return working;
  return [...working, ...leases];
}

function named({ namespace, name }: KubeObject["metadata"]): { namespace?: string; name: string } {
  return { namespace, name };
}

/** Also those that wait for the database. */
function ownersOfLease({ object }: Change, owners: Lister): string[] {
  const annotated = annotatedOwner(object, KIND);
  const waiting = owners.indexed(BY_DATABASE, object.metadata.name).map(keyOf);
  return [...new Set(annotated ? [annotated, ...waiting] : waiting)];
}

function ownersOfSource({ object }: Change, owners: Lister): string[] {
  return owners.indexed(BY_SOURCE, keyOf(object)).map(keyOf);
}

/** As it was, too: it may name another one now. */
function ownersOfApplication({ object, old }: Change): string[] {
  const both = [object, ...(old ? [old] : [])];
  const names = both.map((app) => app.spec?.migrationRef?.name).filter((name) => name !== undefined);
  return [...new Set(names)].map((name) => `${object.metadata.namespace}/${name}`);
}

function askedFor({ apiVersion, kind, metadata, spec }: KubeObject): KubeObject {
  const { name, namespace, uid, deletionTimestamp } = metadata;
  return {
    apiVersion,
    kind,
    metadata: { name, namespace, uid, deletionTimestamp },
    spec: { migrationRef: spec?.migrationRef },
  };
}
