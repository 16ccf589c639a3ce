/**
 * `deno task image`: Maquette's container image out of its binary and Debian packages. See README.md.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { fetchPackages, run } from "./debian.ts";
import { type DebianPackage, PACKAGES } from "./debian_files.ts";
import { buildImage, type ImageSummary } from "./image.ts";
import { readLdd } from "./libraries.ts";
import { baseEntries, binaryEntries, CONFIG, IMAGE_NAME } from "./maquette_image.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
/** Where apt works; kept. */
const CACHE = `${ROOT}.cache/image`;

interface Options {
  binary: string;
  renderer: string;
  output: string;
  name: string;
}

/** Builds the image. @returns What is in it */
export async function buildMaquetteImage(
  { binary, renderer, output, name }: Options,
): Promise<ImageSummary & { packages: DebianPackage[] }> {
  const program = await read(binary, "deno task compile");
  const rendering = await read(renderer, "deno task render");
  const libraries = readLdd(new TextDecoder().decode(await run("ldd", [binary])));
  const packages = await fetchPackages(PACKAGES, CACHE);
  const layers = [
    { title: "Debian packages", entries: baseEntries(packages, libraries) },
    { title: "maquette", entries: binaryEntries(program, rendering) },
  ];
  return { ...await buildImage({ layers, config: CONFIG, name, output }), packages };
}

async function read(path: string, task: string): Promise<Uint8Array> {
  return await Deno.readFile(path).catch((cause) => {
    throw new Error(`Cannot read the program "${path}": make it by "${task}"`, { cause });
  });
}

/** What is in the image, for people. */
function tableOf(
  { name, output, size, digest, files, packages }: ImageSummary & { packages: DebianPackage[] },
): string {
  const rows = [
    ["image", name],
    ["archive", output],
    ["size", `${(size / 1e6).toFixed(1)} MB compressed`],
    ["digest", digest],
    ["files", String(files)],
    ["user", CONFIG.user],
    ...packages.map(({ name, version }, index) => [index === 0 ? "packages" : "", `${name} ${version}`]),
  ];
  return rows.map(([label, value]) => `${label!.padEnd(10)}${value}\n`).join("");
}

if (import.meta.main) {
  const option = (fallback: string) => ({ type: "string", default: fallback }) as const;
  const { values } = parseArgs({
    options: {
      binary: option(`${ROOT}dist/maquette`),
      renderer: option(`${ROOT}dist/maquette-render`),
      output: option(`${ROOT}dist/maquette-image.tar`),
      name: option(IMAGE_NAME),
    },
  });
  Deno.stdout.writeSync(new TextEncoder().encode(tableOf(await buildMaquetteImage(values))));
}
