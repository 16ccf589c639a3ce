import { ensureKubectl, type Progress } from "./build.ts";
import type { ControlPlane } from "./control_plane.ts";
import { Kubectl, type KubectlOptions, type KubectlResult } from "./kubectl.ts";

/**
 * The cluster that `KUBECONFIG` names, which is only used: nothing is started, restarted or stopped.
 *
 * @throws Error when `KUBECONFIG` is not set
 */
export async function existingCluster(progress: Progress): Promise<ControlPlane> {
  const kubeconfigPath = Deno.env.get("KUBECONFIG");
  if (!kubeconfigPath) throw new Error("USE_EXISTING_CLUSTER is set, but KUBECONFIG is not");
  const program = await ensureKubectl(progress);
  const folder = await Deno.makeTempDir({ prefix: "maquette-existing-cluster-" });
  const kubectl = new Kubectl(program, kubeconfigPath, folder);
  const { server, caPem } = await kubectl.cluster();
  progress(`using the existing cluster at ${server}`);
  return new ExistingCluster(kubectl, { kubeconfigPath, server, caPem, folder });
}

class ExistingCluster implements ControlPlane {
  readonly kubeconfigPath: string;
  readonly server: string;
  readonly caPem: string;
  readonly folder: string;
  readonly auditLogPath = undefined;
  readonly #kubectl: Kubectl;

  constructor(kubectl: Kubectl, facts: Pick<ControlPlane, "kubeconfigPath" | "server" | "caPem" | "folder">) {
    this.#kubectl = kubectl;
    this.kubeconfigPath = facts.kubeconfigPath;
    this.server = facts.server;
    this.caPem = facts.caPem;
    this.folder = facts.folder;
  }

  async kubectl(args: string[], options?: KubectlOptions): Promise<KubectlResult> {
    return await this.#kubectl.run(args, options);
  }

  async createServiceAccountKubeconfig(namespace: string, name: string): Promise<string> {
    return await this.#kubectl.serviceAccountKubeconfig(namespace, name);
  }

  addNode(): Promise<void> {
    return notOurs("add a node to");
  }

  restartApiServer(): Promise<void> {
    return notOurs("restart the API server of");
  }

  killApiServer(): Promise<void> {
    return notOurs("kill the API server of");
  }

  startApiServer(): Promise<void> {
    return notOurs("start the API server of");
  }

  restartEtcd(): Promise<void> {
    return notOurs("restart etcd of");
  }

  killEtcd(): Promise<void> {
    return notOurs("kill etcd of");
  }

  startEtcd(): Promise<void> {
    return notOurs("start etcd of");
  }

  async stop(): Promise<void> {
    await Deno.remove(this.folder, { recursive: true }).catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

function notOurs(what: string): Promise<never> {
  return Promise.reject(new Error(`Cannot ${what} an existing cluster: unset USE_EXISTING_CLUSTER`));
}
