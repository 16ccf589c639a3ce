/**
 * Builds a container image as an OCI archive, without a daemon and without root. Knows nothing of Maquette.
 *
 * @module
 */
import { packTar } from "modern-tar";
import { type Entry, type Layer, packLayer } from "./layer.ts";
import { type Architecture, assembleImage, type ImageConfig } from "./oci.ts";

export type { Entry } from "./layer.ts";
export type { Architecture, ImageConfig } from "./oci.ts";

/** What {@link buildImage} is told. */
export interface ImageOptions {
  /** From the bottom up: what is to be packed, or a layer as it is. The title is shown by `docker history`. */
  layers: ({ title: string; entries: Entry[] } | Layer)[];
  config: ImageConfig;
  /** With a tag; may be short: `web:v1`. */
  name: string;
  /** Path of the archive; written beside and then renamed, so that nobody reads half of it. */
  output: string;
  /** Default: this machine's. */
  architecture?: Architecture;
}

/** What {@link buildImage} has made. */
export interface ImageSummary {
  /** In full: `docker.io/library/web:v1`. This is how a containerd that has imported it knows it. */
  name: string;
  /** `sha256:…` of the manifest. */
  digest: string;
  /** Bytes, compressed. */
  size: number;
  /** Files and links in all layers. */
  files: number;
  layers: Pick<Layer, "title" | "digest" | "files">[];
  output: string;
}

const EPOCH = new Date(0);

/**
 * Writes an archive that `ctr images import`, `kind load image-archive`, `docker load`, `podman load` and skopeo take.
 * The same options give the same digest on the same version of Deno.
 *
 * @throws {Error} when the name is no reference with a tag, or two entries of a layer have one path
 * @example
 * ```ts
 * await buildImage({
 *   layers: [{ title: "web", entries: [await readEntry("web", { path: "web", mode: 0o555 })] }],
 *   config: { user: "65532:65532", entrypoint: ["/web"] },
 *   name: "web:v1",
 *   output: "dist/web.tar",
 * });
 * ```
 */
export async function buildImage(options: ImageOptions): Promise<ImageSummary> {
  const { config, name, output, architecture = thisArchitecture() } = options;
  const layers: Layer[] = [];
  for (const layer of options.layers) {
    layers.push("blob" in layer ? layer : await packLayer(layer.title, layer.entries));
  }
  const image = assembleImage({ layers, config, name, architecture });
  await write(output, image.entries);
  return {
    name: image.name,
    digest: image.digest,
    size: image.size,
    files: layers.reduce((sum, { files }) => sum + files, 0),
    layers: layers.map(({ title, digest, files }) => ({ title, digest, files })),
    output,
  };
}

/** A file of this machine as an entry, `to` being where it is in the image and its permission bits. */
export async function readEntry(from: string, to: { path: string; mode: number }): Promise<Entry> {
  return { type: "file", ...to, data: await Deno.readFile(from) };
}

/** What this machine is called in an image. */
export function thisArchitecture(): Architecture {
  return Deno.build.arch === "aarch64" ? "arm64" : "amd64";
}

async function write(output: string, entries: readonly Entry[]): Promise<void> {
  const files = entries.filter((entry) => entry.type === "file");
  const archive = await packTar(files.map(({ path, mode, data }) => ({
    header: { name: path, size: data.length, mode, mtime: EPOCH, uid: 0, gid: 0 },
    body: data,
  })));
  await Deno.writeFile(`${output}.new`, archive);
  await Deno.rename(`${output}.new`, output);
}
