/**
 * Which kinds the cluster knows: built in, by CustomResourceDefinition or by an aggregated API, so that no list of kinds
 * is needed. Asked as ourselves: every authenticated user may (`system:discovery`).
 *
 * Guarantees: two requests tell all (aggregated discovery, Kubernetes 1.27 and later; older servers are asked group by
 * group); the answer is kept for {@link LONGEST_AGE_MS}; a kind that it has not is looked for anew, at most once in
 * {@link REFRESH_MS}; whoever asks while it is read waits for the same answer.
 *
 * @module
 */
import type { KubeClient } from "./client.ts";
import {
  type AggregatedDocument,
  aggregatedVersions,
  plainVersion,
  type ResourceList,
  type ServedKind,
  type ServedVersion,
} from "./discovery_document.ts";

export type { ServedKind } from "./discovery_document.ts";

/** Least milliseconds between two readings. */
export const REFRESH_MS = 10_000;
/** A kind that is served no more, or with another scope, is noticed after so many milliseconds. */
export const LONGEST_AGE_MS = 10 * 60_000;

const AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
const ACCEPT = `${AGGREGATED},application/json`;

/** Names a kind in one version. */
export interface KindName {
  apiVersion: string;
  kind: string;
}

/** The cluster does not know a kind, or not now. */
export class UnknownKind extends Error {
  override readonly name = "UnknownKind";

  /** @param isStale The server of its API group (an aggregated API) is away: it may be known again soon. */
  constructor(message: string, readonly isStale: boolean) {
    super(message);
  }
}

interface GroupList {
  groups?: { name: string; preferredVersion?: { version: string }; versions: { version: string }[] }[];
}

/** See the module. */
export class Discovery {
  readonly #deps: { kube: Pick<KubeClient, "request">; now: () => number };
  #versions: ServedVersion[] = [];
  #readAt: number | undefined;
  #reading: Promise<void> | undefined;

  /** @param deps.now Milliseconds; only their difference counts. */
  constructor(deps: { kube: Pick<KubeClient, "request">; now: () => number }) {
    this.#deps = deps;
  }

  /**
   * A kind in the version that is asked for.
   *
   * @throws {UnknownKind} Naming it, and the versions in which it is served. @throws {KubeError} When nobody answers.
   */
  async find({ apiVersion, kind }: KindName): Promise<ServedKind> {
    const { group, version } = groupVersion(apiVersion);
    return await this.#look(() => this.#find(group, kind, version)) ?? this.#fail({ apiVersion, kind });
  }

  /**
   * A kind in the version that the server prefers: for objects of which group and kind alone are known.
   *
   * @throws {UnknownKind} @throws {KubeError} When nobody answers.
   */
  async findPreferred(group: string, kind: string): Promise<ServedKind> {
    return await this.#look(() => this.#find(group, kind)) ?? this.#fail({ apiVersion: group || "v1", kind });
  }

  #find(group: string, kind: string, version?: string): ServedKind | undefined {
    const versions = this.#versions.filter((each) =>
      each.group === group && (version === undefined || each.version === version)
    );
    return versions.flatMap(({ kinds }) => kinds).find(({ resource }) => resource.kind === kind);
  }

  async #look(find: () => ServedKind | undefined): Promise<ServedKind | undefined> {
    if (this.#ageMs() > LONGEST_AGE_MS) await this.#read();
    const found = find();
    if (found || this.#ageMs() < REFRESH_MS) return found;
    await this.#read();
    return find();
  }

  #ageMs(): number {
    return this.#readAt === undefined ? Infinity : this.#deps.now() - this.#readAt;
  }

  #fail({ apiVersion, kind }: KindName): never {
    const { group } = groupVersion(apiVersion);
    const known = this.#versions.filter((each) => each.group === group);
    const name = `"${kind}" of "${apiVersion}"`;
    if (known.some(({ isStale }) => isStale)) {
      throw new UnknownKind(`Cannot look up kind ${name}: the server of API group "${group}" does not answer`, true);
    }
    const served = known.filter(({ kinds }) => kinds.some(({ resource }) => resource.kind === kind))
      .map(({ version }) => `"${group ? `${group}/` : ""}${version}"`);
    const hint = served.length > 0
      ? `it is served as ${served.join(", ")}`
      : known.length > 0
      ? "its API group has no such kind"
      : "no such API group is installed";
    throw new UnknownKind(`The cluster does not know kind ${name}: ${hint}`, false);
  }

  async #read(): Promise<void> {
    this.#reading ??= this.#readAll().finally(() => this.#reading = undefined);
    await this.#reading;
  }

  async #readAll(): Promise<void> {
    const [core, groups] = await Promise.all([this.#get("/api"), this.#get("/apis")]);
    this.#versions = [
      ...isAggregated(core) ? aggregatedVersions(core) : [await this.#plain({ group: "", version: "v1" })],
      ...isAggregated(groups) ? aggregatedVersions(groups) : await this.#plainGroups(groups as GroupList),
    ];
    this.#readAt = this.#deps.now();
  }

  async #plainGroups({ groups = [] }: GroupList): Promise<ServedVersion[]> {
    const wanted = groups.flatMap(({ name: group, preferredVersion, versions }) =>
      versions.map(({ version }) => ({ group, version }))
        .sort((a, b) =>
          Number(b.version === preferredVersion?.version) - Number(a.version === preferredVersion?.version)
        )
    );
    return await Promise.all(wanted.map((at) => this.#plain(at)));
  }

  /** One group that does not answer must not hide the others. */
  async #plain(at: { group: string; version: string }): Promise<ServedVersion> {
    const path = at.group === "" ? `/api/${at.version}` : `/apis/${at.group}/${at.version}`;
    try {
      return plainVersion(await this.#get(path) as ResourceList, at);
    } catch {
      return { ...at, kinds: [], isStale: true };
    }
  }

  async #get(path: string): Promise<unknown> {
    return await this.#deps.kube.request({
      method: "GET",
      path,
      accept: ACCEPT,
      counts: { verb: "get", resource: "discovery" },
    }, (response) => response.json());
  }
}

function isAggregated(document: unknown): document is AggregatedDocument {
  return (document as { kind?: string } | null)?.kind === "APIGroupDiscoveryList";
}

function groupVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf("/");
  return { group: slash < 0 ? "" : apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}
