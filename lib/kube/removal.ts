/**
 * Deletion that is over only when everything below the object is gone, too: a Job is gone when its Pods are.
 *
 * @module
 */
import type { Resource } from "../api/object.ts";
import type { KubeClient } from "./client.ts";
import { objectPath, type Target } from "./paths.ts";

/**
 * Deletes exactly the object that was seen; it stays, marked, until its children are gone.
 *
 * @throws {KubeError} 404 when it is gone, 409 when it is another one.
 */
export async function removeForeground(
  kube: Pick<KubeClient, "request">,
  resource: Resource,
  { uid, ...target }: Target & { uid?: string },
): Promise<void> {
  await kube.request({
    method: "DELETE",
    path: objectPath(resource, target),
    body: { apiVersion: "v1", kind: "DeleteOptions", propagationPolicy: "Foreground", preconditions: { uid } },
    counts: { verb: "delete", resource: resource.plural },
  }, (response) => response.arrayBuffer());
}
