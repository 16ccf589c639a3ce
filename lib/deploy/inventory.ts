/**
 * What was applied for an owner, as its status remembers it. It is what says which kinds to look at: an object of a kind
 * that the source has no more would else be found by nobody.
 *
 * @module
 */
import type { KubeObject, Resource } from "../api/object.ts";
import type { Discovery } from "../kube/discovery.ts";
import { UnknownKind } from "../kube/discovery.ts";
import type { SeenObjects } from "./observer.ts";
import { identityOf, type Wanted } from "./wanted.ts";

/** An entry of `status.deployed`; the namespace is the environment's. */
export interface DeployedEntry {
  apiVersion: string;
  kind: string;
  name: string;
}

/** An object in few words. */
export function entryOf({ apiVersion, kind, metadata }: KubeObject): DeployedEntry {
  return { apiVersion, kind, name: metadata.name };
}

/** What is there, in an order that does not follow from what was shown last: another order would be one more write. */
export function inventoryOf(seen: SeenObjects): DeployedEntry[] {
  return [...seen].sort(([a], [b]) => a < b ? -1 : 1).map(([, { object }]) => entryOf(object));
}

/**
 * The inventory to write down **before** anything is applied: what was there, and what will be. So nothing of a kind that
 * is not watched is ever forgotten, whenever the process ends; objects of watched kinds are found by their label.
 *
 * @returns Nothing where the old one knows all kinds already.
 */
export function inventoryAhead(
  inventory: readonly DeployedEntry[],
  wanted: readonly Wanted[],
  isPolled: (resource: Resource) => boolean,
): DeployedEntry[] | undefined {
  const known = new Set(inventory.map(({ apiVersion, kind }) => `${kind}.${groupOf(apiVersion)}`));
  const isNew = wanted.some(({ kind: { resource } }) =>
    isPolled(resource) && !known.has(`${resource.kind}.${resource.group}`)
  );
  if (!isNew) return undefined;
  const all = new Map(inventory.map((entry) => [identityOfEntry(entry), entry]));
  for (const { object } of wanted) all.set(identityOf(object), entryOf(object));
  return [...all.values()];
}

/**
 * The resources to look at: each kind once, in the version that is wanted, or else the one that is watched, or else the
 * one that the server prefers. A kind that the cluster knows no more has no objects that anybody could delete.
 *
 * @throws {UnknownKind} While an API that has a kind of the inventory is away.
 */
export async function kindsToRead(
  inventory: readonly DeployedEntry[],
  { wanted, watched }: { wanted: readonly Wanted[]; watched: readonly Resource[] },
  discovery: Pick<Discovery, "findPreferred">,
): Promise<Resource[]> {
  const kinds = new Map([...watched, ...wanted.map(({ kind }) => kind.resource)].map((resource) => [
    `${resource.kind}.${resource.group}`,
    resource,
  ]));
  for (const { apiVersion, kind } of inventory) {
    const group = groupOf(apiVersion);
    if (kinds.has(`${kind}.${group}`)) continue;
    try {
      kinds.set(`${kind}.${group}`, (await discovery.findPreferred(group, kind)).resource);
    } catch (error) {
      if (!(error instanceof UnknownKind) || error.isStale) throw error;
    }
  }
  return [...kinds.values()];
}

function groupOf(apiVersion: string): string {
  return apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
}

function identityOfEntry({ apiVersion, kind, name }: DeployedEntry): string {
  return identityOf({ apiVersion, kind, metadata: { name } });
}
