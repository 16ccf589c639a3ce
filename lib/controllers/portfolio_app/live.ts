/**
 * What the API server itself is asked, where a watch that comes late would do harm.
 *
 * @module
 */
import type { DatabaseMigration } from "../../api/database_migration.ts";
import type { KubeObject } from "../../api/object.ts";
import { CONFIG_MAP } from "../../api/resources.ts";
import { unlessMissing } from "../../kube/errors.ts";
import { changesIn, revisionOf } from "../../migration/source.ts";
import type { GatherDeps } from "../../runtime/definition.ts";
import type { AppSettings } from "./settings.ts";

/**
 * The migration as it is now: no version may roll by what its migration said before both were changed together. Where its
 * changes stand in a ConfigMap of which its status does not know yet, it says nothing.
 *
 * @param known As the watch has shown it. @returns Nothing when it is gone.
 */
export async function latestMigration(
  { metadata: { namespace, name } }: KubeObject,
  { kube, settings }: Pick<GatherDeps, "kube"> & { settings: AppSettings },
): Promise<KubeObject | undefined> {
  const migration = await unlessMissing(kube.get(settings.migrations, { namespace, name }));
  if (!migration || await isAbreast(migration as DatabaseMigration, kube)) return migration;
  return { ...migration, status: { ...migration.status, conditions: [] } };
}

/** No generation tells of another content of the ConfigMap. */
async function isAbreast(migration: DatabaseMigration, kube: GatherDeps["kube"]): Promise<boolean> {
  const { spec: { source }, metadata: { namespace }, status } = migration;
  if (!source) return true;
  const configMap = await unlessMissing(kube.get(CONFIG_MAP, { namespace, name: source.configMapRef.name }));
  const read = configMap && changesIn(configMap);
  return read !== undefined && "changes" in read && revisionOf(migration, read.changes) === status?.revision;
}
