/**
 * Which images may run (SPEC section 7, admission): registries that are allowed or denied, `latest`, digests.
 *
 * Decided on the normalized name, so that `nginx` and `docker.io/library/nginx` are one image. The lists hold entries
 * of three forms: a registry (`ghcr.io`, `localhost:5000`), a registry with the first whole segments of a path
 * (`ghcr.io/acme`), or all hosts below a domain (`*.example.com`, with or without a path; not `example.com` itself).
 *
 * An entry without a port allows only the standard port of its host but denies all of them: a list must not be got
 * round by writing a port, and allowing a host says nothing about what else listens there.
 *
 * @module
 */
import { format, type ImageReference, normalized, parseReference } from "./reference.ts";

/** The rules, as configured. */
export interface ImagePolicy {
  /** Entries; an empty list allows every registry. */
  allowedRegistries: readonly string[];
  /** Entries; a denied image stays denied when it is also allowed. */
  deniedRegistries: readonly string[];
  /** Whether `latest` may run, written out or implied by having neither tag nor digest. */
  allowLatest: boolean;
  /** Whether every image must carry a digest. */
  requireDigest: boolean;
}

/** What an image and an entry are compared by. */
interface Location {
  host: string;
  port: string;
  path: string;
}

const STANDARD_PORT = "443";
/** One registry under three names, of which the runtime knows two: denying any of them denies all. */
const HUB_HOSTS: readonly string[] = ["docker.io", "index.docker.io", "registry-1.docker.io"];

/**
 * Every rule that an image breaks.
 *
 * @param reference the image to run, tag and digest as they will be in the Pod
 * @returns messages in a fixed order (registry, `latest`, digest); empty when the image may run
 */
export function policyProblems(reference: ImageReference, policy: ImagePolicy): string[] {
  const problems = [
    registryProblem(reference, policy),
    policy.allowLatest ? undefined : latestProblem(reference),
    policy.requireDigest ? digestProblem(reference) : undefined,
  ];
  return problems.filter((problem) => problem !== undefined);
}

/**
 * What is wrong with an entry of the lists, for the check of the configuration at start: an entry that can match
 * nothing (`https://ghcr.io`, `ghcr.io/Acme`) would open what it was meant to close.
 *
 * @returns one sentence, or `undefined` when the entry is good
 */
export function registryEntryProblem(entry: string): string | undefined {
  // What a host stands for is read as in an image: `acme/shop` names no registry and would match nothing.
  const image = parseReference(`${entry.replace(/^\*\./, "any.").replace(/\/$/, "")}/any`);
  if (image.ok && image.reference.domain !== undefined) return undefined;
  return `Registry entry must be a registry, a registry with a path, or "*." and a domain: ${JSON.stringify(entry)}`;
}

function registryProblem(reference: ImageReference, policy: ImagePolicy): string | undefined {
  const { registry, repository } = normalized(reference);
  const image = locate(`${registry}/${repository}`);
  const denied = policy.deniedRegistries.find((entry) => matches(image, entry, { anyPort: true }));
  if (denied !== undefined) {
    return `Image ${quote(reference)} is denied by the registry entry ${JSON.stringify(denied)}`;
  }
  const { allowedRegistries } = policy;
  if (allowedRegistries.length === 0) return undefined;
  if (allowedRegistries.some((entry) => matches(image, entry, { anyPort: false }))) return undefined;
  return `Image ${quote(reference)} is not from an allowed registry: ${allowedRegistries.join(", ")}`;
}

function latestProblem(reference: ImageReference): string | undefined {
  if (reference.digest !== undefined) return undefined;
  if (reference.tag === undefined) return `Image ${quote(reference)} has no tag, which means "latest": name a version`;
  return reference.tag === "latest" ? `Image ${quote(reference)} has the tag "latest": name a version` : undefined;
}

function digestProblem(reference: ImageReference): string | undefined {
  if (reference.digest !== undefined) return undefined;
  return `Image ${quote(reference)} must be pinned by a digest ("@sha256:…")`;
}

function matches(image: Location, entry: string, options: { anyPort: boolean }): boolean {
  const isWildcard = entry.startsWith("*.");
  const wanted = locate(isWildcard ? entry.slice(2) : entry);
  const isHost = isWildcard ? image.host.endsWith(`.${wanted.host}`) : isSameHost(image.host, wanted.host);
  const isPort = portOf(image) === portOf(wanted) || (options.anyPort && wanted.port === "");
  const isPath = wanted.path === "" || `${image.path}/`.startsWith(`${wanted.path}/`);
  return isHost && isPort && isPath;
}

function isSameHost(a: string, b: string): boolean {
  return a === b || (HUB_HOSTS.includes(a) && HUB_HOSTS.includes(b));
}

/** `:0443` and no port at all are the standard port as well. */
function portOf(location: Location): string {
  return location.port === "" ? STANDARD_PORT : String(Number(location.port));
}

/** Takes `host[:port][/path][/]` apart; what is not there is `""`. */
function locate(name: string): Location {
  const [, domain = "", path = ""] = /^([^/]*)\/?(.*?)\/?$/.exec(name) ?? [];
  const [, host = domain, port = ""] = /^(.*):([0-9]+)$/.exec(domain) ?? [];
  return { host: host.toLowerCase(), port, path };
}

function quote(reference: ImageReference): string {
  return JSON.stringify(format(reference));
}
