/**
 * The informers of a process: one watch per resource and scope, shared by all kinds and by the webhook.
 *
 * @module
 */
import type { WatchNeed } from "./definition.ts";
import { Informer, type InformerDeps } from "./informer.ts";
import { childSelector } from "./ownership.ts";

type InformerKey = Pick<WatchNeed, "resource" | "scope">;

/** See the module. */
export class InformerSet {
  readonly #deps: InformerDeps;
  readonly #informers = new Map<string, { informer: Informer; need: WatchNeed }>();

  constructor(deps: InformerDeps) {
    this.#deps = deps;
  }

  /** The informer for a need, made when it is the first. @throws {Error} When two kinds need different parts of the objects. */
  need(need: WatchNeed): Informer {
    const known = this.#informers.get(keyOfNeed(need));
    if (known) {
      const parts = ["namespace", "metadataOnly", "shape"] as const;
      if (parts.some((part) => known.need[part] !== need[part])) {
        throw new Error(`Cannot watch "${need.resource.plural}" once: kinds need different parts of it`);
      }
      return known.informer;
    }
    const { resource, scope, namespace, metadataOnly, shape } = need;
    const labelSelector = scope === "children" ? childSelector(resource) : undefined;
    const informer = new Informer({ resource, namespace, labelSelector, metadataOnly, shape }, this.#deps);
    this.#informers.set(keyOfNeed(need), { informer, need });
    return informer;
  }

  /** An informer that was needed before. @throws {Error} When it was not. */
  get(key: InformerKey): Informer {
    const known = this.#informers.get(keyOfNeed(key));
    if (!known) throw new Error(`Cannot read "${key.resource.plural}" (${key.scope}): no kind watches it`);
    return known.informer;
  }

  all(): Informer[] {
    return [...this.#informers.values()].map(({ informer }) => informer);
  }
}

function keyOfNeed({ resource, scope }: InformerKey): string {
  return `${resource.plural}.${resource.group}/${scope}`;
}
