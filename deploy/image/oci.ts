/**
 * The documents of an image, as a reader of OCI archives wants them: OCI image-spec 1.1 (config, manifest, index) and
 * beside them Docker's own `manifest.json`, which `docker load` before version 25 needs. Pure.
 *
 * @module
 */
import { normalized, parseReference } from "../../lib/image/reference.ts";
import { digestOf, type Entry, type Layer } from "./layer.ts";

/** How a container of the image runs. */
export interface ImageConfig {
  /** `uid:gid`, in numbers, so that a kubelet can tell that it is not root. */
  user: string;
  /** Path of the program and its fixed arguments. */
  entrypoint: string[];
  /** Arguments where the container names none. */
  command?: string[];
  /** Default: `/`. */
  workingDir?: string;
  /** `NAME=value`. */
  env?: string[];
  labels?: Record<string, string>;
}

/** What a registry knows an image's machine by: `amd64`, `arm64`. */
export type Architecture = "amd64" | "arm64";

/** A blob and what refers to it. */
interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
  annotations?: Record<string, string>;
}

/** An image, taken apart. */
export interface Image {
  /** In full: `docker.io/library/maquette:0.1.0`. */
  name: string;
  /** Of the manifest: what a registry and `crictl` call the image's digest. */
  digest: string;
  /** Bytes that a registry stores: layers, config and manifest. */
  size: number;
  /** The files of the archive. */
  entries: Entry[];
}

const TYPES = "application/vnd.oci.image";
const EPOCH = "1970-01-01T00:00:00Z";
const FILE_MODE = 0o644;

/**
 * @param parts `name` may be short: `maquette:0.1.0`
 * @throws {Error} when the name is no reference with a tag
 */
export function assembleImage(
  parts: { layers: readonly Layer[]; config: ImageConfig; name: string; architecture: Architecture },
): Image {
  const { layers } = parts;
  const { name, tag } = fullName(parts.name);
  const config = encode(configOf(parts.config, layers, parts.architecture));
  const manifest = encode({
    schemaVersion: 2,
    mediaType: `${TYPES}.manifest.v1+json`,
    config: descriptor(`${TYPES}.config.v1+json`, config),
    layers: layers.map(({ blob }) => descriptor(`${TYPES}.layer.v1.tar+gzip`, blob)),
  });
  // containerd reads the first annotation, everything else the second.
  const annotations = { "io.containerd.image.name": name, "org.opencontainers.image.ref.name": tag };
  const index = { ...descriptor(`${TYPES}.manifest.v1+json`, manifest), annotations };
  const blobs = [...layers.map(({ blob }) => blob), config, manifest];
  const docker = { Config: blobPath(config), RepoTags: [name], Layers: layers.map(({ blob }) => blobPath(blob)) };
  return {
    name,
    digest: digestOf(manifest),
    size: blobs.reduce((sum, blob) => sum + blob.length, 0),
    entries: archiveOf(blobs, {
      "oci-layout": { imageLayoutVersion: "1.0.0" },
      "index.json": { schemaVersion: 2, mediaType: `${TYPES}.index.v1+json`, manifests: [index] },
      "manifest.json": [docker],
    }),
  };
}

function fullName(name: string): { name: string; tag: string } {
  const parsed = parseReference(name);
  if (!parsed.ok) throw new Error(`Cannot name an image "${name}": ${parsed.problem}`);
  const { tag } = parsed.reference;
  if (!tag) throw new Error(`Cannot name an image "${name}": a tag is missing`);
  const { registry, repository } = normalized(parsed.reference);
  return { name: `${registry}/${repository}:${tag}`, tag };
}

function configOf(config: ImageConfig, layers: readonly Layer[], architecture: Architecture): unknown {
  return {
    created: EPOCH,
    architecture,
    os: "linux",
    config: {
      User: config.user,
      Env: config.env ?? [],
      Entrypoint: config.entrypoint,
      ...(config.command ? { Cmd: config.command } : {}),
      WorkingDir: config.workingDir ?? "/",
      Labels: config.labels ?? {},
    },
    rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map(({ title }) => ({ created: EPOCH, created_by: title })),
  };
}

function archiveOf(blobs: Uint8Array[], documents: Record<string, unknown>): Entry[] {
  // Two layers may be one blob.
  const files = new Map(blobs.map((blob) => [blobPath(blob), blob]));
  for (const [path, document] of Object.entries(documents)) files.set(path, encode(document));
  return [...files].map(([path, data]) => ({ type: "file", path, mode: FILE_MODE, data }));
}

function descriptor(mediaType: string, blob: Uint8Array): Descriptor {
  return { mediaType, digest: digestOf(blob), size: blob.length };
}

function blobPath(blob: Uint8Array): string {
  return `blobs/${digestOf(blob).replace(":", "/")}`;
}

function encode(document: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(document));
}
