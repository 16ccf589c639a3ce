/**
 * What somebody outside the operator sees: watches that note when an object was first there, and lists that count.
 *
 * @module
 */
import { keyOf, type KubeObject, type Resource } from "../../lib/api/object.ts";
import type { KubeClient } from "../../lib/kube/client.ts";
import { CHILD_SELECTOR } from "../../lib/runtime/ownership.ts";
import { waitFor } from "../wait.ts";

const PAGE = 500;
const TIMEOUT_SECONDS = 3600;
const WITHIN_MS = 600_000;

/** Notes when objects were first there, as a watch tells. Metadata only: watching must not cost what is measured. */
export class Sightings implements Disposable {
  readonly #seen = new Set<string>();
  readonly #ending = new AbortController();
  readonly #counts: (object: KubeObject) => boolean;
  #total = Infinity;
  #all = Promise.withResolvers<number>();

  private constructor(counts: (object: KubeObject) => boolean) {
    this.#counts = counts;
  }

  /** Watches children of these resources from now on. @param counts Whether an object is what is waited for. */
  static async begin(
    kube: KubeClient,
    resources: readonly Resource[],
    counts: (object: KubeObject) => boolean = () => true,
  ): Promise<Sightings> {
    const sightings = new Sightings(counts);
    await Promise.all(resources.map((resource) => sightings.#watch(kube, resource)));
    return sightings;
  }

  async #watch(kube: KubeClient, resource: Resource): Promise<void> {
    const scope = { labelSelector: CHILD_SELECTOR, metadataOnly: true };
    const { resourceVersion } = await kube.list(resource, scope, { limit: 1 });
    const { signal } = this.#ending;
    const events = kube.watch(resource, scope, { resourceVersion, timeoutSeconds: TIMEOUT_SECONDS, signal });
    void this.#follow(events, resource).catch((error) => {
      if (!signal.aborted) this.#all.reject(error);
    });
  }

  async #follow(events: ReturnType<KubeClient["watch"]>, { plural }: Resource): Promise<void> {
    for await (const { type, object } of events) {
      const key = `${plural} ${keyOf(object)}`;
      if ((type !== "ADDED" && type !== "MODIFIED") || this.#seen.has(key) || !this.#counts(object)) continue;
      this.#seen.add(key);
      if (this.#seen.size === this.#total) this.#all.resolve(performance.now());
    }
  }

  /** Starts anew. @returns When the given number of new objects has been seen: time of the last, `performance.now()`. */
  expect(total: number): Promise<number> {
    this.#seen.clear();
    this.#total = total;
    this.#all = Promise.withResolvers<number>();
    return this.#all.promise;
  }

  [Symbol.dispose](): void {
    this.#ending.abort();
  }
}

/** All objects of a resource that are children of somebody. */
async function children(kube: KubeClient, resource: Resource): Promise<KubeObject[]> {
  const found: KubeObject[] = [];
  const scope = { labelSelector: CHILD_SELECTOR, metadataOnly: true };
  for (let next: string | undefined, isFirst = true; next || isFirst; isFirst = false) {
    const page = await kube.list(resource, scope, { limit: PAGE, next });
    found.push(...page.items);
    next = page.next;
  }
  return found;
}

/** Waits until there are as many children of each resource. @returns Whether that was so at the first look. */
export async function untilCounted(
  kube: KubeClient,
  expected: ReadonlyMap<Resource, number>,
): Promise<boolean> {
  let looks = 0;
  await waitFor("all children to be there", async () => {
    looks++;
    for (const [resource, count] of expected) {
      if ((await children(kube, resource)).length !== count) return false;
    }
    return true;
  }, WITHIN_MS);
  return looks === 1;
}

/** Waits until owners of these keys say Ready of their present spec. */
export async function untilReady(kube: KubeClient, owners: Resource, keys: Iterable<string>): Promise<void> {
  const left = new Set(keys);
  const look = (owner: KubeObject): void => void (isReady(owner) && left.delete(keyOf(owner)));
  const ending = new AbortController();
  let page = await kube.list(owners, {}, { limit: PAGE });
  page.items.forEach(look);
  while (page.next) {
    page = await kube.list(owners, {}, { limit: PAGE, next: page.next });
    page.items.forEach(look);
  }
  const { resourceVersion } = page;
  const options = { resourceVersion, timeoutSeconds: TIMEOUT_SECONDS, signal: ending.signal };
  if (left.size === 0) return;
  for await (const { type, object } of kube.watch(owners, {}, options)) {
    if (type === "MODIFIED") look(object);
    if (left.size === 0) break;
  }
  ending.abort();
}

function isReady({ metadata, status }: KubeObject): boolean {
  return status?.phase === "Ready" && status.observedGeneration === metadata.generation;
}

/** Waits until nobody has children of any of the resources. */
export async function untilNone(kube: KubeClient, resources: readonly Resource[]): Promise<void> {
  await waitFor("all children to be gone", async () => {
    for (const resource of resources) {
      const scope = { labelSelector: CHILD_SELECTOR, metadataOnly: true };
      if ((await kube.list(resource, scope, { limit: 1 })).items.length > 0) return false;
    }
    return true;
  }, WITHIN_MS);
}
