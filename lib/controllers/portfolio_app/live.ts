/**
 * What the API server itself is asked, where a watch that comes late would do harm.
 *
 * @module
 */
import type { KubeObject } from "../../api/object.ts";
import { hasStatus } from "../../kube/errors.ts";
import type { GatherDeps } from "../../runtime/definition.ts";
import type { AppSettings } from "./settings.ts";

/**
 * The migration as it is now: no version may roll by what its migration said before both were changed together.
 *
 * @param known As the watch has shown it. @returns Nothing when it is gone.
 */
export async function latestMigration(
  { metadata: { namespace, name } }: KubeObject,
  { kube, settings }: Pick<GatherDeps, "kube"> & { settings: AppSettings },
): Promise<KubeObject | undefined> {
  try {
    return await kube.get(settings.migrations, { namespace, name });
  } catch (error) {
    if (hasStatus(error, 404)) return undefined;
    throw error;
  }
}
