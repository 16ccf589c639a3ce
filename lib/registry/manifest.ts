/**
 * What a manifest says of an image (OCI image specification, and Docker's schema 2). Pure.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { FoundImage } from "./registry.ts";

/** For what an image of an index is built: `linux`, `arm64`, `v8`. */
export interface Platform {
  os: string;
  architecture: string;
  variant?: string;
}

const INDEX = "application/vnd.oci.image.index.v1+json";
const IMAGE = "application/vnd.oci.image.manifest.v1+json";
/** Both forms of both: an index (of Docker: a manifest list) has a manifest per platform. */
export const MANIFEST_TYPES: readonly string[] = [
  INDEX,
  IMAGE,
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
];
/** Registries take no manifest that is larger (OCI distribution specification). */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

const DIGEST = /^(sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$/;
const DIGEST_HEADER = "docker-content-digest";

/**
 * What the headers of an answer say of an image; nothing where they do not say enough or contradict what was asked.
 *
 * @param asked the digest that was asked for, if it was one
 */
export function foundByHeaders(headers: Headers, asked: string | undefined): FoundImage | undefined {
  const [digest, mediaType] = [knownDigest(headers.get(DIGEST_HEADER)), manifestType(headers.get("content-type"))];
  const isOther = asked !== undefined && digest !== undefined && digest !== asked;
  return digest && mediaType && !isOther ? { exists: true, digest, mediaType } : undefined;
}

/** What {@link foundByBody} answers; the problem goes behind the registry's name. */
export type ReadImage = { ok: true; image: FoundImage } | { ok: false; problem: string };

/**
 * What a manifest says of its image. Its digest is computed: a registry that says another one is not believed.
 *
 * @param asked the digest that was asked for, if it was one
 */
export function foundByBody(bytes: Uint8Array, headers: Headers, asked: string | undefined): ReadImage {
  const digest = asked ?? knownDigest(headers.get(DIGEST_HEADER)) ?? `sha256:${hash("sha256", bytes)}`;
  const [algorithm = "", hex] = digest.split(":");
  // Of another algorithm than these, only the registry can tell.
  const isFalse = knownDigest(digest) !== undefined && hash(algorithm, bytes) !== hex;
  if (isFalse) return { ok: false, problem: `sent a manifest that is not "${digest}"` };
  const manifest = readManifest(bytes);
  const mediaType = manifestType(headers.get("content-type")) ?? manifest?.mediaType;
  if (!manifest || !mediaType) return { ok: false, problem: "answered with something that is no manifest of an image" };
  const platforms = manifest.platforms && { platforms: manifest.platforms };
  return { ok: true, image: { exists: true, digest, mediaType, ...platforms } };
}

/** A media type of {@link MANIFEST_TYPES} that is named, with or without parameters. */
function manifestType(text: string | null): string | undefined {
  const type = text?.split(";")[0]?.trim().toLowerCase();
  return MANIFEST_TYPES.find((known) => known === type);
}

function knownDigest(text: string | null): string | undefined {
  return text !== null && DIGEST.test(text) ? text : undefined;
}

function hash(algorithm: string, bytes: Uint8Array): string {
  return createHash(algorithm).update(bytes).digest("hex");
}

/** OCI's manifests need not say their media type: then what they have tells. */
function readManifest(bytes: Uint8Array): { mediaType?: string; platforms?: Platform[] } | undefined {
  let body: Record<string, unknown> | null;
  try {
    body = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
  if (typeof body !== "object" || body?.schemaVersion !== 2) return undefined;
  const said = typeof body.mediaType === "string" ? manifestType(body.mediaType) : undefined;
  if (Array.isArray(body.manifests)) return { mediaType: said ?? INDEX, platforms: platformsOf(body.manifests) };
  return { mediaType: said ?? (Array.isArray(body.layers) ? IMAGE : undefined) };
}

/** Attestations, which run nowhere, have the platform `unknown`. */
function platformsOf(manifests: readonly unknown[]): Platform[] {
  const platforms = manifests.map((entry) => (entry as { platform?: Partial<Platform> } | null)?.platform ?? {});
  return platforms.flatMap(({ os, architecture, variant }) => {
    if (typeof os !== "string" || typeof architecture !== "string" || os === "unknown") return [];
    return [typeof variant === "string" ? { os, architecture, variant } : { os, architecture }];
  });
}
