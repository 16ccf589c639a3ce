/**
 * Where an image is asked for: the mirrors of its registry, then the registry itself. Pure.
 *
 * @module
 */
import { type ImageReference, normalized, parseReference } from "../image/reference.ts";
import { isMetadataHost } from "./addresses.ts";
import { RegistryError } from "./errors.ts";

/** Mirrors by the registry that they stand for, in the order in which they are asked. */
export type Mirrors = ReadonlyMap<string, readonly string[]>;

/** One place that may know an image. */
export interface Endpoint {
  /** Host with port as credentials and configuration name it: `docker.io`, `mirror.example:5000`. */
  name: string;
  /** Path of the image in that place. */
  repository: string;
  /** Scheme, host and port of the API. */
  origin: URL;
}

/** The default registry answers its API under another name than images carry. */
const API_HOSTS: ReadonlyMap<string, string> = new Map([["docker.io", "registry-1.docker.io"]]);

/**
 * The places to ask, in order.
 *
 * @param options.insecure registries and mirrors that are spoken to over plain HTTP, in lower case
 * @throws RegistryError `unusable` for a host that can be no registry
 */
export function endpointsOf(
  reference: ImageReference,
  options: { mirrors: Mirrors; insecure: ReadonlySet<string> },
): Endpoint[] {
  const { registry, repository } = normalized(reference);
  const mirrors = (options.mirrors.get(registry) ?? []).map((mirror) => {
    const [name = "", ...prefix] = mirror.split("/");
    return endpoint(name, [...prefix, repository].join("/"), options.insecure);
  });
  return [...mirrors, endpoint(registry, repository, options.insecure)];
}

function endpoint(name: string, repository: string, insecure: ReadonlySet<string>): Endpoint {
  const scheme = insecure.has(name) ? "http" : "https";
  const text = `${scheme}://${API_HOSTS.get(name) ?? name}`;
  if (!URL.canParse(text)) throw new RegistryError("unusable", `Registry "${name}" is no host`);
  const origin = new URL(text);
  if (!insecure.has(name) && isMetadataHost(origin.hostname)) {
    throw new RegistryError("unusable", `Registry "${name}" is an address of metadata services`);
  }
  return { name, repository, origin };
}

/** Where the manifest of a reference is: by its digest where it has one, else by its tag, else by `latest`. */
export function manifestUrl({ origin, repository }: Endpoint, reference: ImageReference): URL {
  return new URL(`/v2/${repository}/manifests/${reference.digest ?? reference.tag ?? "latest"}`, origin);
}

/**
 * What is wrong with an entry of the list of mirrors, for the check of the configuration at start.
 *
 * @param entry `registry=mirror`, both a host with or without a port, the mirror with or without a path:
 * `docker.io=mirror.example:5000`
 */
export function mirrorProblem(entry: string): string | undefined {
  const [registry, mirror, ...more] = entry.split("=");
  const isGood = more.length === 0 && isRegistry(registry ?? "") && isPlace(mirror ?? "");
  return isGood ? undefined : `Mirror must be REGISTRY=MIRROR, such as "docker.io=mirror.example:5000": "${entry}"`;
}

/** Reads entries that {@link mirrorProblem} finds nothing wrong with; several for one registry are asked in order. */
export function parseMirrors(entries: readonly string[]): Mirrors {
  const mirrors = new Map<string, string[]>();
  for (const entry of entries) {
    const [registry = "", mirror = ""] = entry.split("=");
    const [host = "", ...path] = mirror.split("/");
    const { registry: key } = normalized({ domain: registry, path: "any" });
    mirrors.set(key, [...mirrors.get(key) ?? [], [host.toLowerCase(), ...path].join("/")]);
  }
  return mirrors;
}

function isRegistry(text: string): boolean {
  return !text.includes("/") && isPlace(text);
}

function isPlace(text: string): boolean {
  const parsed = parseReference(`${text}/any`);
  return parsed.ok && parsed.reference.domain !== undefined;
}
