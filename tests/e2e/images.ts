/**
 * The images that end-to-end tests deploy, made here and brought onto the nodes: Maquette's own, a small web server in
 * several versions, one with a database, a busybox for Printers, and the program of a git server.
 *
 * @module
 */
import { fetchPackages, run } from "../../deploy/image/debian.ts";
import { textEntry } from "../../deploy/image/debian_files.ts";
import { buildImage, type Entry, type ImageConfig, readEntry } from "../../deploy/image/image.ts";
import { cached } from "../cache.ts";
import { kanikoImage } from "./kaniko.ts";
import { toolArchives } from "./migration_images.ts";
import type { Settings } from "./settings.ts";

/** Name of the web server's image; its tags are {@link WEB_TAGS}. */
export const WEB = "maquette-e2e-web";
/** Name of the image of the application with a database; its tags are {@link SHOP_COLUMNS}. */
export const SHOP = "maquette-e2e-shop";
/** Name and tag of the image for Printers. */
export const BUSYBOX = "maquette-e2e-busybox:1";
/** Name and tag of the image that installs the git server of forge.ts. */
export const FORGE = "maquette-e2e-forge:1";

/** What the web server does, by the tag of its image. */
const WEB_TAGS = { v1: "serve", v2: "serve", crash: "crash" } as const;
/** Where a version of the shop has its texts. No schema has the last one's column: that version never starts. */
const SHOP_COLUMNS = { v1: "name", v2: "label", v3: "colour" } as const;
const PROGRAMS = new URL(".", import.meta.url).pathname;
/** Kept: apt's lists and Go's output are made anew only where something changed. */
const FOLDER = new URL("../../.cache/e2e", import.meta.url).pathname;

/** Makes all images and loads them. @throws {Error} With what Go, apt or the loading command said. */
export async function loadImages({ image, load }: Settings): Promise<void> {
  await Deno.mkdir(FOLDER, { recursive: true });
  const archives = [image, ...await webImages(), await busyboxImage(), await forgeImage()];
  for (const archive of archives) await loadImage(archive, load);
}

/** Brings an archive onto the nodes. */
async function loadImage(archive: string, load: Settings["load"]): Promise<void> {
  const [command, ...args] = load;
  await run(command!, [...args, archive]);
}

/** Makes Kaniko's image and loads it: the first time, that takes minutes. */
export async function loadKaniko({ load }: Settings): Promise<void> {
  await loadImage(await kanikoImage(FOLDER), load);
}

/** Makes what the tests of applications deploy, and loads it. */
export async function loadApplications({ load, javaRoot }: Settings): Promise<void> {
  const archives = [...await shopImages(), ...(javaRoot ? await toolArchives(javaRoot) : [])];
  for (const archive of archives) await loadImage(archive, load);
}

/** The static program of the web server. @returns Its path. */
export async function webProgram(): Promise<string> {
  return await goProgram("web");
}

/** The static program of the git server. @returns Its path. */
export async function forgeProgram(): Promise<string> {
  return await goProgram("forge");
}

async function goProgram(name: string): Promise<string> {
  const output = `${FOLDER}/${name}`;
  const args = ["build", "-trimpath", "-o", output, "."];
  const go = new Deno.Command("go", { args, cwd: PROGRAMS + name, env: { CGO_ENABLED: "0" } });
  const { success, stderr } = await go.output();
  if (!success) throw new Error(`Cannot build "${name}": ${new TextDecoder().decode(stderr)}`);
  return output;
}

async function webImages(): Promise<string[]> {
  const program = await readEntry(await webProgram(), { path: "web", mode: 0o555 });
  // A kubelet takes the group from here, whatever the image's user says.
  const users = textEntry("etc/passwd", "nonroot:x:65532:65532:nonroot:/:/sbin/nologin\n");
  return await Promise.all(
    Object.entries(WEB_TAGS).map(([tag, command]) =>
      archive(`${WEB}:${tag}`, [program, users], { entrypoint: ["/web"], command: [command], env: [`VERSION=${tag}`] })
    ),
  );
}

async function shopImages(): Promise<string[]> {
  const program = await readEntry(await goProgram("shop"), { path: "shop", mode: 0o555 });
  return await Promise.all(
    Object.entries(SHOP_COLUMNS).map(([tag, column]) =>
      archive(`${SHOP}:${tag}`, [program], { entrypoint: ["/shop"], env: [`VERSION=${tag}`, `COLUMN=${column}`] })
    ),
  );
}

/** A static busybox that answers to the one name that Printers call. Fetched once: another one gets another tag. */
async function busyboxImage(): Promise<string> {
  return await cached("e2e-images", fileOf(BUSYBOX), async (output) => {
    const [found] = await fetchPackages(["busybox-static"], FOLDER);
    const program = found!.entries.find(({ type, path }) => type === "file" && path === "usr/bin/busybox");
    if (program?.type !== "file") throw new Error('Cannot find busybox in package "busybox-static"');
    const printf: Entry = { type: "link", path: "usr/bin/printf", target: "busybox" };
    await build(BUSYBOX, { entries: [program, printf], config: { entrypoint: [], env: ["PATH=/usr/bin"] }, output });
  });
}

async function forgeImage(): Promise<string> {
  const program = await readEntry(await forgeProgram(), { path: "forge", mode: 0o555 });
  return await archive(FORGE, [program], { entrypoint: ["/forge"] });
}

async function archive(name: string, entries: Entry[], config: Config): Promise<string> {
  const output = `${FOLDER}/${fileOf(name)}`;
  await build(name, { entries, config, output });
  return output;
}

type Config = Omit<ImageConfig, "user">;

async function build(
  name: string,
  { entries, config, output }: { entries: Entry[]; config: Config; output: string },
): Promise<void> {
  await buildImage({ layers: [{ title: name, entries }], config: { user: "65532:65532", ...config }, name, output });
}

function fileOf(name: string): string {
  return `${name.replace(":", "-")}.tar`;
}
