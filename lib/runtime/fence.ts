/**
 * The fence around those who reconcile that the API server holds: an annotation of the operator's Namespace says who
 * leads, and policies of the installation (cli/install/fence.ts) refuse the writes of every other Pod of ours, however
 * late they come.
 *
 * Guarantees: a leader begins only when its name is there, so that nobody who led before writes between two of its
 * writes; and its name cannot come there late, over that of a successor, because it is written onto the version that was
 * read.
 *
 * Not the Lease itself is what the policies read: of all kinds that they could, few are watched by the API server as long
 * as it lives, and a Namespace is one of them. The watch of others ends with the last policy that needs them and never
 * begins again (https://github.com/kubernetes/kubernetes/issues/130887): installed a second time, a fence would go by
 * the Lease of the first.
 *
 * @module
 */
import { ANNOTATION_LEADER, FIELD_MANAGER } from "../api/names.ts";
import { apiVersionOf } from "../api/object.ts";
import { NAMESPACE } from "../api/resources.ts";
import type { KubeClient } from "../kube/client.ts";
import { hasStatus } from "../kube/errors.ts";
import { type Clock, sleep } from "./clock.ts";
import type { Logger } from "./log.ts";

export interface FenceDeps {
  /** Writes only while the lease is held. */
  kube: Pick<KubeClient, "get" | "apply">;
  clock: Clock;
  log: Logger;
  /** The operator's own. */
  namespace: string;
  /** As in the Lease. */
  identity: string;
}

const RETRY_MS = 500;

/** Says who leads from now on, and tries until it is said or the signal comes. Costs two requests. Never throws. */
export async function raiseFence(deps: FenceDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && !await isRaised(deps)) await sleep(deps.clock, RETRY_MS, signal);
}

async function isRaised({ kube, log, namespace: name, identity }: FenceDeps): Promise<boolean> {
  try {
    const { resourceVersion } = (await kube.get(NAMESPACE, { name })).metadata;
    const metadata = { name, resourceVersion, annotations: { [ANNOTATION_LEADER]: identity } };
    const leader = { apiVersion: apiVersionOf(NAMESPACE), kind: NAMESPACE.kind, metadata };
    await kube.apply(leader, NAMESPACE, { manager: FIELD_MANAGER, force: true });
    return true;
  } catch (error) {
    if (!hasStatus(error, 409)) log.warn("Fence could not be raised, trying again", { error });
    return false;
  }
}
