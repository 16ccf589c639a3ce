/**
 * Flyway and Liquibase in images that are laid out as their own: for clusters that cannot pull those. Folders, owners,
 * modes, users, working folders and variables are those that a Pod of a migration has to get along with.
 *
 * @see https://github.com/flyway/flyway-docker
 * @see https://github.com/liquibase/docker
 * @module
 */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { textEntry } from "../../deploy/image/debian_files.ts";
import { buildImage, type Entry, type ImageConfig, readEntry } from "../../deploy/image/image.ts";
import { digestOf, type Layer } from "../../deploy/image/layer.ts";
import { cached } from "../cache.ts";
import { toolImages } from "../migrations/tools.ts";

/** Flags of `maquette manifests` that name these images. */
export const TOOL_FLAGS = ["--flyway-image=maquette-e2e-flyway:1", "--liquibase-image=maquette-e2e-liquibase:1"];

/** Of the databases that there are tests for: the others' would be most of the image. */
const DRIVERS = /^flyway\/drivers\/(?!postgresql|mariadb|mysql)/;
const LIQUIBASE_USER = 1001;
const JAVA_HOME = "opt/java/openjdk";
/** Runs are short. */
const JAVA_ARGS = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC";
const LIQUIBASE = `#!/usr/bin/env bash
exec "$JAVA_HOME/bin/java" $JAVA_OPTS -jar "$LIQUIBASE_HOME/internal/lib/liquibase-core.jar" "$@"
`;

interface Content {
  entries: Entry[];
  config: ImageConfig;
}

/** @param javaRoot Path of a root file system (tar) with bash and Java. @returns Paths of the archives. */
export async function toolArchives(javaRoot: string): Promise<string[]> {
  const contents = { flyway: await flyway(), liquibase: await liquibase() };
  const archives: string[] = [];
  let base: Layer | undefined;
  for (const [name, { entries, config }] of Object.entries(contents)) {
    const file = `${name}-${await fingerprint(javaRoot, { entries, config })}.tar`;
    archives.push(
      await cached("e2e-images", file, async (output) => {
        base ??= await rootLayer(javaRoot);
        await buildImage({ layers: [base, { title: name, entries }], config, name: `maquette-e2e-${name}:1`, output });
      }),
    );
  }
  return archives;
}

/** Open to everybody, and of root. */
async function flyway(): Promise<Content> {
  const folder = (await toolImages()).flyway!.files!["/flyway"]!;
  const entries = (await filesBelow(folder, "flyway")).filter(({ path }) => !DRIVERS.test(path));
  return {
    entries: [...entries, ...javaEntries()],
    config: {
      user: "0:0",
      workingDir: "/flyway",
      entrypoint: ["flyway"],
      command: ["-?"],
      env: [...javaEnv("/flyway"), `JAVA_ARGS=${JAVA_ARGS}`],
    },
  };
}

/** Nobody but its user may look into the folder that containers start in. */
async function liquibase(): Promise<Content> {
  const folder = (await toolImages()).liquibase!.files!["/liquibase"]!;
  const jars = (await filesBelow(folder, "liquibase/internal/lib")).filter(({ path }) => path.endsWith(".jar"));
  const passwd = `root:x:0:0::/root:/bin/bash\nliquibase:x:${LIQUIBASE_USER}:${LIQUIBASE_USER}::/liquibase:/bin/sh\n`;
  return {
    entries: [
      { type: "directory", path: "liquibase", mode: 0o750, owner: LIQUIBASE_USER },
      { type: "link", path: "usr/local/bin/liquibase", target: "/liquibase/liquibase" },
      { type: "file", path: "liquibase/liquibase", mode: 0o755, data: new TextEncoder().encode(LIQUIBASE) },
      ...jars.map((jar) => ({ ...jar, path: jar.path.replace(/(liquibase-core)-.*/, "$1.jar") })),
      textEntry("etc/passwd", passwd),
      ...javaEntries(),
    ],
    config: {
      user: `${LIQUIBASE_USER}:${LIQUIBASE_USER}`,
      workingDir: "/liquibase",
      entrypoint: ["/liquibase/liquibase"],
      command: ["--help"],
      env: [...javaEnv(), "LIQUIBASE_HOME=/liquibase", "DOCKER_LIQUIBASE=true", `JAVA_OPTS=${JAVA_ARGS}`],
    },
  };
}

/** Java where the images have it, wherever Debian puts it. */
function javaEntries(): Entry[] {
  return [{ type: "link", path: `${JAVA_HOME}/bin/java`, target: "/usr/bin/java" }];
}

function javaEnv(...folders: string[]): string[] {
  const path = [...folders, `/${JAVA_HOME}/bin`, "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin"];
  return [`PATH=${[...path, "/bin"].join(":")}`, `JAVA_HOME=/${JAVA_HOME}`, "LANG=C.UTF-8"];
}

async function filesBelow(folder: string, path: string): Promise<Entry[]> {
  const found: Entry[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const [from, to] = [`${folder}/${name}`, `${path}/${name}`];
    if (isDirectory) found.push(...await filesBelow(from, to));
    else found.push(await readEntry(from, { path: to, mode: (await Deno.stat(from)).mode! & 0o777 }));
  }
  return found;
}

async function rootLayer(path: string): Promise<Layer> {
  const tar = await Deno.readFile(path);
  const blob = gzipSync(tar, { level: 1 });
  return { title: "Debian with Java", blob, digest: digestOf(blob), diffId: digestOf(tar), files: 0 };
}

/** Of all that an archive follows from; a root file system is known by its size and time. */
async function fingerprint(javaRoot: string, { entries, config }: Content): Promise<string> {
  const { size, mtime } = await Deno.stat(javaRoot);
  const hash = createHash("sha256").update(JSON.stringify([size, mtime, config]));
  for (const entry of entries.sort((a, b) => a.path < b.path ? -1 : 1)) {
    hash.update(JSON.stringify({ ...entry, data: undefined }));
    if (entry.type === "file") hash.update(entry.data);
  }
  return hash.digest("hex").slice(0, 12);
}
