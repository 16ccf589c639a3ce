/**
 * Everything that is read for one DatabaseMigration, in one place.
 *
 * @module
 */
import { DATABASE_MIGRATION, type DatabaseMigration } from "../../api/database_migration.ts";
import { LABEL_OWNER_UID } from "../../api/names.ts";
import type { KubeObject } from "../../api/object.ts";
import { CONFIG_MAP, JOB, LEASE, POD } from "../../api/resources.ts";
import { RUN_LABEL } from "../../migration/job.ts";
import type { Changes } from "../../migration/source.ts";
import { BY_UID, type GatherDeps, type Lister } from "../../runtime/definition.ts";
import { isOwnedBy } from "../../runtime/ownership.ts";
import type { LogReader } from "../../workload/logs.ts";
import { lastFailure, type PodFailure } from "../../workload/pod_failure.ts";
import { leaseOf } from "./lock.ts";
import type { MigrationSettings } from "./settings.ts";
import type { SourceReader } from "./sources.ts";

/** What a decision about one DatabaseMigration rests on. */
export interface Seen {
  owner: DatabaseMigration;
  settings: MigrationSettings;
  source: Changes;
  /** Applications whose rollout comes between its stages. */
  applications: string[];
  /** The Lease of its database, whoever holds it. */
  lease?: KubeObject;
  /** Whether the holder is an object that exists. */
  isHolderKnown: boolean;
  /** Leases that it holds itself, of whatever database. */
  ownLeases: KubeObject[];
  jobs: KubeObject[];
  configMaps: KubeObject[];
  pods: KubeObject[];
  /** The Pod that failed last. */
  failure?: PodFailure;
  /** The end of its log. */
  log: string;
}

/** What {@link gather} reads with. */
export interface GatherTools {
  settings: MigrationSettings;
  sources: SourceReader;
  logs: LogReader;
}

/** Reads caches, a ConfigMap with changes once, and the log of the Pod that failed last. */
export async function gather(
  owner: DatabaseMigration,
  { settings, sources, logs, cache, kube }: Pick<GatherDeps, "cache" | "kube"> & GatherTools,
): Promise<Seen> {
  const uid = owner.metadata.uid!;
  const leases = cache(LEASE, "children");
  const lease = leases.get(`${settings.operatorNamespace}/${leaseOf(owner)}`);
  const holder = lease?.metadata.labels?.[LABEL_OWNER_UID] ?? "";
  const pods = runsIn(cache(POD, "children"), owner);
  const failure = lastFailure(pods);
  return {
    owner,
    settings,
    source: await sources.read(owner, { cache, kube }),
    applications: applicationsOf(owner, settings, cache),
    ...(lease ? { lease } : {}),
    isHolderKnown: cache(DATABASE_MIGRATION.resource, "all").indexed(BY_UID, holder).length > 0,
    ownLeases: leases.ownedBy(uid),
    jobs: runsIn(cache(JOB, "children"), owner),
    configMaps: runsIn(cache(CONFIG_MAP, "children"), owner),
    pods,
    ...(failure ? { failure } : {}),
    log: failure ? await logs.tail(failure, kube) : "",
  };
}

/** Of a kind, what belongs to runs of this owner. Beyond its namespace the label proves nothing: anybody may write it. */
export function runsIn(cache: Lister, { metadata }: DatabaseMigration): KubeObject[] {
  return cache.ownedBy(metadata.uid!).filter((object) =>
    object.metadata.namespace === metadata.namespace && object.metadata.labels?.[RUN_LABEL] !== undefined
  );
}

/** Those of its namespace that name it; one that is being deleted still serves, and its backup is to come. */
function applicationsOf(
  { metadata }: DatabaseMigration,
  { application }: MigrationSettings,
  cache: GatherDeps["cache"],
): string[] {
  if (!application) return [];
  const all = [...cache(application, "all").values()];
  return all.filter((app) =>
    app.metadata.namespace === metadata.namespace && app.spec?.migrationRef?.name === metadata.name
  ).map((app) => app.metadata.name).sort();
}

/** Whether a child is this owner's; for the Lease of a database, which others hold, too. */
export function isHeldBy(lease: KubeObject | undefined, owner: DatabaseMigration): boolean {
  return lease !== undefined && isOwnedBy(lease, owner);
}
