/**
 * Whom a host belongs to: one meaning for all kinds that have hosts, for their controllers and for admission. Pure.
 *
 * A host has one holder, whatever its kind. Previews and applications have the host that their spec gives them from
 * their creation on. An Environment takes one of two, `<environment>` and one with project and team, and has it once
 * its status says so. Of those who have the same host, the older one by {@link isOlder} holds it; whoever merely wants a
 * host takes another one. Everybody who looks comes to the same answer, so it needs no webhook and no lock.
 *
 * Two Environments that come at the same time must not both take the short host: what an older one without a host is
 * about to take counts as taken. Where they did so nevertheless (within one second the order of creation is not known),
 * the older one keeps it, and the other moves.
 *
 * @module
 */
import { ENVIRONMENT, type Environment } from "./api/environment.ts";
import { keyOf, type KubeObject, type Resource } from "./api/object.ts";
import { PORTFOLIO_APP, type PortfolioApp } from "./api/portfolio_app.ts";
import { PREVIEW_ENVIRONMENT, type PreviewEnvironment } from "./api/preview_environment.ts";
import { environmentHosts } from "./environment_names.ts";
import { appHost } from "./portfolio_names.ts";
import { hostname } from "./preview_names.ts";

/** Index over each of {@link HOST_KINDS} by {@link claimedHosts}. */
export const BY_HOST = "host";

/** The reason of those whose host is somebody else's. */
export const HOST_TAKEN = "HostTaken";

/** Kinds whose objects have hosts. */
export const HOST_KINDS: readonly Resource[] = [PREVIEW_ENVIRONMENT, ENVIRONMENT, PORTFOLIO_APP].map(
  ({ resource }) => resource,
);

/** What an object has of hosts, and what it wants. Hosts are whole names, with their domain. */
export interface HostClaim {
  kind: string;
  /** `namespace/name` */
  key: string;
  uid: string;
  /** RFC 3339. */
  createdAt: string;
  /** The host that it has. */
  given?: string;
  /** Those that it would take, the preferred one first; none where it is not reached from outside. */
  wanted: readonly string[];
}

/** The host of an object; `by` is who has it, where none is left for it. */
export interface HostChoice {
  host: string;
  by?: HostClaim;
}

interface Indexed {
  indexed(index: string, value: string): KubeObject[];
}

interface Changed {
  object: KubeObject;
  /** As it was. */
  old?: KubeObject;
}

/** What an object of one of {@link HOST_KINDS} has and wants. @param domain What hosts end with that nobody wrote. */
export function hostClaim(object: KubeObject, domain: string): HostClaim {
  const { uid = "", creationTimestamp: createdAt = "" } = object.metadata;
  return { kind: object.kind, key: keyOf(object), uid, createdAt, ...hostsOf(object, domain) };
}

function hostsOf(object: KubeObject, domain: string): Pick<HostClaim, "given" | "wanted"> {
  switch (object.kind) {
    case PREVIEW_ENVIRONMENT.resource.kind:
      return always(hostname((object as PreviewEnvironment).spec, domain));
    case PORTFOLIO_APP.resource.kind:
      return always(appHost(object as PortfolioApp, domain));
    default:
      return given(object as Environment, domain);
  }
}

function always(host: string | undefined): Pick<HostClaim, "given" | "wanted"> {
  return host === undefined ? { wanted: [] } : { given: host, wanted: [host] };
}

/** A host below another domain is of an earlier configuration: it is given anew. */
function given(environment: Environment, domain: string): Pick<HostClaim, "given" | "wanted"> {
  const host = environment.status?.host;
  return { ...(host?.endsWith(`.${domain}`) ? { given: host } : {}), wanted: environmentHosts(environment, domain) };
}

/** Every host that concerns an object. */
export function claimedHosts({ given, wanted }: HostClaim): string[] {
  return [...new Set([...(given === undefined ? [] : [given]), ...wanted])];
}

