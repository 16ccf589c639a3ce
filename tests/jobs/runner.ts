/**
 * Runs the Pods of Jobs really, on a control plane whose nodes are simulated: each container's own command, arguments,
 * environment and mounted files, as processes of this machine. Exit code, termination message and log go back into the
 * Pod, and the real Job controller makes of them what it makes of every Pod.
 *
 * A Pod is played here when the last part of one of its images says `unready` (`local.test/tools-unready:1`): to the
 * simulated nodes that is a Pod that runs for ever. Init containers run one after the other, the others at once. A Pod
 * that is deleted or ended from outside has its processes killed.
 *
 * @module
 */
import { join } from "node:path";
import type { KubeObject } from "../../lib/api/object.ts";
import { POD } from "../../lib/api/resources.ts";
import { KubeClient } from "../../lib/kube/client.ts";
import { kubeconfigCredentials } from "../../lib/kube/credentials.ts";
import { hasStatus } from "../../lib/kube/errors.ts";
import type { ControlPlane } from "../control_plane/control_plane.ts";
import { waitFor } from "../wait.ts";
import { type Container, environmentOf, expanded } from "./environment.ts";
import { collected, isPlayedHere, isRunning, statusOf } from "./pods.ts";
import { contain, type Mount } from "./sandbox.ts";
import { makeVolumes, MissingSource, mountsOf, type VolumeSources } from "./volumes.ts";

/** What an image holds beside the programs of this machine. */
export interface ImageContent {
  /** Folders or files of this machine by where the container sees them. */
  files?: Readonly<Record<string, string>>;
  env?: Readonly<Record<string, string>>;
  /** What runs where a container names no command. */
  entrypoint?: readonly string[];
}

/** One Pod that was run. */
export interface Run {
  job: string;
  /** Of the last container that ended; absent while it runs. A process that was killed has 137. */
  exitCode?: number;
  /** Standard output and error of all containers. */
  log: string;
}

/** How Pods are run. */
export interface RunnerOptions {
  /** By a part of the image's name; the first that fits counts. */
  images?: Readonly<Record<string, ImageContent>>;
}

const JOB_LABEL = "batch.kubernetes.io/job-name";
const LOG_ANNOTATION = "simulate.maquette.dev/log";
/** Of what a kubelet keeps of a termination message. */
const MESSAGE_BYTES = 4096;
const LOG_BYTES = 64 * 1024;
const LOOK_MS = 100;
const KILLED = 137;

interface Ended {
  exitCode: number;
  message?: string;
  startedAt: string;
  finishedAt: string;
}

/** See the module. */
export class JobRunner implements AsyncDisposable {
  /** Every Pod that was run, the oldest first. */
  readonly runs: Run[] = [];
  readonly #kube: KubeClient;
  readonly #options: RunnerOptions;
  readonly #folder: string;
  readonly #full = new Map<string, number>();
  readonly #taken = new Map<string, { abort: AbortController; work: Promise<void> }>();
  readonly #ending = new AbortController();
  #following: Promise<void> = Promise.resolve();

  private constructor(kube: KubeClient, folder: string, options: RunnerOptions) {
    this.#kube = kube;
    this.#folder = folder;
    this.#options = options;
  }

  /** Begins to run what Jobs of this control plane make. */
  static async start(plane: ControlPlane, options: RunnerOptions = {}): Promise<JobRunner> {
    const kube = new KubeClient(await kubeconfigCredentials(plane.kubeconfigPath));
    const runner = new JobRunner(kube, await Deno.makeTempDir({ prefix: "maquette-jobs-" }), options);
    runner.#following = runner.#follow();
    return runner;
  }

