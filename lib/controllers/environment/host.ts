/**
 * The host of an environment, one label below the domain: `<environment>`, and where somebody else has that, one with
 * project and team. Once given it stays, and it has one holder. Pure.
 *
 * Two that come at the same time must not both take the short one: what an older one without a host is about to take
 * counts as taken. Where they did so nevertheless (within one second the order of creation is not known), the older one
 * by {@link isOlder} keeps it, and the other moves.
 *
 * @module
 */
import type { Environment } from "../../api/environment.ts";
import { keyOf } from "../../api/object.ts";
import { environmentNames, hostLabels } from "../../environment_names.ts";

/** Who holds or wants hosts: an Environment, or an object of another kind under the same domain. */
export interface HostClaim {
  kind: string;
  /** `namespace/name` */
  key: string;
  uid: string;
  /** RFC 3339. */
  createdAt: string;
  /** The host that it has, without the domain. */
  given?: string;
  /** Those that it would take, the preferred one first. */
  wanted: readonly string[];
}

/** The host of an environment, or who has the last one that it could take. Without the domain. */
export type HostChoice = { is: "given"; label: string } | { is: "taken"; label: string; by: HostClaim };

/** What an Environment holds and wants. */
export function hostClaim(owner: Environment, domain: string): HostClaim {
  const { uid = "", creationTimestamp: createdAt = "" } = owner.metadata;
  const given = givenLabel(owner.status?.host, domain);
  const wanted = hostLabels(environmentNames(owner));
  return { kind: owner.kind, key: keyOf(owner), uid, createdAt, ...(given ? { given } : {}), wanted };
}

/** A host below another domain is of an earlier configuration: it is given anew. */
function givenLabel(host: string | undefined, domain: string): string | undefined {
  const end = `.${domain}`;
  return host?.endsWith(end) ? host.slice(0, -end.length) : undefined;
}

/** Every label that concerns an Environment: what an index over them holds. */
export function claimedLabels(claim: HostClaim): string[] {
  return [...new Set([...(claim.given ? [claim.given] : []), ...claim.wanted])];
}

/** @param rivals All others that hold or want one of the hosts. */
export function chooseHost(own: HostClaim, rivals: readonly HostClaim[]): HostChoice {
  const labels = claimedLabels(own);
  const free = labels.find((label) => !holderOf(label, own, rivals));
  if (free !== undefined) return { is: "given", label: free };
  const last = labels.at(-1)!;
  return { is: "taken", label: last, by: holderOf(last, own, rivals)! };
}

function holderOf(label: string, own: HostClaim, rivals: readonly HostClaim[]): HostClaim | undefined {
  return rivals.find((rival) => {
    if (rival.uid === own.uid) return false;
    if (rival.given === label) return own.given !== label || isOlder(rival, own);
    return rival.given === undefined && own.given !== label && rival.wanted.includes(label) && isOlder(rival, own);
  });
}

/** A total order, the same for everybody who looks. */
function isOlder(a: HostClaim, b: HostClaim): boolean {
  return `${a.createdAt} ${a.uid}` < `${b.createdAt} ${b.uid}`;
}
