/**
 * One layer of an image: entries in, a reproducible gzip'd tar out. Guarantees: sorted paths, every parent folder
 * there, mtime 0, owners by number, so that the same entries give the same digest on the same Deno.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { packTar, type TarHeader } from "modern-tar";

/** One thing in a layer. Paths have no leading or trailing slash; modes are permission bits; owners default to root. */
export type Entry =
  | { type: "file"; path: string; mode: number; data: Uint8Array }
  | { type: "directory"; path: string; mode: number; owner?: number }
  | { type: "link"; path: string; target: string };

/** A layer as an image holds it. */
export interface Layer {
  /** What is in it, for `docker history`. */
  title: string;
  /** The gzip'd tar. */
  blob: Uint8Array;
  /** `sha256:…` of {@link blob}. */
  digest: string;
  /** `sha256:…` of the tar before gzip. */
  diffId: string;
  /** Number of files and links, without folders. */
  files: number;
}

const PARENT_MODE = 0o755;
const EPOCH = new Date(0);

/** @returns `sha256:` and the hexadecimal digest */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/**
 * Sorts entries by path and adds the folders above them.
 *
 * @throws {Error} When two entries have one path, or a path is not relative and plain
 */
export function arrange(entries: readonly Entry[]): Entry[] {
  const byPath = new Map<string, Entry>();
  for (const entry of entries) {
    if (entry.path.split("/").some((part) => ["", ".", ".."].includes(part))) {
      throw new Error(`Cannot put into a layer: "${entry.path}" is not a plain relative path`);
    }
    if (byPath.has(entry.path)) throw new Error(`Cannot put into a layer twice: "${entry.path}"`);
    byPath.set(entry.path, entry);
  }
  for (const path of entries.flatMap((entry) => parentsOf(entry.path))) {
    const parent = byPath.get(path) ?? { type: "directory", path, mode: PARENT_MODE };
    if (parent.type !== "directory") throw new Error(`Cannot put into a layer: "${path}" is a ${parent.type}`);
    byPath.set(path, parent);
  }
  return [...byPath.values()].sort((a, b) => a.path < b.path ? -1 : 1);
}

function parentsOf(path: string): string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}

/**
 * @param title what is in it, for `docker history`
 * @throws {Error} as {@link arrange} does
 */
export async function packLayer(title: string, entries: readonly Entry[]): Promise<Layer> {
  const arranged = arrange(entries);
  const tar = await packTar(arranged.map((entry) => ({
    header: headerOf(entry),
    body: entry.type === "file" ? entry.data : undefined,
  })));
  const blob = gzipSync(tar);
  const files = arranged.filter(({ type }) => type !== "directory").length;
  return { title, blob, digest: digestOf(blob), diffId: digestOf(tar), files };
}

function headerOf(entry: Entry): TarHeader {
  const owner = entry.type === "directory" ? entry.owner ?? 0 : 0;
  const common = { mtime: EPOCH, uid: owner, gid: owner, uname: "", gname: "", size: 0 };
  if (entry.type === "file") return { ...common, name: entry.path, mode: entry.mode, size: entry.data.length };
  if (entry.type === "directory") return { ...common, name: `${entry.path}/`, type: "directory", mode: entry.mode };
  return { ...common, name: entry.path, type: "symlink", mode: 0o777, linkname: entry.target };
}
