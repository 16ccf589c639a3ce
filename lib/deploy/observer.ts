/**
 * What is there of the objects that were applied for an owner, of whatever kinds.
 *
 * Kinds that every application has are watched by the operator, in the very version that is asked for: their permission
 * is named kind by kind, as the operator's ClusterRole must be. For any other kind the operator has no permission of its
 * own, and a wildcard it shall not have; those are listed **as the environment's ServiceAccount**, which by definition
 * may see what it may make, when a reconcile needs them and the last list is older than {@link POLL_MS}. Watching them so,
 * too, would cost a connection for each kind of each environment, and a list for each at every start. So drift of watched
 * kinds is seen at once, that of others at the next look, which whoever reconciles asks for.
 *
 * @module
 */
import { LABEL_DEPLOYED, LABEL_OWNER_UID } from "../api/names.ts";
import { apiVersionOf, type KubeObject, type Resource } from "../api/object.ts";
import type { KubeClient } from "../kube/client.ts";
import { hasStatus } from "../kube/errors.ts";
import type { Lister } from "../runtime/cache.ts";
import { withoutContent } from "../runtime/copies.ts";
import { listRefusal, type Refused } from "./refusals.ts";
import { hasContent, identityOf, type Place } from "./wanted.ts";

/** A list younger than this is used again: many events of one rollout do not ask again and again. */
export const POLL_MS = 4_000;
const PAGE = 500;

/** A kind that the operator watches by label: an informer. */
export interface Watched {
  readonly resource: Resource;
  readonly cache: Lister;
  /** Takes in the answer to a write. */
  observe(object: KubeObject): void;
}

/** An object of the owner's that is there. */
export interface Seen {
  object: KubeObject;
  resource: Resource;
}

/** Objects of an owner by {@link identityOf}. */
export type SeenObjects = Map<string, Seen>;

/** Who reads what is not watched. */
export interface Reader extends Refused {
  kube: Pick<KubeClient, "list">;
}

interface Polled {
  at: number;
  objects: Map<string, KubeObject>;
}

/** See the module. One for all owners. */
export class Observer {
  readonly #now: () => number;
  readonly #watched: ReadonlyMap<string, Watched>;
  /** By uid of the owner, then by kind. */
  readonly #polled = new Map<string, Map<string, Polled>>();

  /**
   * @param deps.watched Informers of children of the kinds that are watched; those of Secrets and ConfigMaps have the shape
   * `withoutContent`.
   * @param deps.now Milliseconds; only their difference counts.
   */
  constructor({ watched, now }: { watched: readonly Watched[]; now: () => number }) {
    this.#watched = new Map(watched.map((each) => [keyOfKind(each.resource), each]));
    this.#now = now;
  }

  /** The kinds that are watched: looking at them costs nothing. */
  get watchedKinds(): Resource[] {
    return [...this.#watched.values()].map(({ resource }) => resource);
  }

  /** Whether changes of this kind are seen at the next look only. */
  isPolled(resource: Resource): boolean {
    return !this.#watched.has(keyOfKind(resource));
  }

  /**
   * Everything of these kinds that came from the owner's source.
   *
   * @param as.kube Acts as the environment's ServiceAccount. @throws {Stalled} Forbidden, where that may not list a kind.
   */
  async read({ owner, namespace }: Place, kinds: readonly Resource[], as: Reader): Promise<SeenObjects> {
    const uid = owner.metadata.uid ?? "";
    const found = await Promise.all(kinds.map(async (resource) => {
      const cache = this.#watched.get(keyOfKind(resource))?.cache;
      const objects = cache
        ? cache.ownedBy(uid)
        : (await this.#poll(uid, { resource, namespace, as })).objects.values();
      return [...objects].filter((object) => object.metadata.namespace === namespace && isDeployed(object))
        .map((object): [string, Seen] => [identityOf(object), { object, resource }]);
    }));
    return new Map(found.flat());
  }

  /** Takes in the answer to a write. @returns The object as it will be seen. */
  observe(owner: KubeObject, object: KubeObject, resource: Resource): KubeObject {
    const watched = this.#watched.get(keyOfKind(resource));
    if (!watched) {
      this.#polledOf(owner.metadata.uid ?? "").get(keyOfKind(resource))?.objects.set(
        object.metadata.name,
        withoutSecrets(object),
      );
      return withoutSecrets(object);
    }
    watched.observe(object);
    return watched.cache.get(`${object.metadata.namespace}/${object.metadata.name}`) ?? object;
  }

  /** A write went wrong, or an object is gone: the next look asks the server. */
  doubt(owner: KubeObject, resource: Resource): void {
    this.#polledOf(owner.metadata.uid ?? "").delete(keyOfKind(resource));
  }

  /** Nothing more is asked for this owner. */
  forget(owner: KubeObject): void {
    this.#polled.delete(owner.metadata.uid ?? "");
  }

  #polledOf(uid: string): Map<string, Polled> {
    const known = this.#polled.get(uid) ?? new Map<string, Polled>();
    this.#polled.set(uid, known);
    return known;
  }

  async #poll(
    uid: string,
    { resource, namespace, as }: { resource: Resource; namespace: string; as: Reader },
  ): Promise<Polled> {
    const polled = this.#polledOf(uid);
    const known = polled.get(keyOfKind(resource));
    const now = this.#now();
    if (known && now - known.at < POLL_MS) return known;
    const scope = { namespace, labelSelector: `${LABEL_OWNER_UID}=${uid}` };
    const items = await listAll(as.kube, resource, scope).catch((error) => {
      throw listRefusal(error, resource, as);
    });
    const fresh = { at: now, objects: new Map(items.map((object) => [object.metadata.name, withoutSecrets(object)])) };
    polled.set(keyOfKind(resource), fresh);
    return fresh;
  }
}

/**
 * All pages of a list. A kind that is served no more (its CustomResourceDefinition went) has no objects.
 *
 * @throws {KubeError} What the server refuses.
 */
export async function listAll(
  kube: Pick<KubeClient, "list">,
  resource: Resource,
  scope: Parameters<KubeClient["list"]>[1],
): Promise<KubeObject[]> {
  const items: KubeObject[] = [];
  let next: string | undefined;
  do {
    try {
      const page = await kube.list(resource, scope, { limit: PAGE, next });
      items.push(...page.items);
      next = page.next;
    } catch (error) {
      if (hasStatus(error, 404)) return [];
      throw error;
    }
  } while (next);
  return items;
}

/** Marked, and not made by a controller that copies marks (as EndpointSlices have those of their Service). */
export function isDeployed({ metadata }: KubeObject): boolean {
  return metadata.labels?.[LABEL_DEPLOYED] !== undefined &&
    !metadata.ownerReferences?.some(({ controller }) => controller);
}

/** As informers of Secrets and ConfigMaps keep them. */
function withoutSecrets(object: KubeObject): KubeObject {
  return hasContent(object) ? withoutContent(object) : object;
}

function keyOfKind(resource: Resource): string {
  return `${resource.plural}.${apiVersionOf(resource)}`;
}
