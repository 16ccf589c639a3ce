/**
 * Maquette on a real cluster, installed as the README says: its image loaded, its manifests piped to kubectl.
 *
 * @module
 */
import type { ControlPlane } from "../control_plane/control_plane.ts";
import { existingCluster } from "../control_plane/existing_cluster.ts";
import { preview, Terminal } from "../integration/previews.ts";
import { waitFor } from "../wait.ts";
import { type Answer, ask } from "./ask.ts";
import { loadImages, WEB } from "./images.ts";
import { type Settings, settings } from "./settings.ts";

/** Namespace of the operator. */
export const NAMESPACE = "maquette-system";
/** Domain of the previews: no DNS knows it, requests go to the ingress controller's address. */
export const DOMAIN = "preview.test";

/** Of readiness probes: quick to notice that a server answers, slow to say that one which a busy node delays does not. */
export const PATIENT_PROBE = { periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 6 };
/** Seconds that admission gets while a test counts what it lost: the API server's default. */
const ADMISSION_SECONDS = 10;

const BINARY = new URL("../../dist/maquette", import.meta.url).pathname;

/** A cluster with Maquette on it. */
export class Cluster {
  readonly plane: ControlPlane;
  readonly terminal: Terminal;
  readonly settings: Settings;
  #flags: string[] = [];

  private constructor(plane: ControlPlane, settings: Settings) {
    this.plane = plane;
    this.terminal = new Terminal(plane);
    this.settings = settings;
  }

  /** Loads all images and installs. @param flags Of `maquette manifests`. */
  static async prepare(flags: string[] = []): Promise<Cluster> {
    const found = settings();
    const cluster = new Cluster(await existingCluster(() => {}), found);
    await loadImages(found);
    await cluster.install(flags);
    return cluster;
  }

  /** Installs, or installs anew with other flags, and waits until all replicas are new and admission answers. */
  async install(flags: string[]): Promise<void> {
    const { ingressClass, ingressNamespace } = this.settings;
    this.#flags = [
      `--domain=${DOMAIN}`,
      `--ingress-class=${ingressClass}`,
      `--ingress-namespace=${ingressNamespace}`,
      ...(flags.some((flag) => flag.startsWith("--tls")) ? [] : ["--tls=none"]),
      ...flags,
    ];
    const stdin = await this.manifests();
    await this.plane.kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], { stdin });
    await this.plane.kubectl(["rollout", "status", "deployment/maquette", "-n", NAMESPACE, "--timeout=300s"]);
    await waitFor("admission to answer", () => this.isAdmitting());
  }

  /** Until the next installation, what a busy node delays by some seconds is not lost to admission. */
  async delayAdmission(): Promise<void> {
    for (const kind of ["mutatingwebhookconfiguration", "validatingwebhookconfiguration"]) {
      const { webhooks } = (await this.terminal.get(kind, "maquette"))!;
      const patch = webhooks.map((_: unknown, index: number) => (
        { op: "replace", path: `/webhooks/${index}/timeoutSeconds`, value: ADMISSION_SECONDS }
      ));
      await this.plane.kubectl(["patch", kind, "maquette", "--type=json", "-p", JSON.stringify(patch)]);
    }
  }

  /** What `maquette manifests` prints. */
  async manifests(): Promise<string> {
    const { code, stdout, stderr } = await new Deno.Command(BINARY, { args: ["manifests", ...this.#flags] }).output();
    const decoder = new TextDecoder();
    if (code !== 0) throw new Error(`maquette manifests: ${decoder.decode(stderr)}`);
    return decoder.decode(stdout);
  }

  /** Whether admission fills in what a new object leaves out. */
  async isAdmitting(): Promise<boolean> {
    const { ttl_seconds: _ttl, ...spec } = preview(999_999).spec;
    const stdin = JSON.stringify({ ...preview(999_999), spec });
    const { stdout } = await this.plane.kubectl(["create", "--dry-run=server", "-o", "json", "-f", "-"], { stdin });
    return JSON.parse(stdout).spec.ttl_seconds > 0;
  }

  /** The Pods of the operator that are not on their way out. */
  async pods(): Promise<string[]> {
    const pods = await this.terminal.list("pods", "-n", NAMESPACE, "-l", "app.kubernetes.io/name=maquette");
    return pods.filter((pod) => !pod.metadata.deletionTimestamp).map((pod) => pod.metadata.name);
  }

  /** GET by way of the ingress controller. */
  async ask(url: string, ca?: string): Promise<Answer> {
    return await ask(url, { settings: this.settings, ca });
  }

  /** Asks until the answer is as wanted. */
  async untilAnswers(url: string, isWanted: (answer: Answer) => boolean, ca?: string): Promise<Answer> {
    let answer: Answer | undefined;
    await waitFor(`${url} to answer as it should`, async () => {
      answer = await this.ask(url, ca);
      if (!isWanted(answer)) throw new Error(`${answer.status} ${answer.text}`);
      return true;
    }, 60_000);
    return answer!;
  }

  /** Takes everything away, in the order that the README names, and waits until it is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.plane.kubectl(["delete", "papp,dbm,env,proj,prenv,prt", "--all", "--all-namespaces", "--timeout=300s"]);
    const stdin = await this.manifests();
    await this.plane.kubectl(["delete", "--ignore-not-found", "--timeout=300s", "-f", "-"], { stdin });
    await this.plane.stop();
  }
}

/** A preview of the test's own web server. */
export function webPreview(pr: number, tag: string, spec: Record<string, unknown> = {}): ReturnType<typeof preview> {
  return preview(pr, { image: WEB, image_tag: tag, ...spec });
}
