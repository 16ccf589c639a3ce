/**
 * What integration tests say about Printers: kubectl on one side, on the other the kind's controller alone, in the
 * test's own process, under a ServiceAccount that may do what the kind's permissions say and nothing else.
 *
 * @module
 */
import type { KubeObject } from "../../lib/api/object.ts";
import { PRINTER_PERMISSIONS, printerController } from "../../lib/controllers/printer/mod.ts";
import { KubeClient } from "../../lib/kube/client.ts";
import { kubeconfigCredentials } from "../../lib/kube/credentials.ts";
import { systemClock } from "../../lib/runtime/clock.ts";
import { Controller } from "../../lib/runtime/controller.ts";
import type { ControllerDefinition } from "../../lib/runtime/definition.ts";
import { InformerSet } from "../../lib/runtime/informer_set.ts";
import { silentLogger } from "../../lib/runtime/log.ts";
import { auditMark, type Request, requestsSince } from "../audit.ts";
import { type ControlPlane, startControlPlane } from "../control_plane/control_plane.ts";
import { waitFor, waitUntil } from "../wait.ts";
import { Terminal } from "./previews.ts";

/** Where the Printers live; it enforces the Pod security standard restricted. */
export const NAMESPACE = "team";
const ACCOUNT = { namespace: "operator", name: "printers" };
const OPERATOR = `system:serviceaccount:${ACCOUNT.namespace}:${ACCOUNT.name}`;

/** A legal Printer. */
export function printer(name: string, spec: Record<string, unknown> = {}, annotations = {}): KubeObject {
  return {
    apiVersion: "cadumillani.com.br/v1",
    kind: "Printer",
    metadata: { name, namespace: NAMESPACE, annotations },
    spec: { textToPrint: "Hello", ...spec },
  };
}

/** A control plane with the CRD; the operator runs when it is started. */
export class PrinterLab implements AsyncDisposable {
  readonly plane: ControlPlane;
  readonly terminal: Terminal;
  /** Events that the operator made: `<Printer> <type> <reason>`. */
  readonly events: string[] = [];
  readonly #kubeconfig: string;
  #operator: { controller: Controller; end: () => Promise<void> } | undefined;

  private constructor(plane: ControlPlane, kubeconfig: string) {
    this.plane = plane;
    this.terminal = new Terminal(plane);
    this.#kubeconfig = kubeconfig;
  }

  static async open(): Promise<PrinterLab> {
    const plane = await startControlPlane();
    const crd = new URL("../../crds/printers.cadumillani.com.br.yaml", import.meta.url).pathname;
    await plane.kubectl(["apply", "-f", crd]);
    await plane.kubectl(["wait", "--for=condition=Established", "--timeout=120s", "crd", "--all"]);
    await new Terminal(plane).create(...surroundings());
    return new PrinterLab(plane, await plane.createServiceAccountKubeconfig(ACCOUNT.namespace, ACCOUNT.name));
  }

  /** Starts the operator and waits until its caches are filled. */
  async start(image = "busybox:1.37.0"): Promise<void> {
    const kube = new KubeClient(await kubeconfigCredentials(this.#kubeconfig));
    const common = { kube, clock: systemClock, random: Math.random, log: silentLogger };
    const informers = new InformerSet(common);
    const controller = new Controller(printerController({ image }) as ControllerDefinition, {
      ...common,
      informers,
      events: { record: (about, { type, reason }) => this.events.push(`${about.metadata.name} ${type} ${reason}`) },
      workers: 8,
      cleanupDeadlineMs: 60_000,
    });
    const stop = new AbortController();
    const running = informers.all().map((informer) => informer.run(stop.signal));
    await Promise.all(informers.all().map((informer) => informer.whenSynced));
    running.push(controller.run(stop.signal));
    const end = async (): Promise<void> => {
      stop.abort();
      await Promise.all(running);
      kube.close();
    };
    this.#operator = { controller, end };
  }

  async stop(): Promise<void> {
    await this.#operator?.end();
    this.#operator = undefined;
  }

  /** Waits until nothing waits to be looked at. */
  async idle(): Promise<void> {
    await waitFor("the operator to be idle", () => this.#operator?.controller.queue.busy === 0);
  }

  async create(...objects: KubeObject[]): Promise<void> {
    await this.terminal.create(...objects);
  }

  async get(kind: string, name: string): Promise<KubeObject | undefined> {
    return await this.terminal.get(kind, name, NAMESPACE);
  }

  async uidOf(kind: string, name: string): Promise<string | undefined> {
    return (await this.get(kind, name))?.metadata.uid;
  }

  async patch(name: string, spec: Record<string, unknown>): Promise<void> {
    await this.terminal.patch("prt", name, { spec }, NAMESPACE);
  }

  async remove(kind: string, name: string, ...args: string[]): Promise<void> {
    await this.terminal.remove(kind, name, NAMESPACE, ...args);
  }

  /** Waits until an object exists and is as it is wanted. @param what Completes "Timed out waiting for prt x …". */
  async until(
    [kind, name]: [kind: string, name: string],
    what: string,
    accept: (found: KubeObject) => boolean,
  ): Promise<KubeObject> {
    const isThere = (found: KubeObject | undefined): boolean => !!found && accept(found);
    return (await waitUntil(`${kind} ${name} ${what}`, () => this.get(kind, name), isThere, 60_000))!;
  }

  /** Waits until a Printer is in a phase at its present generation. */
  async untilPhase(name: string, phase: string): Promise<KubeObject> {
    return await this.until(
      ["prt", name],
      `to be ${phase}`,
      ({ status, metadata }) => status?.phase === phase && status.observedGeneration === metadata.generation,
    );
  }

  async mark(): Promise<number> {
    return await auditMark(this.plane.auditLogPath!);
  }

  /** What the operator asked for since a mark; a watch and a log are there twice, when the answer starts and ends. */
  async requestsSince(mark: number): Promise<Request[]> {
    return await requestsSince(this.plane.auditLogPath!, mark, OPERATOR);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.plane.stop();
  }
}

/** The namespaces, and the operator's account with its role. */
function surroundings(): unknown[] {
  const rbac = { apiVersion: "rbac.authorization.k8s.io/v1", metadata: { name: ACCOUNT.name } };
  const rules = PRINTER_PERMISSIONS.map(({ groups, resources, verbs }) => ({ apiGroups: groups, resources, verbs }));
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: ACCOUNT.name };
  return [
    namespace(NAMESPACE, { "pod-security.kubernetes.io/enforce": "restricted" }),
    namespace(ACCOUNT.namespace),
    { apiVersion: "v1", kind: "ServiceAccount", metadata: ACCOUNT },
    { ...rbac, kind: "ClusterRole", rules },
    { ...rbac, kind: "ClusterRoleBinding", roleRef, subjects: [{ kind: "ServiceAccount", ...ACCOUNT }] },
  ];
}

function namespace(name: string, labels: Record<string, string> = {}): unknown {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } };
}
