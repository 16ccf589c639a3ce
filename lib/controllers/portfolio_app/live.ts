/**
 * What the API server itself is asked, where a watch that comes late would do harm, or where there is none.
 *
 * @module
 */
import type { KubeObject } from "../../api/object.ts";
import type { PortfolioApp } from "../../api/portfolio_app.ts";
import { NAMESPACE } from "../../api/resources.ts";
import { hasStatus } from "../../kube/errors.ts";
import type { GatherDeps } from "../../runtime/definition.ts";
import type { AppSettings } from "./settings.ts";

type Kube = Pick<GatherDeps, "kube">;

/**
 * The migration as it is now: no version may roll by what its migration said before both were changed together.
 *
 * @param known As the watch has shown it. @returns Nothing when it is gone.
 */
export async function latestMigration(
  { metadata: { namespace, name } }: KubeObject,
  { kube, settings }: Kube & { settings: AppSettings },
): Promise<KubeObject | undefined> {
  try {
    return await kube.get(settings.migrations, { namespace, name });
  } catch (error) {
    if (hasStatus(error, 404)) return undefined;
    throw error;
  }
}

/** Whether the namespace goes, too. Asked only for an application that is being deleted and has something to save. */
export async function isNamespaceLeaving({ metadata, spec }: PortfolioApp, { kube }: Kube): Promise<boolean> {
  if (!metadata.deletionTimestamp || !spec.backup) return false;
  const namespace = await kube.get(NAMESPACE, { name: metadata.namespace ?? "default" });
  return namespace.metadata.deletionTimestamp !== undefined;
}
