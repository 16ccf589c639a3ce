/**
 * Reads a real cluster for the comparison with what was asked for: one list for each resource, over all namespaces.
 *
 * @module
 */
import type { KubeObject } from "../lib/api/object.ts";
import { createControllers } from "../cli/controllers.ts";
import { readCommandLine } from "../lib/config.ts";
import type { KubeClient } from "../lib/kube/client.ts";
import { systemClock } from "../lib/runtime/clock.ts";
import type { ControllerDefinition, WatchNeed } from "../lib/runtime/definition.ts";
import { childSelector } from "../lib/runtime/ownership.ts";
import { needsOf, ownerProblems, ownersNeed, problemsOf, World } from "./asked.ts";
import { waitUntil } from "./wait.ts";

const PAGE = 500;
/** Lists of hundreds of objects take the operator's share of the machine when they follow one upon the other. */
const PAUSE_MS = 500;

/** Compares one cluster with what was asked of it. */
export class Comparer {
  readonly #kube: Pick<KubeClient, "list">;
  readonly #definitions: ControllerDefinition[];

  /** @param flags Those that the operator runs with. */
  constructor(kube: Pick<KubeClient, "list">, flags: string[]) {
    this.#kube = kube;
    this.#definitions = createControllers(readCommandLine(flags, {}).config);
  }

  /** @returns One sentence for each problem; those of children only when the owners have none. */
  async problems(asked: readonly KubeObject[]): Promise<string[]> {
    const world = new World(this.#definitions, systemClock);
    const owners = this.#definitions.map(ownersNeed);
    await this.#fill(world, owners);
    const problems = ownerProblems(asked, world);
    if (problems.length > 0) return problems;
    await this.#fill(world, needsOf(this.#definitions));
    return await problemsOf(asked, world);
  }

  /** Waits until there are none. @throws {Error} With the first of them, when time is over. */
  async untilEqual(asked: () => readonly KubeObject[], timeoutMs = 180_000): Promise<void> {
    const look = async (): Promise<string[]> => {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      return await this.problems(asked());
    };
    await waitUntil("the cluster to be what was asked for", look, (problems) => problems.length === 0, timeoutMs);
  }

  async #fill(world: World, needs: WatchNeed[]): Promise<void> {
    await Promise.all(needs.map(async (need) => world.fill(need, await this.#list(need))));
  }

  async #list({ resource, scope, metadataOnly }: WatchNeed): Promise<KubeObject[]> {
    const labelSelector = scope === "children" ? childSelector(resource) : undefined;
    const found: KubeObject[] = [];
    let next: string | undefined;
    do {
      const page = await this.#kube.list(resource, { labelSelector, metadataOnly }, { limit: PAGE, next });
      found.push(...page.items);
      next = page.next;
    } while (next);
    return found;
  }
}
