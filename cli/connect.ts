/**
 * Finding the API server, as kubectl does.
 *
 * @module
 */
import type { Config } from "../lib/config.ts";
import { type Credentials, inClusterCredentials, kubeconfigCredentials } from "../lib/kube/credentials.ts";
import { systemClock } from "../lib/runtime/clock.ts";

/** Nothing answers, or nothing says where to ask: exit code 3. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
}

/**
 * Credentials from `--kubeconfig`, else the Pod's service account, else `$KUBECONFIG`, else `~/.kube/config`.
 *
 * @throws {Unreachable} When none of them can be used.
 */
export async function findCredentials(config: Config, env: Record<string, string>): Promise<Credentials> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = "443" } = env;
  const now = (): number => systemClock.monotonic();
  try {
    if (!config.kubeconfig && host) return await inClusterCredentials({ host, port }, { now });
    const path = config.kubeconfig || env.KUBECONFIG || `${env.HOME ?? ""}/.kube/config`;
    return await kubeconfigCredentials(path, { context: config.context || undefined, now });
  } catch (error) {
    throw new Unreachable(`Cannot find a cluster: ${(error as Error).message}`);
  }
}
