import { ensureBinaries, type Progress } from "./build.ts";
import { existingCluster } from "./existing_cluster.ts";
import type { KubectlOptions, KubectlResult } from "./kubectl.ts";
import { LocalControlPlane } from "./local_control_plane.ts";

/** A cluster to test against. */
export interface ControlPlane extends AsyncDisposable {
  /** Kubeconfig of an administrator. */
  readonly kubeconfigPath: string;
  /** URL of the API server. */
  readonly server: string;
  /** Certificate of the authority that signed the API server's, PEM. */
  readonly caPem: string;
  /**
   * File with one JSON audit event a line (`user.username`, `verb`, `requestURI`, `responseStatus.code`, `stage`) for every request; undefined
   * in a cluster that is not ours. Watches appear when they start (stage ResponseStarted) and end.
   */
  readonly auditLogPath: string | undefined;
  /** Temporary folder that goes away with the control plane. */
  readonly folder: string;
  /** Calls kubectl as the administrator. Throws when it fails, unless `check` is false. */
  kubectl(args: string[], options?: KubectlOptions): Promise<KubectlResult>;
  /** Writes a kubeconfig with a token of a service account and returns its path. */
  createServiceAccountKubeconfig(namespace: string, name: string): Promise<string>;
  /** Adds a simulated node and waits until it is Ready. Not for a cluster that is not ours. */
  addNode(name: string): Promise<void>;
  /** Ends the API server in an orderly way and starts it again on the same port. Not for a cluster that is not ours. */
  restartApiServer(): Promise<void>;
  /** Kills the API server as a crash would; it stays away until `startApiServer`. Not for a cluster that is not ours. */
  killApiServer(): Promise<void>;
  /** Starts the API server that was killed and waits until it is ready. Not for a cluster that is not ours. */
  startApiServer(): Promise<void>;
  /** Ends etcd in an orderly way and starts it again on its data. Not for a cluster that is not ours. */
  restartEtcd(): Promise<void>;
  /** Kills etcd as a crash would; it stays away until `startEtcd`. Not for a cluster that is not ours. */
  killEtcd(): Promise<void>;
  /** Starts etcd and waits until the API server is ready with it. Not for a cluster that is not ours. */
  startEtcd(): Promise<void>;
  /** Ends everything and leaves nothing behind. May be called more than once. */
  stop(): Promise<void>;
}

/** How to start a control plane. */
export interface ControlPlaneOptions {
  /** Number of simulated nodes; default 1. */
  nodes?: number;
  /** Takes lines for a person to read; default: standard error. */
  progress?: Progress;
  /** The time that certificates start from; default now. */
  now?: Date;
}

/**
 * Starts etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok on free loopback ports, and returns when the
 * API server answers, service accounts are made and the nodes are Ready. The programs are built at the first call.
 *
 * With `USE_EXISTING_CLUSTER=true` the cluster of `KUBECONFIG` is used instead and nothing is started.
 *
 * Everything ends with this process, however it ends; call `stop` (or use `await using`) to end it before.
 *
 * @throws Error with the end of a component's log when it does not start
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const progress = options.progress ?? printProgress;
  if (Deno.env.get("USE_EXISTING_CLUSTER") === "true") return await existingCluster(progress);
  const binaries = await ensureBinaries(progress);
  const start = performance.now();
  const plane = await LocalControlPlane.start(binaries, { nodes: options.nodes ?? 1, now: options.now ?? new Date() });
  progress(`control plane ready in ${((performance.now() - start) / 1000).toFixed(1)} s at ${plane.server}`);
  return plane;
}

function printProgress(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
}
