/**
 * What the API server says about the kinds that it serves, in both of its forms: aggregated
 * (`APIGroupDiscoveryList`, one document for all groups) and plain (`APIResourceList`, one for each group and version).
 *
 * @see https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api
 * @module
 */
import type { Resource } from "../api/object.ts";

/** A kind that is served. */
export interface ServedKind {
  readonly resource: Resource;
  readonly verbs: readonly string[];
  /** `status`, `scale` and the like. */
  readonly subresources: readonly string[];
}

/** One API group in one version. */
export interface ServedVersion {
  readonly group: string;
  readonly version: string;
  readonly kinds: readonly ServedKind[];
  /** The server behind it (an aggregated API) was not there to ask: its kinds are old or missing. */
  readonly isStale: boolean;
}

/** `APIGroupDiscoveryList` (apidiscovery.k8s.io/v2), as far as it is read. */
export interface AggregatedDocument {
  kind: "APIGroupDiscoveryList";
  items?: {
    metadata?: { name?: string };
    versions?: { version: string; resources?: AggregatedResource[]; freshness?: string }[];
  }[];
}

interface AggregatedResource {
  resource: string;
  responseKind?: { kind?: string } | null;
  scope: string;
  verbs?: string[];
  subresources?: { subresource: string }[];
}

/** `APIResourceList`, as far as it is read. */
export interface ResourceList {
  resources?: { name: string; kind: string; namespaced: boolean; verbs?: string[] }[];
}

/** The versions of an aggregated document, those of one group in the server's order of preference. */
export function aggregatedVersions({ items = [] }: AggregatedDocument): ServedVersion[] {
  return items.flatMap(({ metadata, versions = [] }) =>
    versions.map(({ version, resources = [], freshness }) => {
      const group = metadata?.name ?? "";
      const kinds = resources.flatMap((resource) => aggregatedKind(resource, { group, version }));
      return { group, version, kinds, isStale: freshness === "Stale" };
    })
  );
}

/** Without a kind it is there for its subresources alone. */
function aggregatedKind(from: AggregatedResource, at: { group: string; version: string }): ServedKind[] {
  const kind = from.responseKind?.kind;
  if (!kind) return [];
  return [{
    resource: { ...at, kind, plural: from.resource, namespaced: from.scope === "Namespaced" },
    verbs: from.verbs ?? [],
    subresources: (from.subresources ?? []).map(({ subresource }) => subresource),
  }];
}

/** One version of a plain document, where subresources stand beside their resource (`deployments/scale`). */
export function plainVersion({ resources = [] }: ResourceList, at: { group: string; version: string }): ServedVersion {
  const kinds = resources.filter(({ name }) => !name.includes("/")).map(({ name, kind, namespaced, verbs = [] }) => ({
    resource: { ...at, kind, plural: name, namespaced },
    verbs,
    subresources: resources.filter((other) => other.name.startsWith(`${name}/`))
      .map((other) => other.name.slice(name.length + 1)),
  }));
  return { ...at, kinds, isStale: false };
}
