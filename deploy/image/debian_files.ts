/**
 * What an image takes from Debian packages, and what it says about them. Pure.
 *
 * Paths are those of a merged /usr (Debian 13), whether the package is older or not: `lib/x` is `usr/lib/x`.
 *
 * @module
 */
import type { Entry } from "./layer.ts";

/** A package, unpacked. */
export interface DebianPackage {
  name: string;
  version: string;
  /** Its control file. */
  control: string;
  /** Lines of `<md5>  <path>`. */
  md5sums: string;
  /** All files, paths as {@link mergedPath} has them. */
  entries: Entry[];
}

/** Packages that an image for a program linked to glibc is made of. Time zones are not: the operator's time is UTC. */
export const PACKAGES: readonly string[] = ["base-files", "ca-certificates", "libc6", "libgcc-s1"];

/** Beside libraries and copyright: what tells a scanner which Debian this is, and the licences that copyrights name. */
const ALSO = /^(etc\/debian_version|(etc|usr\/lib)\/os-release|usr\/share\/common-licenses\/[^/]+)$/;
const LIBRARY = /^usr\/lib[^/]*\/(?:[^/]+-linux-gnu\/)?([^/]+)$/;
const CERTIFICATE = /^usr\/share\/ca-certificates\/.*\.crt$/;
const FILE_MODE = 0o644;

/** @returns the path without `./` and trailing slash, below `usr` where Debian 13 has it there */
export function mergedPath(path: string): string {
  const plain = path.replace(/^\.?\/+/, "").replace(/\/+$/, "");
  return /^(bin|sbin|lib(32|64|x32)?)\//.test(plain) ? `usr/${plain}` : plain;
}

/** A field of a control file, `undefined` where it has none. */
export function fieldOf(control: string, name: string): string | undefined {
  return new RegExp(`^${name}: *(.*)$`, "m").exec(control)?.[1];
}

/** The package that a package's documentation is in, where that is another one: `gcc-12-base` for `libgcc-s1`. */
export function documentedIn({ name, entries }: DebianPackage): string | undefined {
  const folder = entries.find(({ path }) => path === `usr/share/doc/${name}`);
  return folder?.type === "link" ? folder.target : undefined;
}

/**
 * Everything that an image takes from packages: the wanted libraries, the CA bundle, copyright files, and for each
 * package an entry that scanners look for.
 *
 * @param libraries file names, as {@link readLdd} gives them
 * @throws {Error} naming the libraries that no package has
 */
export function packageEntries(packages: readonly DebianPackage[], libraries: readonly string[]): Entry[] {
  const taken = packages.map((from) => ({ from, entries: takenFrom(from, new Set(libraries)) }));
  const names = new Set(taken.flatMap(({ entries }) => entries.map(({ path }) => libraryName(path))));
  const missing = libraries.filter((library) => !names.has(library));
  if (missing.length > 0) {
    throw new Error(`Cannot build the image: no package of it has ${missing.map((name) => `"${name}"`).join(", ")}`);
  }
  return [
    ...taken.flatMap(({ from, entries }) => [...entries, ...statusEntries(from, entries)]),
    certificateBundle(packages.flatMap(({ entries }) => entries)),
  ];
}

function takenFrom({ name, entries }: DebianPackage, libraries: ReadonlySet<string>): Entry[] {
  const copyright = [`usr/share/doc/${name}`, `usr/share/doc/${name}/copyright`];
  return entries.filter(({ type, path }) => {
    if (type === "directory") return false;
    return copyright.includes(path) || ALSO.test(path) || libraries.has(libraryName(path) ?? "");
  });
}

function libraryName(path: string): string | undefined {
  return LIBRARY.exec(path)?.[1];
}

/** As distroless images have it: the package's control file, and the checksums of those of its files that are there. */
function statusEntries({ name, control, md5sums }: DebianPackage, taken: readonly Entry[]): Entry[] {
  const paths = new Set(taken.map(({ path }) => path));
  const lines = md5sums.split("\n").filter((line) => paths.has(mergedPath(line.slice(34))));
  const folder = "var/lib/dpkg/status.d";
  return [
    textEntry(`${folder}/${name}`, `${control.trimEnd()}\n`),
    textEntry(`${folder}/${name}.md5sums`, lines.map((line) => `${line}\n`).join("")),
  ];
}

/** What `update-ca-certificates` would write: it runs when the package is installed, which never happens here. */
function certificateBundle(entries: readonly Entry[]): Entry {
  const files = entries.filter((entry) => entry.type === "file").filter(({ path }) => CERTIFICATE.test(path));
  const sorted = files.sort((a, b) => a.path < b.path ? -1 : 1);
  const texts = sorted.map(({ data }) => `${new TextDecoder().decode(data).trim()}\n`);
  if (texts.length === 0) throw new Error("Cannot build the image: no package of it has CA certificates");
  return textEntry("etc/ssl/certs/ca-certificates.crt", texts.join(""));
}

/** A text that everybody may read. */
export function textEntry(path: string, text: string): Entry {
  return { type: "file", path, mode: FILE_MODE, data: new TextEncoder().encode(text) };
}
