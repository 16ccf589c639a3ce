/**
 * Credentials for registries as Secrets hold them (`kubernetes.io/dockerconfigjson` and the older
 * `kubernetes.io/dockercfg`), found for an image as kubelets find them (k8s.io/kubernetes, pkg/credentialprovider).
 * Pure. Credentials never stand in an error or a text of this module.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** Who asks: a name and password, or a token that buys tokens (`identitytoken`, an OAuth 2 refresh token). */
export interface Credential {
  username: string;
  password: string;
  identityToken?: string;
}

/** What is read of a Secret; its data as it stands on the wire, in base64. */
export interface SecretContent {
  type?: string;
  data?: Readonly<Record<string, string>>;
}

/** What {@link readKeyring} answers. The problem is one sentence that a person can act on. */
export type ParsedKeyring = { ok: true; keyring: Keyring } | { ok: false; problem: string };

const DOCKER_CONFIG_KEY = ".dockerconfigjson";
const LEGACY_KEY = ".dockercfg";
/** Under which Docker Hub's credentials stand, and what images call it. */
const DEFAULT_ENTRY = "index.docker.io";
const DEFAULT_REGISTRY = "docker.io";

/** An entry of a config: for which images, and whose. */
interface Entry {
  /** Host with its port and, behind it, the path that the image's begins with. */
  place: string;
  credential: Credential;
}

/** The credentials of one or more Secrets. */
export class Keyring {
  readonly #entries: readonly Entry[];

  constructor(entries: readonly Entry[]) {
    // More of a path stands before less of it: the more specific entry is tried first.
    this.#entries = entries.toSorted((a, b) => a.place < b.place ? 1 : a.place > b.place ? -1 : 0);
  }

  /** The credentials of several keyrings, for Secrets that are used together. */
  static joined(keyrings: readonly Keyring[]): Keyring {
    return new Keyring(keyrings.flatMap((keyring) => keyring.#entries));
  }

  /**
   * The credentials for an image, the most specific first.
   *
   * @param registry host with its port as in `normalized()`: `docker.io`, `registry.example.com:5000`
   * @param repository path in the registry
   */
  lookup(registry: string, repository: string): Credential[] {
    const found = this.#entries.filter(({ place }) => matches(place, registry, repository));
    if (found.length > 0 || registry !== DEFAULT_REGISTRY) return found.map(({ credential }) => credential);
    return this.#entries.filter(({ place }) => place === DEFAULT_ENTRY).map(({ credential }) => credential);
  }
}

/** Reads a Secret of one of the two types; one without a type is read by the key that it has. */
export function readKeyring(secret: SecretContent): ParsedKeyring {
  const data = secret.data ?? {};
  const isLegacy = !(DOCKER_CONFIG_KEY in data) && LEGACY_KEY in data;
  const key = isLegacy ? LEGACY_KEY : DOCKER_CONFIG_KEY;
  const encoded = data[key];
  if (encoded === undefined) return { ok: false, problem: `Secret has no key "${DOCKER_CONFIG_KEY}"` };
  try {
    const config: unknown = JSON.parse(Buffer.from(encoded, "base64").toString());
    const auths = isLegacy ? config : (config as { auths?: unknown } | null)?.auths ?? {};
    return { ok: true, keyring: new Keyring(entriesOf(auths)) };
  } catch (error) {
    // What JSON.parse complains of quotes the text, and the text holds passwords.
    const why = error instanceof EntryProblem ? error.message : "it is not the JSON of a Docker configuration";
    return { ok: false, problem: `Key "${key}" of the Secret cannot be read: ${why}` };
  }
}

/**
 * The key of a Secret that holds a whole `config.json`, which is what programs can be handed as a file.
 *
 * @returns nothing for the older type, whose content is another one
 */
export function configJsonKey(secret: SecretContent): string | undefined {
  return DOCKER_CONFIG_KEY in (secret.data ?? {}) ? DOCKER_CONFIG_KEY : undefined;
}

class EntryProblem extends Error {}

function entriesOf(auths: unknown): Entry[] {
  if (typeof auths !== "object" || auths === null || Array.isArray(auths)) throw new EntryProblem("it has no auths");
  return Object.entries(auths).map(([place, auth]) => ({
    place: placeOf(place),
    credential: credentialOf(place, auth),
  }));
}

/** `https://index.docker.io/v1/` and `index.docker.io` are one: the API's version is no part of the place. */
function placeOf(key: string): string {
  const [host = "", ...path] = key.replace(/^https?:\/\//, "").split("/");
  if (path.length > 1 && (path[0] === "v1" || path[0] === "v2")) path.shift();
  const rest = path.join("/");
  return rest === "" ? host.toLowerCase() : `${host.toLowerCase()}/${rest}`;
}

function credentialOf(place: string, auth: unknown): Credential {
  const { username, password, auth: both, identitytoken } = (auth ?? {}) as Record<string, unknown>;
  const identity = typeof identitytoken === "string" && identitytoken !== "" ? { identityToken: identitytoken } : {};
  if (typeof both === "string" && both !== "") return { ...decoded(place, both), ...identity };
  if ([username, password].some((part) => part !== undefined && typeof part !== "string")) {
    throw new EntryProblem(`the entry "${place}" has a username or password that is no text`);
  }
  return { username: String(username ?? ""), password: String(password ?? ""), ...identity };
}

function decoded(place: string, auth: string): Credential {
  const text = Buffer.from(auth.trim(), "base64").toString();
  const colon = text.indexOf(":");
  if (colon < 0) throw new EntryProblem(`"auth" of the entry "${place}" is not username:password in base64`);
  return { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, "") };
}

/** As kubelets do: the port is the same, the host matches part by part, the entry's path begins the image's. */
function matches(place: string, registry: string, repository: string): boolean {
  const slash = place.indexOf("/");
  const [host, path] = slash < 0 ? [place, ""] : [place.slice(0, slash), place.slice(slash)];
  if (!`/${repository}`.startsWith(path)) return false;
  const [[pattern, port], [name, namePort]] = [splitPort(host), splitPort(registry)];
  if (port !== namePort) return false;
  const [globs, parts] = [pattern.split("."), name.split(".")];
  return globs.length === parts.length && globs.every((glob, at) => matchesGlob(glob, parts[at]!));
}

function splitPort(host: string): [name: string, port: string] {
  const match = /^(.*?)(?::(\d+))?$/.exec(host);
  return [match?.[1] ?? host, match?.[2] ?? ""];
}

/** `*` stands for any number of characters, `?` for one. By hand: a pattern of many stars must not take long. */
function matchesGlob(glob: string, text: string): boolean {
  let [g, t, star, mark] = [0, 0, -1, 0];
  while (t < text.length) {
    if (g < glob.length && (glob[g] === "?" || (glob[g] !== "*" && glob[g] === text[t]))) [g, t] = [g + 1, t + 1];
    else if (glob[g] === "*") [star, mark, g] = [g, t, g + 1];
    else if (star >= 0) [g, mark, t] = [star + 1, mark + 1, mark + 1];
    else return false;
  }
  return [...glob.slice(g)].every((character) => character === "*");
}
