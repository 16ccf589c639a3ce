/**
 * The real Flyway and Liquibase, from Maven Central, as images for the job runner.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { cached } from "../cache.ts";
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
  return await cached("migration-tools", await digest(), fetchTools);
}

async function digest(): Promise<string> {
  const hash = createHash("sha256").update(FLYWAY).update(LIQUIBASE).update(await Deno.readTextFile(POM));
  return hash.digest("hex").slice(0, 12);
}

async function fetchTools(folder: string): Promise<void> {
  await Deno.mkdir(join(folder, "flyway"), { recursive: true });
  await Deno.mkdir(join(folder, "liquibase"), { recursive: true });
  await Deno.copyFile(POM, join(folder, "pom.xml"));
  await run(folder, ["mvn", "-q", "-B", "dependency:copy", `-Dartifact=${FLYWAY}`, "-DoutputDirectory=fetched"]);
  await run(folder, ["mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=liquibase"]);
  const without = ["gcp", "cassandra", "mongo"].map((name) => `--exclude=*/drivers/${name}`);
  const [{ name: archive }] = await Array.fromAsync(Deno.readDir(join(folder, "fetched"))) as [Deno.DirEntry];
  await run(folder, ["tar", "xzf", join("fetched", archive), "-C", "flyway", "--strip-components=1", ...without]);
  await Deno.chmod(join(folder, "flyway", "flyway"), 0o755);
  await Deno.writeTextFile(join(folder, "liquibase", "liquibase"), LIQUIBASE, { mode: 0o755 });
  await Deno.remove(join(folder, "fetched"), { recursive: true });
}

async function run(cwd: string, [program, ...args]: string[]): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(program!, { args, cwd }).output();
  if (success) return;
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  throw new Error(`Failed to fetch Flyway and Liquibase by "${program}": ${text.trim().slice(-2000)}`);
}
