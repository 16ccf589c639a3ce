/**
 * Image references by the grammar of github.com/distribution/reference (regexp.go, normalize.go), which kubelets and
 * container runtimes read them by: `[domain/]path[:tag][@digest]`.
 *
 * The parser is built from the patterns that the CRDs are built from (lib/api/image_pattern.ts), so that schema and
 * webhook cannot drift apart.
 *
 * @module
 */
import {
  COMPONENT,
  DIGEST,
  DOMAIN,
  MAX_NAME_LENGTH,
  MAX_REFERENCE_LENGTH,
  MAX_TAG_LENGTH,
  TAG_PATTERN,
} from "../api/image_pattern.ts";

export { IMAGE_PATTERN, MAX_REFERENCE_LENGTH, TAG_PATTERN } from "../api/image_pattern.ts";

/** A reference as it was written; {@link normalized} fills in what it leaves out. */
export interface ImageReference {
  /** Host of the registry with its port, if any: `localhost:5000`, `ghcr.io`, `[::1]:5000`. */
  domain?: string;
  /** Repository within the registry, for instance `acme/shop`. */
  path: string;
  tag?: string;
  /** `algorithm:hex`. */
  digest?: string;
}

/** What {@link parseReference} answers. The problem is one sentence that a person can act on. */
export type ParsedReference = { ok: true; reference: ImageReference } | { ok: false; problem: string };

const COMPONENT_ONLY = new RegExp(`^${COMPONENT}$`);
const DOMAIN_ONLY = new RegExp(`^${DOMAIN}$`);
const TAG_ONLY = new RegExp(TAG_PATTERN);
const DIGEST_ONLY = new RegExp(`^${DIGEST}$`);
const IMAGE_ID = /^[a-f0-9]{64}$/;
const DIGEST_LENGTHS: ReadonlyMap<string, number> = new Map([["sha256", 64], ["sha384", 96], ["sha512", 128]]);

const DEFAULT_REGISTRY = "docker.io";
const LEGACY_DEFAULT_REGISTRY = "index.docker.io";
const OFFICIAL_PREFIX = "library/";

/**
 * Reads an image reference. Nothing is trimmed, lowered or filled in.
 *
 * The first part of a name is a domain by Docker's familiar rule: it is `localhost`, has a `.`, a `:` or a capital
 * letter. A name of one part has none, so `localhost:5000` is the repository `localhost` with the tag `5000`. As in
 * distribution, a host with an underscore passes only where it could also be a path (`my_host.local/app`, no port).
 *
 * @param s the reference
 * @returns its parts, or the first thing that is wrong with it
 * @example
 * ```ts
 * parseReference("localhost:5000/app:v1");
 * // { ok: true, reference: { domain: "localhost:5000", path: "app", tag: "v1" } }
 * ```
 */
export function parseReference(s: string): ParsedReference {
  const unreadable = wholeProblem(s);
  if (unreadable !== undefined) return { ok: false, problem: unreadable };
  const reference = split(s);
  const problem = nameProblem(reference) ?? tagProblem(reference.tag) ?? digestProblem(reference.digest);
  return problem === undefined ? { ok: true, reference } : { ok: false, problem };
}

/**
 * The registry and repository that a reference means: `nginx` is `docker.io` and `library/nginx`.
 *
 * @returns the registry in lower case (host names ignore case) with its port as written, and the repository in it
 */
export function normalized(reference: ImageReference): { registry: string; repository: string } {
  const written = reference.domain?.toLowerCase() ?? DEFAULT_REGISTRY;
  const registry = written === LEGACY_DEFAULT_REGISTRY ? DEFAULT_REGISTRY : written;
  const isOfficial = registry === DEFAULT_REGISTRY && !reference.path.includes("/");
  return { registry, repository: isOfficial ? OFFICIAL_PREFIX + reference.path : reference.path };
}

/** Writes a reference; the inverse of {@link parseReference}. */
export function format(reference: ImageReference): string {
  const tag = reference.tag === undefined ? "" : `:${reference.tag}`;
  const digest = reference.digest === undefined ? "" : `@${reference.digest}`;
  return `${nameOf(reference)}${tag}${digest}`;
}

/** A problem of {@link combine} and the field that it belongs to. */
export interface ImageProblem {
  field: "image" | "image_tag";
  message: string;
}

/** What {@link combine} answers: the image to run, as text and as parts, or every problem, `image` first. */
export type CombinedImage =
  | { ok: true; image: string; reference: ImageReference }
  | { ok: false; problems: ImageProblem[] };

/**
 * The image that the fields `image` and `image_tag` name together (SPEC section 3): the tag is required unless `image`
 * carries a tag or digest, and beside a tag in `image` it must be that same tag.
 *
 * @param image repository with or without tag or digest
 * @param imageTag the tag; `""` is the same as none
 */
export function combine(image: string, imageTag?: string): CombinedImage {
  const tag = imageTag === "" ? undefined : imageTag;
  const parsed = parseReference(image);
  const problems: ImageProblem[] = [];
  if (!parsed.ok) problems.push({ field: "image", message: parsed.problem });
  const message = tagProblem(tag) ?? (parsed.ok ? mismatch(parsed.reference, tag) : undefined);
  if (message !== undefined) problems.push({ field: "image_tag", message });
  if (!parsed.ok || problems.length > 0) return { ok: false, problems };
  const reference = tag === undefined ? parsed.reference : { ...parsed.reference, tag };
  return { ok: true, image: format(reference), reference };
}

