/**
 * The owners of a wave, and the objects that the operator makes of each, by its own pure functions.
 *
 * @module
 */
import { createControllers } from "../../cli/controllers.ts";
import type { KubeObject, Resource } from "../../lib/api/object.ts";
import { PREVIEW_ENVIRONMENT } from "../../lib/api/preview_environment.ts";
import { withDefaults } from "../../lib/api/validate.ts";
import { readCommandLine } from "../../lib/config.ts";
import { changesFor } from "../../lib/runtime/changes.ts";
import { systemClock } from "../../lib/runtime/clock.ts";
import type { ControllerDefinition, GatherDeps, Lister } from "../../lib/runtime/definition.ts";
import { preview } from "../integration/previews.ts";
import { BED_FLAGS } from "./bed.ts";

/** The kind that is measured. */
export const OWNER: Resource = PREVIEW_ENVIRONMENT.resource;

/** Pull requests of a wave; waves must not share numbers, because names of namespaces are free only late. */
export function pullRequests(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}

/** Namespace of the environment of a pull request. */
export function namespaceOf(pr: number): string {
  return `preview-pr-${pr}`;
}

/** What stands for the operator where it is not: its decisions about owners with no children yet. */
export class Decisions {
  readonly #definition: ControllerDefinition;

  constructor(flags: readonly string[]) {
    const { config } = readCommandLine([...BED_FLAGS, ...flags], {});
    this.#definition = createControllers(config).find(({ kind }) => kind === OWNER)!;
  }

  /** Every resource that children may be of. */
  get resources(): Resource[] {
    return this.#definition.owns.map(({ resource }) => resource);
  }

  resourceOf(object: KubeObject): Resource {
    return this.resources.find(({ kind }) => kind === object.kind)!;
  }

  /** What the operator makes for a pull request, just as it sends it; the namespace first. */
  async objects(pr: number, imageTag = "v1"): Promise<KubeObject[]> {
    const uid = `00000000-0000-0000-0000-${String(pr).padStart(12, "0")}`;
    const { metadata, ...rest } = withDefaults(PREVIEW_ENVIRONMENT, preview(pr, { image_tag: imageTag }));
    const creationTimestamp = new Date(systemClock.now()).toISOString();
    const owner = { ...rest, metadata: { ...metadata, uid, generation: 1, creationTimestamp } };
    const seen = await this.#definition.gather(owner, nothingThere());
    const { desired = [] } = this.#definition.decide(seen, systemClock.now());
    return changesFor(owner, desired, []).create;
  }
}

function nothingThere(): GatherDeps {
  const none: Lister = { get: () => undefined, values: () => [], size: 0, ownedBy: () => [], indexed: () => [] };
  const refuse = (): never => {
    throw new Error("A bench decides without a cluster");
  };
  return { clock: systemClock, kube: { get: refuse, logs: refuse }, cache: () => none, wake: refuse };
}
