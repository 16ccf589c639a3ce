/**
 * The real Flyway and Liquibase, from Maven Central, as images for the job runner.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { ImageContent } from "../jobs/runner.ts";

const FLYWAY = "org.flywaydb:flyway-commandline:10.22.0:tar.gz";
const POM = join(import.meta.dirname!, "liquibase.pom.xml");
/** What the images of both take of Java in the small: these runs are short. */
const JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto";
const LIQUIBASE = `#!/bin/sh
exec java $JAVA_ARGS -cp "/liquibase/*" liquibase.integration.commandline.LiquibaseCommandLine "$@"
`;

/** Images by a part of their names. */
export async function toolImages(): Promise<Record<string, ImageContent>> {
  const folder = await ensureTools();
  const image = (name: string): ImageContent => ({
    files: { [`/${name}`]: join(folder, name) },
    env: { PATH: `/${name}:/usr/bin:/bin`, JAVA_ARGS: JAVA },
  });
  return { flyway: image("flyway"), liquibase: image("liquibase") };
}

/**
 * Makes sure that both are there, fetched once by Maven into `$XDG_CACHE_HOME/maquette/migration-tools`.
 *
 * @returns their folder
 * @throws {Error} when Maven is missing or fails, with the end of its output
 */
async function ensureTools(): Promise<string> {
  const folder = join(cacheFolder(), await digest());
  await Deno.mkdir(dirname(folder), { recursive: true });
  // Two test processes may do this at once: one fetches, the other waits. The kernel releases the lock.
  using lock = await Deno.open(join(cacheFolder(), "lock"), { create: true, write: true });
  await lock.lock(true);
  if (!await Deno.stat(folder).then(() => true, () => false)) await fetchTools(folder);
  return folder;
}

function cacheFolder(): string {
  return join(Deno.env.get("XDG_CACHE_HOME") || join(homedir(), ".cache"), "maquette", "migration-tools");
}

async function digest(): Promise<string> {
  const hash = createHash("sha256").update(FLYWAY).update(LIQUIBASE).update(await Deno.readTextFile(POM));
  return hash.digest("hex").slice(0, 12);
}

async function fetchTools(folder: string): Promise<void> {
  // Only a complete folder ever has the final name.
  const partial = `${folder}.partial`;
  await Deno.remove(partial, { recursive: true }).catch(() => {});
  await Deno.mkdir(join(partial, "flyway"), { recursive: true });
  await Deno.mkdir(join(partial, "liquibase"), { recursive: true });
  await Deno.copyFile(POM, join(partial, "pom.xml"));
  await run(partial, ["mvn", "-q", "-B", "dependency:copy", `-Dartifact=${FLYWAY}`, "-DoutputDirectory=fetched"]);
  await run(partial, ["mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=liquibase"]);
  const without = ["gcp", "cassandra", "mongo"].map((name) => `--exclude=*/drivers/${name}`);
  const [{ name: archive }] = await Array.fromAsync(Deno.readDir(join(partial, "fetched"))) as [Deno.DirEntry];
  await run(partial, ["tar", "xzf", join("fetched", archive), "-C", "flyway", "--strip-components=1", ...without]);
  await Deno.chmod(join(partial, "flyway", "flyway"), 0o755);
  await Deno.writeTextFile(join(partial, "liquibase", "liquibase"), LIQUIBASE, { mode: 0o755 });
  await Deno.remove(join(partial, "fetched"), { recursive: true });
  await Deno.rename(partial, folder);
}

async function run(cwd: string, [program, ...args]: string[]): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(program!, { args, cwd }).output();
  if (success) return;
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  throw new Error(`Failed to fetch Flyway and Liquibase by "${program}": ${text.trim().slice(-2000)}`);
}
