/**
 * What Maquette's image is: the same as the Dockerfile's, line by line (see maquette_image_test.ts). Pure.
 *
 * @module
 */
import { VERSION } from "../../lib/version.ts";
import { type DebianPackage, packageEntries, textEntry } from "./debian_files.ts";
import type { Entry } from "./layer.ts";
import type { ImageConfig } from "./oci.ts";

/** Where the program is in the image. */
export const BINARY = "/usr/local/bin/maquette";
/** Where the program is that fetches and renders sources. It needs no library. */
export const RENDERER = "/usr/local/bin/maquette-render";
/** Everybody may run it and nobody may change it. */
export const BINARY_MODE = 0o555;
/** The user that distroless images call nonroot. */
const NONROOT = 65532;
/** By default this is the image's name; a Deployment's `maquette:<version>` means the same. */
export const IMAGE_NAME = `docker.io/library/maquette:${VERSION}`;

/**
 * glibc keeps a heap for every thread that ever asked for memory, and gives none of them back: with one for all, 500
 * environments take 40 MiB less.
 */
export const MEMORY_ENV = "MALLOC_ARENA_MAX=1";

export const CONFIG: ImageConfig = {
  user: `${NONROOT}:${NONROOT}`,
  entrypoint: [BINARY],
  command: ["run"],
  workingDir: "/",
  // As in distroless images; there is nothing else in PATH. Deno asks for the bundle with DENO_TLS_CA_STORE=system.
  env: [
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt",
    MEMORY_ENV,
  ],
  labels: {
    "org.opencontainers.image.title": "Maquette",
    "org.opencontainers.image.description": "A preview environment for every pull request on Kubernetes",
    "org.opencontainers.image.version": VERSION,
    "org.opencontainers.image.licenses": "Apache-2.0",
  },
};

const USERS = [
  { name: "root", id: 0, home: "/root" },
  { name: "nobody", id: 65534, home: "/nonexistent" },
  { name: "nonroot", id: NONROOT, home: "/home/nonroot" },
];

/**
 * Everything that is below the program.
 *
 * @param libraries file names of the shared libraries that it needs
 * @throws {Error} naming the libraries that no package has
 */
export function baseEntries(packages: readonly DebianPackage[], libraries: readonly string[]): Entry[] {
  return [...systemEntries(), ...packageEntries(packages, libraries)];
}

/** The programs. */
export function binaryEntries(binary: Uint8Array, renderer: Uint8Array): Entry[] {
  return [[BINARY, binary] as const, [RENDERER, renderer] as const].map(([path, data]) => (
    { type: "file", path: path.slice(1), mode: BINARY_MODE, data }
  ));
}

function systemEntries(): Entry[] {
  const passwd = USERS.map(({ name, id, home }) => `${name}:x:${id}:${id}:${name}:${home}:/sbin/nologin\n`);
  const group = USERS.map(({ name, id }) => `${name}:x:${id}:\n`);
  return [
    // Programs name the loader by these.
    { type: "link", path: "lib", target: "usr/lib" },
    { type: "link", path: "lib64", target: "usr/lib64" },
    { type: "directory", path: "usr/lib64", mode: 0o755 },
    { type: "directory", path: "tmp", mode: 0o1777 },
    { type: "directory", path: "home/nonroot", mode: 0o700, owner: NONROOT },
    textEntry("etc/passwd", passwd.join("")),
    textEntry("etc/group", group.join("")),
    // /etc/hosts and DNS, nothing that would need a library more.
    textEntry("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"),
  ];
}
