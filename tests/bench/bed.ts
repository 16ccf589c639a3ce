/**
 * What is measured: a control plane, the operator on it as a process, and a client of an administrator outside both.
 *
 * @module
 */
import { KubeClient } from "../../lib/kube/client.ts";
import { kubeconfigCredentials } from "../../lib/kube/credentials.ts";
import { type ControlPlane, startControlPlane } from "../control_plane/control_plane.ts";
import { install, type Installed } from "../installed.ts";
import { waitFor } from "../wait.ts";
import { beyondWatches, type Requests, requestsOf, type Series, seriesOf, since } from "./figures.ts";
import { componentsOf, type CpuSeconds, cpuSeconds, memory } from "./processes.ts";

/** What was used between two looks. */
export interface Usage {
  /** CPU seconds of the operator, where it ran all the time, of the control plane's components, and of the bench. */
  cpu: CpuSeconds;
  /** Of the operator. */
  requests: Requests;
}

/** No request but watches for this long: the work is done. */
const QUIET_MS = 1_000;
const QUIET_WITHIN_MS = 300_000;

/** See the module. */
export class Bed implements AsyncDisposable {
  readonly plane: ControlPlane;
  readonly operator: Installed;
  /** Of an administrator. */
  readonly kube: KubeClient;
  readonly #components: Map<string, number>;
  #isRunning = true;

  private constructor(
    plane: ControlPlane,
    operator: Installed,
    clients: { kube: KubeClient; components: Map<string, number> },
  ) {
    this.plane = plane;
    this.operator = operator;
    this.kube = clients.kube;
    this.#components = clients.components;
  }

  /** Starts it all. @param flags Further flags of the operator. */
  static async start(nodes: number, flags: readonly string[]): Promise<Bed> {
    const plane = await startControlPlane({ nodes });
    try {
      const operator = await install(plane, { flags: [...BED_FLAGS, ...flags] });
      const kube = new KubeClient(await kubeconfigCredentials(plane.kubeconfigPath), { userAgent: "maquette-bench" });
      return new Bed(plane, operator, { kube, components: await componentsOf(plane.folder) });
    } catch (error) {
      await plane.stop();
      throw error;
    }
  }

  async startOperator(): Promise<void> {
    if (this.#isRunning) return;
    await this.operator.start();
    this.#isRunning = true;
  }

  async stopOperator(): Promise<void> {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    await this.operator.stop();
  }

  /** All that the operator tells about itself. */
  async series(): Promise<Series[]> {
    return seriesOf(await this.operator.metrics());
  }

  /** Begins to count. @returns Tells what was used since, as often as it is asked. */
  async meter(): Promise<() => Promise<Usage>> {
    const isRunning = this.#isRunning;
    const [cpu, requests] = [await this.#cpu(isRunning), isRunning ? requestsOf(await this.series()) : {}];
    return async () => {
      const used = Object.entries(await this.#cpu(isRunning)).map(([name, now]) => [name, now - (cpu[name] ?? 0)]);
      return {
        cpu: Object.fromEntries(used),
        requests: isRunning ? since(requests, requestsOf(await this.series())) : {},
      };
    };
  }

  async #cpu(withOperator: boolean): Promise<CpuSeconds> {
    const own: [string, number][] = [
      ["bench", Deno.pid],
      ...(withOperator ? [["operator", this.operator.pid] as [string, number]] : []),
    ];
    const processes = [...this.#components, ...own];
    return Object.fromEntries(await Promise.all(processes.map(async ([name, pid]) => [name, await cpuSeconds(pid)])));
  }

  /** What the operator has used since it started. */
  async total(): Promise<Usage> {
    return { cpu: { operator: await cpuSeconds(this.operator.pid) }, requests: requestsOf(await this.series()) };
  }

  /** Memory of the operator. */
  async memory(): Promise<{ rssMb: number; peakMb: number }> {
    return await memory(this.operator.pid);
  }

  /** Waits until the operator makes no more requests, but watches. */
  async quiet(): Promise<void> {
    let [count, at] = [-1, performance.now()];
    await waitFor("the operator to be quiet", async () => {
      // Asking costs the operator time, too: not at every look.
      if (performance.now() - at < QUIET_MS) return false;
      const now = beyondWatches(requestsOf(await this.series()));
      const isQuiet = now === count;
      [count, at] = [now, performance.now()];
      return isQuiet;
    }, QUIET_WITHIN_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopOperator();
    this.kube.close();
    await this.plane.stop();
  }
}

/** Plain HTTP: certificates of previews are somebody else's work, and nobody is here to do it. */
export const BED_FLAGS = ["--tls=none"];