  /** The folder that Pods see as this claim; it is made when it is first asked for. */
  async claim(namespace: string, name: string): Promise<string> {
    const folder = join(this.#folder, "claims", namespace, name);
    await Deno.mkdir(folder, { recursive: true });
    return folder;
  }

  /** Leaves a claim with so many bytes of room for whatever runs from now on; nothing that it held is seen. */
  fill(namespace: string, name: string, roomBytes: number): void {
    this.#full.set(`${namespace}/${name}`, roomBytes);
  }

  /** Undoes {@link fill}. */
  empty(namespace: string, name: string): void {
    this.#full.delete(`${namespace}/${name}`);
  }

  /** Kills what a Pod runs as the kernel would (out of memory): exit code 137. */
  kill(uid: string): void {
    this.#taken.get(uid)?.abort.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#following;
    for (const { abort } of this.#taken.values()) abort.abort();
    await Promise.allSettled([...this.#taken.values()].map(({ work }) => work));
    this.#kube.close();
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #follow(): Promise<void> {
    while (!this.#ending.signal.aborted) {
      // The API server may be away in a test that kills it.
      const pods = await this.#kube.list(POD, { labelSelector: JOB_LABEL }, { limit: 500 }).catch(() => undefined);
      if (pods) this.#look(pods.items);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  #look(pods: readonly KubeObject[]): void {
    const running = new Map(pods.filter(isRunning).map((pod) => [pod.metadata.uid!, pod]));
    for (const [uid, { abort }] of this.#taken) if (!running.has(uid)) abort.abort();
    for (const [uid, pod] of running) {
      if (this.#taken.has(uid) || !isPlayedHere(pod)) continue;
      const abort = new AbortController();
      this.#taken.set(uid, { abort, work: this.#run(pod, abort.signal) });
    }
  }

  async #run(pod: KubeObject, signal: AbortSignal): Promise<void> {
    const run: Run = { job: pod.metadata.labels?.[JOB_LABEL] ?? "", log: "" };
    this.runs.push(run);
    const folder = join(this.#folder, "pods", pod.metadata.uid!);
    await Deno.mkdir(folder, { recursive: true });
    const sources = this.#sources(folder);
    const init = (pod.spec.initContainers ?? []) as Container[];
    const ended = new Map<string, Ended>();
    const each = async (container: Container): Promise<void> => {
      ended.set(container.name, await this.#contain(container, { pod, run, sources, signal }));
    };
    for (const container of init) {
      await each(container);
      if (ended.get(container.name)!.exitCode !== 0) break;
    }
    const isReady = init.every(({ name }) => ended.get(name)?.exitCode === 0);
    if (isReady) await Promise.all((pod.spec.containers as Container[]).map(each));
    run.exitCode = Math.max(...[...ended.values()].map(({ exitCode }) => exitCode));
    await this.#report(pod, run, ended);
  }

  #sources(folder: string): VolumeSources {
    return {
      kube: this.#kube,
      folder,
      claim: (namespace, name) => this.claim(namespace, name),
      room: (namespace, name) => this.#full.get(`${namespace}/${name}`),
    };
  }

  async #contain(
    container: Container,
    on: { pod: KubeObject; run: Run; sources: VolumeSources; signal: AbortSignal },
  ): Promise<Ended> {
    const { pod, run, sources, signal } = on;
    const startedAt = new Date().toISOString();
    const image = this.#imageOf(container);
    const found = await this.#prepared(container, on);
    if (!found) return { exitCode: KILLED, startedAt, finishedAt: new Date().toISOString() };
    const message = join(sources.folder, `message-${container.name}`);
    await Deno.writeTextFile(message, "", { mode: 0o666 });
    await Deno.chmod(message, 0o666);
    const root = await Deno.makeTempDir({ dir: sources.folder });
    const [first = image.entrypoint ?? [], rest = []] = [container.command, container.args];
    const { securityContext: own = {} } = container;
    const process = contain({
      command: [...first, ...rest].map((part) => expanded(part, found.env)),
      env: { PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin", HOSTNAME: pod.metadata.name, ...image.env, ...found.env },
      mounts: [
        ...Object.entries(image.files ?? {}).map(([path, source]) => ({ path, source })),
        ...found.mounts,
        { source: message, path: container.terminationMessagePath ?? "/dev/termination-log" },
      ],
      workingDir: container.workingDir,
      user: own.runAsUser ?? pod.spec.securityContext?.runAsUser,
      group: own.runAsGroup ?? pod.spec.securityContext?.runAsGroup,
    }, root);
    const kill = (): void => {
      try {
        process.kill("SIGKILL");
      } catch {
        // It has ended by itself a moment ago.
      }
    };
    signal.addEventListener("abort", kill);
    if (signal.aborted) kill();
    const [log, { code }] = await Promise.all([collected(process, run), process.status]);
    signal.removeEventListener("abort", kill);
    const said = await Deno.readTextFile(message);
    const isTold = said !== "" || container.terminationMessagePolicy !== "FallbackToLogsOnError" || code === 0;
    return {
      exitCode: signal.aborted ? KILLED : code,
      message: (isTold ? said : log).slice(-MESSAGE_BYTES) || undefined,
      startedAt,
      finishedAt: new Date().toISOString(),
    };
  }

  /** Waits for what is missing, as a kubelet does. @returns nothing when the Pod went meanwhile. */
  async #prepared(
    container: Container,
    { pod, sources, signal }: { pod: KubeObject; sources: VolumeSources; signal: AbortSignal },
  ): Promise<{ env: Record<string, string>; mounts: Mount[] } | undefined> {
    while (!signal.aborted) {
      try {
        const places = await makeVolumes(pod, sources);
        const env = await environmentOf(container, pod, this.#kube);
        return { env, mounts: await mountsOf(container, places) };
      } catch (error) {
        if (!(error instanceof MissingSource)) throw error;
        const waiting = { reason: "CreateContainerConfigError", message: error.message };
        await this.#patch(pod, [{
          op: "add",
          path: "/status/containerStatuses",
          value: [statusOf(container, { waiting })],
        }]);
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
    }
    return undefined;
  }

  #imageOf({ image }: Container): ImageContent {
    const found = Object.entries(this.#options.images ?? {}).find(([part]) => image.includes(part));
    return found?.[1] ?? {};
  }

  async #report(pod: KubeObject, run: Run, ended: ReadonlyMap<string, Ended>): Promise<void> {
    const statuses = (containers: Container[] = []): unknown[] =>
      containers.map((container) => {
        const end = ended.get(container.name);
        if (!end) return statusOf(container, { waiting: { reason: "PodInitializing" } });
        const reason = end.exitCode === KILLED ? "OOMKilled" : end.exitCode === 0 ? "Completed" : "Error";
        return statusOf(container, { terminated: { reason, ...end } });
      });
    const phase = run.exitCode === 0 ? "Succeeded" : "Failed";
    const metadata = { ...pod.metadata.annotations, [LOG_ANNOTATION]: run.log.slice(-LOG_BYTES) };
    // The log first: whoever sees the end may read it at once.
    await this.#patch(pod, [{ op: "add", path: "/metadata/annotations", value: metadata }], "");
    await this.#patch(pod, [
      { op: "add", path: "/status/containerStatuses", value: statuses(pod.spec.containers) },
      ...(pod.spec.initContainers
        ? [{ op: "add" as const, path: "/status/initContainerStatuses", value: statuses(pod.spec.initContainers) }]
        : []),
      { op: "add", path: "/status/phase", value: phase },
    ]);
  }

  /** A Pod that has gone needs no report. */
  async #patch(pod: KubeObject, patch: Parameters<KubeClient["patch"]>[2], subresource = "status"): Promise<void> {
    const { namespace, name, uid } = pod.metadata;
    const same = { op: "test" as const, path: "/metadata/uid", value: uid };
    const target = { namespace, name, ...(subresource ? { subresource } : {}) };
    await waitFor(`Pod "${name}" to be reported`, async () => {
      await this.#kube.patch(POD, target, [same, ...patch]).catch((error) => {
        if (!hasStatus(error, 404, 422) && !this.#ending.signal.aborted) throw error;
      });
      return true;
    });
  }
}
