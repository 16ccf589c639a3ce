/**
 * Fetches and unpacks Debian packages without root and without touching what the machine has installed: apt works on a
 * folder of ours, with the machine's own sources and keys.
 *
 * @module
 */
import { unpackTar } from "modern-tar";
import { type DebianPackage, documentedIn, fieldOf, mergedPath } from "./debian_files.ts";
import type { Entry } from "./layer.ts";

/**
 * The newest versions that the machine's sources have, checked by apt against their signed lists.
 *
 * @param names of packages; those that hold their documentation come along
 * @param folder for apt's lists and the packages; kept, so that the next run fetches only what is new
 * @throws {Error} with what apt or dpkg said
 */
export async function fetchPackages(names: readonly string[], folder: string): Promise<DebianPackage[]> {
  const apt = await prepareApt(folder);
  await run("apt-get", [...apt, "update"]);
  const packages: DebianPackage[] = [];
  for (const name of names) packages.push(await fetchPackage(name, { apt, folder }));
  for (const name of new Set(packages.flatMap((found) => documentedIn(found) ?? []))) {
    packages.push(await fetchPackage(name, { apt, folder }));
  }
  return packages.sort((a, b) => a.name < b.name ? -1 : 1);
}

async function prepareApt(folder: string): Promise<string[]> {
  for (const name of ["state/lists/partial", "cache/archives/partial"]) {
    await Deno.mkdir(`${folder}/${name}`, { recursive: true });
  }
  // Nothing is installed, as far as this apt knows.
  await Deno.writeTextFile(`${folder}/status`, "");
  const options = [
    `Dir::State=${folder}/state`,
    `Dir::State::status=${folder}/status`,
    `Dir::Cache=${folder}/cache`,
    "Acquire::Languages=none",
    // The folder is ours: apt's own user cannot write it.
    "APT::Sandbox::User=root",
  ];
  return ["--quiet", ...options.flatMap((option) => ["--option", option])];
}

async function fetchPackage(name: string, { apt, folder }: { apt: string[]; folder: string }): Promise<DebianPackage> {
  // '<address>' <file> <size> <checksum>
  const planned = new TextDecoder().decode(await run("apt-get", [...apt, "download", "--print-uris", name]));
  const file = /^'[^']+' (\S+\.deb) /m.exec(planned)?.[1];
  if (!file) throw new Error(`Cannot fetch package "${name}": apt-get names no file`);
  await run("apt-get", [...apt, "download", name], folder);
  return await unpack(name, `${folder}/${file}`);
}

async function unpack(name: string, path: string): Promise<DebianPackage> {
  const about = await unpackTar(await run("dpkg-deb", ["--ctrl-tarfile", path]));
  const textOf = (file: string): string =>
    new TextDecoder().decode(about.find(({ header }) => mergedPath(header.name) === file)?.data);
  const control = textOf("control");
  const version = fieldOf(control, "Version");
  if (!version) throw new Error(`Cannot read package "${path}": its control file names no version`);
  const files = await unpackTar(await run("dpkg-deb", ["--fsys-tarfile", path]));
  const entries = files.flatMap(({ header, data }): Entry[] => {
    const path = mergedPath(header.name);
    const mode = (header.mode ?? 0) & 0o7777;
    if (header.type === "symlink") return [{ type: "link", path, target: header.linkname ?? "" }];
    return data && header.type === "file" ? [{ type: "file", path, mode, data }] : [];
  });
  return { name, version, control, md5sums: textOf("md5sums"), entries };
}

/**
 * Runs a program.
 *
 * @returns what it printed
 * @throws {Error} with what it said, when it fails or is not there
 */
export async function run(program: string, args: readonly string[], cwd?: string): Promise<Uint8Array<ArrayBuffer>> {
  const env = { LC_ALL: "C" };
  const command = new Deno.Command(program, { args: [...args], cwd, env, stdin: "null", stderr: "piped" });
  const { success, stdout, stderr } = await command.output();
  if (success) return stdout;
  throw new Error(`Cannot run "${program} ${args.at(-1) ?? ""}": ${new TextDecoder().decode(stderr).trim()}`);
}
