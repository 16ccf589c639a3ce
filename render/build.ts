/**
 * `deno task render`: builds the renderer, `dist/maquette-render`, unless it is there and nothing of it has changed.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";

const SOURCES = fileURLToPath(new URL(".", import.meta.url));
const DIST = fileURLToPath(new URL("../dist", import.meta.url));
const PROGRAM = `${DIST}/maquette-render`;
/** Digest of what the program was built from. */
const DIGEST = `${PROGRAM}.sources`;

/**
 * Builds where needed. Of several processes that ask at once, one builds.
 *
 * @returns Path of the program. @throws {Error} When Go is missing, or with what the compiler says.
 */
export async function ensureRenderer(): Promise<string> {
  await Deno.mkdir(DIST, { recursive: true });
  using lock = await Deno.open(`${PROGRAM}.lock`, { create: true, write: true });
  await lock.lock(true);
  const digest = await digestOfSources();
  const builtFrom = await Deno.readTextFile(DIGEST).catch(() => undefined);
  if (builtFrom === digest && await exists(PROGRAM)) return PROGRAM;
  await build();
  await Deno.writeTextFile(DIGEST, digest);
  return PROGRAM;
}

async function build(): Promise<void> {
  // Only a complete program ever has the final name.
  const partial = `${PROGRAM}.partial`;
  const command = new Deno.Command("go", {
    args: ["build", "-trimpath", "-ldflags", "-s -w", "-o", partial, "."],
    cwd: SOURCES,
    env: { CGO_ENABLED: "0", GOWORK: "off", GOFLAGS: "-mod=readonly -buildvcs=false" },
  });
  const { success, stderr } = await command.output().catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error("Go is missing: the renderer is built from Go modules. Install Go 1.26");
  });
  if (!success) throw new Error(`Renderer cannot be built: ${new TextDecoder().decode(stderr).trim()}`);
  await Deno.rename(partial, PROGRAM);
}

/** Of everything of ours that goes into the program; what it takes from others is pinned in go.sum. */
async function digestOfSources(): Promise<string> {
  const hash = createHash("sha256");
  for (const path of await goFiles(SOURCES)) hash.update(path).update("\0").update(await Deno.readFile(path));
  return hash.digest("hex");
}

async function goFiles(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) found.push(...await goFiles(`${folder}${name}/`));
    else if (/\.go$|^go\.(mod|sum)$/.test(name) && !name.endsWith("_test.go")) found.push(`${folder}${name}`);
  }
  return found.sort();
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

if (import.meta.main) await ensureRenderer();
