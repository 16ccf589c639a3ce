/**
 * An operator that is troubled in the middle of a wave, and the cluster compared with what the wave asked for.
 *
 * @module
 */
import assert from "node:assert/strict";
import { kubeconfigCredentials } from "../lib/kube/credentials.ts";
import { KubeClient } from "../lib/kube/client.ts";
import { Comparer } from "./asked_cluster.ts";
import { seededRandom, Wave } from "./asked_wave.ts";
import type { ControlPlane } from "./control_plane/control_plane.ts";
import type { Installed } from "./installed.ts";
import { waitFor } from "./wait.ts";

/** Something that goes wrong for a while. */
export interface Trouble {
  begin(): Promise<void> | void;
  /** Done when it has lasted long enough. */
  lasts(operator: Installed): Promise<void>;
  end(): Promise<void> | void;
}

/** Requests of a wave before, in and after a trouble. */
const SENT = { before: 10, meanwhile: 10, after: 5 };
/** Resources that every wave changes, watched once each: their lists are verifying ones. */
export const TOUCHED: readonly string[] = [
  ...["previewenvironments", "namespaces", "deployments", "services", "ingresses", "networkpolicies"],
  ...["resourcequotas", "limitranges", "pods", "endpointslices"],
];
const VERIFIED_MS = 180_000;

/** See the module. */
export class Trial implements Disposable {
  readonly wave: Wave;
  readonly #kube: KubeClient;
  readonly #comparer: Comparer;

  private constructor(kube: KubeClient, seed: number, flags: string[]) {
    this.#kube = kube;
    this.wave = new Wave(kube, seededRandom(seed));
    this.#comparer = new Comparer(kube, flags);
  }

  /** @param seed Of the wave. @param flags Those that the operator runs with. */
  static async start(plane: ControlPlane, seed: number, flags: string[]): Promise<Trial> {
    return new Trial(new KubeClient(await kubeconfigCredentials(plane.kubeconfigPath)), seed, flags);
  }

  /** Waits until the cluster is what was asked for. */
  async untilEqual(timeoutMs?: number): Promise<void> {
    await this.#comparer.untilEqual(() => this.wave.asked, timeoutMs);
  }

  /** A trouble comes in the middle of a wave and goes. @throws {Error} When the cluster does not become what was asked for. */
  async survive(trouble: Trouble, operator: Installed): Promise<void> {
    await this.wave.send(SENT.before);
    await trouble.begin();
    const meanwhile = this.wave.send(SENT.meanwhile);
    await trouble.lasts(operator);
    await trouble.end();
    await meanwhile;
    await this.wave.send(SENT.after);
    await this.untilEqual();
    assert.equal(await operator.metric("maquette_watch_missed_events_total"), 0, "events were missed");
  }

  /**
   * Waits until the operator has compared every cache that a wave changes with a list that it began after this call:
   * two lists later the first of them has been compared. A quiet watch could not prove that it had kept up with a list.
   */
  async untilVerified(operator: Installed): Promise<void> {
    const lists = async (): Promise<number[]> =>
      await Promise.all(
        TOUCHED.map((resource) =>
          operator.metric("maquette_api_requests_total", { verb: "list", resource, code: "200" })
        ),
      );
    const before = await lists();
    await waitFor("all caches to be compared with lists", async () => {
      await this.wave.send(SENT.after);
      return (await lists()).every((count, index) => count >= before[index]! + 2);
    }, VERIFIED_MS);
    await this.untilEqual();
    assert.equal(await operator.metric("maquette_watch_missed_events_total"), 0, "events were missed");
  }

  [Symbol.dispose](): void {
    this.#kube.close();
  }
}

/** Waits. Only for what is itself a span of time: a fault, a lease. */
export async function timePasses(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
