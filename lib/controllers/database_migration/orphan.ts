/**
 * Takes away the Lease of a database whose holder is gone without a trace: its finalizer was taken away by force.
 *
 * @module
 */
import { DATABASE_MIGRATION } from "../../api/database_migration.ts";
import { LABEL_OWNER_UID } from "../../api/names.ts";
import { type KubeObject, splitKey } from "../../api/object.ts";
import { JOB, LEASE, POD } from "../../api/resources.ts";
import type { KubeClient } from "../../kube/client.ts";
import { hasStatus, unlessMissing } from "../../kube/errors.ts";
import { annotatedOwner } from "../../runtime/ownership.ts";
import { mayRun } from "../../workload/pods.ts";

/** The caches do not know the holder: the API server has the last word, about what it had running, too. */
export async function releaseOrphan(lease: KubeObject, { kube }: { kube: KubeClient }): Promise<void> {
  const uid = lease.metadata.labels?.[LABEL_OWNER_UID] ?? "";
  const holder = splitKey(annotatedOwner(lease, DATABASE_MIGRATION.resource) ?? "");
  if (await isThere(holder, uid, kube)) return;
  const scope = { namespace: holder.namespace, labelSelector: `${LABEL_OWNER_UID}=${uid}` };
  for (const resource of [JOB, POD]) {
    const { items } = await kube.list(resource, scope, { limit: 500 });
    if (items.some((item) => resource === JOB || mayRun(item))) return;
  }
  const { namespace, name, resourceVersion } = lease.metadata;
  await kube.remove(LEASE, { namespace, name }, { uid: lease.metadata.uid, resourceVersion }).catch((error) => {
    if (!hasStatus(error, 404, 409)) throw error;
  });
}

async function isThere(target: { namespace?: string; name: string }, uid: string, kube: KubeClient): Promise<boolean> {
  if (target.name === "") return false;
  return (await unlessMissing(kube.get(DATABASE_MIGRATION.resource, target)))?.metadata.uid === uid;
}
