import { join } from "node:path";
import { waitFor } from "../wait.ts";
import type { Binaries } from "./build.ts";
import type { KeyPair } from "./certificates.ts";
import { apiUrl, commands, type Component, type Layout } from "./components.ts";
import type { ControlPlane } from "./control_plane.ts";
import { writeFiles } from "./files.ts";
import { Kubectl, type KubectlOptions, type KubectlResult } from "./kubectl.ts";
import { againAnnotation, simulatedNode, simulatedStorageClass } from "./kwok.ts";
import { freePorts } from "./ports.ts";
import { Supervisor } from "./supervisor.ts";

const startTimeoutMs = 60_000;
const maxAttempts = 3;

/** What is started once the API server answers: none of them waits long for it by itself. */
const afterApiServer = ["kube-controller-manager", "kube-scheduler", "kwok", "kubelet-logs"] as const;

interface Node {
  spec?: { taints?: unknown[] };
  status?: { conditions?: { type: string; status: string }[] };
}

/** A control plane of processes on this machine. */
export class LocalControlPlane implements ControlPlane {
  readonly server: string;
  readonly caPem: string;
  readonly folder: string;
  readonly kubeconfigPath: string;
  readonly auditLogPath: string;
  readonly #supervisor: Supervisor;
  readonly #layout: Layout;
  readonly #kubectl: Kubectl;
  readonly #client: Deno.HttpClient;
  /** Components that have ended, with their exit codes. */
  readonly #dead = new Map<Component, number>();
  #stopping: Promise<void> | undefined;

  private constructor(supervisor: Supervisor, layout: Layout, pki: Record<string, KeyPair>) {
    this.#supervisor = supervisor;
    this.#layout = layout;
    this.folder = layout.folder;
    this.server = apiUrl(layout.ports);
    this.caPem = pki.ca!.certificate;
    this.kubeconfigPath = join(layout.folder, "kubeconfig", "admin");
    this.auditLogPath = join(layout.folder, "audit.log");
    this.#kubectl = new Kubectl(layout.binaries.paths.kubectl, this.kubeconfigPath, layout.folder);
    this.#client = Deno.createHttpClient({ caCerts: [this.caPem], cert: pki.admin!.certificate, key: pki.admin!.key });
  }

  /**
   * Starts all components.
   *
   * @throws Error with the end of its log when one of them does not start
   */
  static async start(binaries: Binaries, options: { nodes: number; now: Date }): Promise<LocalControlPlane> {
    for (let attempt = 1;; attempt++) {
      const plane = await LocalControlPlane.#prepare(binaries, options.now);
      try {
        await plane.#start(options.nodes);
        return plane;
      } catch (error) {
        await plane.stop();
        // Somebody else may take a free port before its component does.
        if (attempt === maxAttempts || !String(error).includes("address already in use")) throw error;
      }
    }
  }

  static async #prepare(binaries: Binaries, now: Date): Promise<LocalControlPlane> {
    const supervisor = await Supervisor.start(binaries.paths.supervisor);
    try {
      const layout = { folder: supervisor.folder, binaries, ports: freePorts() };
      return new LocalControlPlane(supervisor, layout, await writeFiles(layout, now));
    } catch (error) {
      await supervisor.stop();
      throw error;
    }
  }

  /** Calls kubectl as the administrator. */
  async kubectl(args: string[], options?: KubectlOptions): Promise<KubectlResult> {
    return await this.#kubectl.run(args, options);
  }

  /** Writes a kubeconfig with a token of a service account. */
  async createServiceAccountKubeconfig(namespace: string, name: string): Promise<string> {
    return await this.#kubectl.serviceAccountKubeconfig(namespace, name);
  }

  /** Adds a simulated node and waits until pods can be scheduled to it. */
  async addNode(name: string): Promise<void> {
    const node = simulatedNode(name, this.#layout.ports.kubelet);
    await this.kubectl(["create", "-f", "-"], { stdin: JSON.stringify(node) });
    await this.#until(`node "${name}" to be Ready and without taints`, async () => {
      const { spec, status } = await this.#get(`/api/v1/nodes/${name}`) as Node;
      return status?.conditions?.some((it) => it.type === "Ready" && it.status === "True") && !spec?.taints;
    });
  }

  /** Ends the API server in an orderly way and starts it again. */
  async restartApiServer(): Promise<void> {
    await this.#supervisor.end("kube-apiserver", "stop");
    await this.startApiServer();
  }

  /** Kills the API server. */
  async killApiServer(): Promise<void> {
    await this.#supervisor.end("kube-apiserver", "kill");
  }

  /** Starts the API server and waits until it is ready. */
  async startApiServer(): Promise<void> {
    await this.#startAgain("kube-apiserver");
  }

  /** Ends etcd in an orderly way and starts it again. */
  async restartEtcd(): Promise<void> {
    await this.#supervisor.end("etcd", "stop");
    await this.startEtcd();
  }

  /** Kills etcd. */
  async killEtcd(): Promise<void> {
    await this.#supervisor.end("etcd", "kill");
  }

  /** Starts etcd and waits until the API server has found it. */
  async startEtcd(): Promise<void> {
    await this.#startAgain("etcd");
  }

  /** Ends everything. */
  async stop(): Promise<void> {
    this.#stopping ??= this.#supervisor.stop().finally(() => this.#client.close());
    await this.#stopping;
  }

  /** Ends everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #start(nodes: number): Promise<void> {
    await this.#run("etcd");
    await this.#run("kube-apiserver");
    await this.#untilReady();
    await Promise.all(afterApiServer.map((name) => this.#run(name)));
    await Promise.all([
      this.kubectl(["create", "-f", "-"], { stdin: JSON.stringify(simulatedStorageClass) }),
      ...Array.from({ length: nodes }, (_, index) => this.addNode(`node-${index + 1}`)),
      this.#until("service accounts to be made", () => this.#get("/api/v1/namespaces/default/serviceaccounts/default")),
    ]);
  }

  /** Changes every Pod: kwok drops the step of one whose request broke, and takes it up with its next change. */
  async #startAgain(name: Component): Promise<void> {
    await this.#run(name);
    await this.#untilReady();
    const mark = `${againAnnotation}=${Date.now()}`;
    // One of them may go meanwhile.
    await this.kubectl(["annotate", "pods", "--all", "--all-namespaces", "--overwrite", mark], { check: false });
  }

  async #untilReady(): Promise<void> {
    await this.#until("the API server to be ready", () => this.#get("/readyz"));
  }

  async #run(name: Component): Promise<void> {
    const { exited } = await this.#supervisor.run(name, commands(this.#layout)[name]);
    this.#dead.delete(name);
    exited.then((code) => this.#dead.set(name, code));
  }

  /** Like waitFor, but gives up at once when a component has died. */
  async #until(description: string, probe: () => Promise<unknown>): Promise<void> {
    const isOver = async () => this.#dead.size > 0 || await probe();
    await waitFor(description, isOver, startTimeoutMs);
    for (const [name, code] of this.#dead) {
      throw new Error(`${name} ended with code ${code}: ${await this.#logTail(name)}`);
    }
  }

  async #logTail(name: string): Promise<string> {
    const log = await Deno.readTextFile(join(this.folder, "logs", `${name}.log`)).catch(() => "");
    return log.slice(-2000);
  }

  async #get(path: string): Promise<unknown> {
    const response = await fetch(this.server + path, { client: this.#client });
    const text = await response.text();
    if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${text}`);
    return text.startsWith("{") ? JSON.parse(text) : text;
  }
}