/** Chooses a host. @param rivals All others that have or want one of its hosts. @returns Nothing where it wants none. */
export function chooseHost(own: HostClaim, rivals: readonly HostClaim[]): HostChoice | undefined {
  const hosts = claimedHosts(own);
  const host = hosts.find((each) => !holderOf(each, own, rivals)) ?? hosts.at(-1);
  if (host === undefined) return undefined;
  const by = holderOf(host, own, rivals);
  return { host, ...(by ? { by } : {}) };
}

/** Why an object has no host. */
export interface HostProblem {
  reason: typeof HOST_TAKEN;
  message: string;
}

/** @returns Nothing where an object has a host, or wants none. */
export function hostProblem(choice: HostChoice | undefined): HostProblem | undefined {
  if (!choice?.by) return undefined;
  const { host, by: { kind, key } } = choice;
  return { reason: HOST_TAKEN, message: `Host "${host}" belongs to ${kind} "${key}"` };
}

/** Who of the rivals keeps an object from a host: the oldest, so that all who look name the same one. */
function holderOf(host: string, own: HostClaim, rivals: readonly HostClaim[]): HostClaim | undefined {
  const before = rivals.filter((rival) => {
    if (rival.uid === own.uid) return false;
    if (rival.given === host) return own.given !== host || isOlder(rival, own);
    return rival.given === undefined && own.given !== host && rival.wanted.includes(host) && isOlder(rival, own);
  });
  return before.reduce<HostClaim | undefined>((first, each) => first && isOlder(first, each) ? first : each, undefined);
}

/** A total order, the same for everybody who looks. */
function isOlder(a: HostClaim, b: HostClaim): boolean {
  return `${a.createdAt} ${a.uid}` < `${b.createdAt} ${b.uid}`;
}

/**
 * Of an owner's Ingresses, those at a host that is not its own, or not any more: they go, so that no host is ever served
 * by two.
 */
export function strayIngresses(
  own: HostClaim,
  rivals: readonly HostClaim[],
  ingresses: readonly KubeObject[],
): KubeObject[] {
  const hosts = new Set(claimedHosts(own));
  const isStray = (host: string): boolean => !hosts.has(host) || holderOf(host, own, rivals) !== undefined;
  return ingresses.filter(({ spec }) =>
    (spec?.rules ?? []).some(({ host }: { host?: string }) => host !== undefined && isStray(host))
  );
}

/** All others that have or want a host of an object. @param cacheOf All objects of a kind, indexed {@link BY_HOST}. */
export function rivalsOf(owner: KubeObject, domain: string, cacheOf: (kind: Resource) => Indexed): KubeObject[] {
  const hosts = claimedHosts(hostClaim(owner, domain));
  const found = HOST_KINDS.flatMap((kind) => hosts.flatMap((host) => cacheOf(kind).indexed(BY_HOST, host)));
  return [...new Set(found)].filter(({ metadata }) => metadata.uid !== owner.metadata.uid);
}

/**
 * Keys of the owners that a change of an object with hosts concerns. Before and after: one that lets go of a host frees
 * it.
 */
export function concernedByHosts(
  { object, old }: Changed,
  owners: Indexed,
  domain: string,
): string[] {
  const hosts = [object, ...(old ? [old] : [])].flatMap((each) => claimedHosts(hostClaim(each, domain)));
  const found = [...new Set(hosts)].flatMap((host) => owners.indexed(BY_HOST, host));
  return [...new Set(found.filter(({ metadata }) => metadata.uid !== object.metadata.uid).map(keyOf))];
}

/** What is watched of a kind whose objects may have hosts that others wait for; a part of a kind's definition. */
export function hostWatch(resource: Resource, domain: string): {
  resource: Resource;
  scope: "all";
  owners: (change: Changed, owners: Indexed) => string[];
  reads: (object: KubeObject) => KubeObject;
} {
  return {
    ...{ resource, scope: "all" },
    owners: (change, owners) => concernedByHosts(change, owners, domain),
    reads: (object) => hostShape(object, domain),
  };
}

/** What others read of an object with hosts, so that nothing else of it is news to them. */
function hostShape(object: KubeObject, domain: string): KubeObject {
  const { apiVersion, kind, metadata: { name, namespace, uid } } = object;
  const { given, wanted } = hostClaim(object, domain);
  return { apiVersion, kind, metadata: { name, namespace, uid }, given, wanted };
}