function mismatch(image: ImageReference, tag: string | undefined): string | undefined {
  const isPinned = image.digest !== undefined;
  if (tag === undefined) {
    if (image.tag !== undefined || isPinned) return undefined;
    return `Tag is required: image ${quote(format(image))} carries neither a tag nor a digest`;
  }
  if (image.tag !== undefined && image.tag !== tag) {
    return `Tag ${quote(tag)} differs from the one that image carries: ${quote(image.tag)}`;
  }
  if (image.tag === undefined && isPinned) {
    return `Tag ${quote(tag)} must be left out, because image carries a digest: ${quote(format(image))}`;
  }
  return undefined;
}

function nameOf(reference: ImageReference): string {
  return reference.domain === undefined ? reference.path : `${reference.domain}/${reference.path}`;
}

/** What is wrong with the text before it can be taken apart. Length comes first: nothing else looks at a huge text. */
function wholeProblem(s: string): string | undefined {
  if (s === "") return "Image reference is empty";
  if (s.length > MAX_REFERENCE_LENGTH) {
    return `Image reference is longer than ${MAX_REFERENCE_LENGTH} characters: ${quote(s)}`;
  }
  if (/\s/.test(s)) return `Image reference contains white space: ${quote(s)}`;
  if (s.includes("://")) return `Image reference must not have a scheme: ${quote(s)}`;
  if (/^\[[^/]*$/.test(s)) return `Repository name is missing after the registry: ${quote(s)}`;
  if (IMAGE_ID.test(s)) return `Image reference must not be a bare image ID: ${quote(s)}`;
  return undefined;
}

/** Cuts at the separators and checks nothing; a separator with nothing behind it leaves an empty part. */
function split(s: string): ImageReference {
  const [beforeDigest, digest] = cut(s, s.indexOf("@"));
  const [name, tag] = cut(beforeDigest, beforeDigest.indexOf(":", beforeDigest.lastIndexOf("/") + 1));
  const reference: ImageReference = { path: name };
  const [first, rest] = cut(name, name.indexOf("/"));
  if (rest !== undefined && (first === "localhost" || /[.:A-Z]/.test(first))) {
    reference.domain = first;
    reference.path = rest;
  }
  if (tag !== undefined) reference.tag = tag;
  if (digest !== undefined) reference.digest = digest;
  return reference;
}

function cut(s: string, at: number): [before: string, after: string | undefined] {
  return at < 0 ? [s, undefined] : [s.slice(0, at), s.slice(at + 1)];
}

function nameProblem(reference: ImageReference): string | undefined {
  const { domain, path } = reference;
  if (domain !== undefined && !DOMAIN_ONLY.test(domain) && !COMPONENT_ONLY.test(domain)) {
    return `Registry must be a host name or an IPv6 address in brackets, with or without a port: ${quote(domain)}`;
  }
  if (path === "") return `Repository name is missing: ${quote(format(reference))}`;
  const isTooLong = Math.max(nameOf(reference).length, normalized(reference).repository.length) > MAX_NAME_LENGTH;
  if (isTooLong) return `Repository name is longer than ${MAX_NAME_LENGTH} characters: ${quote(path)}`;
  return path.split("/").map((part) => componentProblem(part, path)).find((problem) => problem !== undefined);
}

function componentProblem(part: string, path: string): string | undefined {
  if (COMPONENT_ONLY.test(part)) return undefined;
  if (part === "") return `Repository name has an empty part: ${quote(path)}`;
  if (/[A-Z]/.test(part)) return `Repository name must be lower case: ${quote(part)}`;
  return `Repository name may only have a-z and 0-9, with ".", "_", "__" or dashes between them: ${quote(part)}`;
}

function tagProblem(tag: string | undefined): string | undefined {
  if (tag === undefined || TAG_ONLY.test(tag)) return undefined;
  if (tag === "") return 'Tag is missing after ":"';
  if (tag.length > MAX_TAG_LENGTH) return `Tag ${quote(tag)} is longer than ${MAX_TAG_LENGTH} characters`;
  return `Tag may only have letters, digits, "_", "." and "-", and must not start with "." or "-": ${quote(tag)}`;
}

function digestProblem(digest: string | undefined): string | undefined {
  if (digest === undefined) return undefined;
  if (digest === "") return 'Digest is missing after "@"';
  const [algorithm, hex = ""] = cut(digest, digest.indexOf(":"));
  const length = DIGEST_LENGTHS.get(algorithm);
  if (length !== undefined && (hex.length !== length || !/^[a-f0-9]+$/.test(hex))) {
    return `Digest must have ${length} lower-case hex digits after "${algorithm}:": ${quote(digest)}`;
  }
  if (DIGEST_ONLY.test(digest)) return undefined;
  return `Digest must be an algorithm in lower case, ":" and 32 or more hex digits: ${quote(digest)}`;
}

/** Quotes with control characters escaped, and cut: the text may be of any length, the message is for a person. */
function quote(s: string): string {
  return JSON.stringify(s.length > 100 ? `${s.slice(0, 100)}…` : s);
}
