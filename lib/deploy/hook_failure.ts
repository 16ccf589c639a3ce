/**
 * Why the Job of a hook failed: what its Pods say, and the end of their log.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";
import { POD } from "../api/resources.ts";
import type { KubeClient } from "../kube/client.ts";
import { type LogReader, withLog } from "../workload/logs.ts";
import { firstFailure } from "../workload/pod_failure.ts";
import { listAll } from "./observer.ts";

/** Label that the Job controller puts on the Pods of a Job. */
const JOB_NAME = "batch.kubernetes.io/job-name";

/** `""` where its Pods are gone or may not be read: the Job's own words must do. */
export async function jobFailureText(
  { metadata: { namespace, name } }: KubeObject,
  { kube, logs }: { kube: Pick<KubeClient, "list" | "logs">; logs: LogReader },
): Promise<string> {
  try {
    const pods = await listAll(kube, POD, { namespace, labelSelector: `${JOB_NAME}=${name}` });
    const failure = firstFailure(pods);
    if (!failure) return "";
    return withLog(failure.message, await logs.tail(failure, kube));
  } catch {
    return "";
  }
}
