import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

const MODULE = join(import.meta.dirname!, "module");
const PACKAGE = "github.com/distribution/distribution/v3/cmd/registry";
const FLAGS = ["-trimpath", "-ldflags", "-s -w"];

/**
 * Makes sure that the registry exists: github.com/distribution/distribution, built once from its Go module into
 * `$XDG_CACHE_HOME/maquette/registry`. `MAQUETTE_TEST_REGISTRY` names a program that is there already.
 *
 * @returns its path
 * @throws Error when Go is missing or the build fails, with the end of its output
 */
export async function ensureRegistry(): Promise<string> {
  const given = Deno.env.get("MAQUETTE_TEST_REGISTRY");
  if (given) return given;
  const path = join(cacheFolder(), await digest(), "registry");
  await Deno.mkdir(dirname(path), { recursive: true });
  // Two test processes may do this at once: one builds, the other waits. The kernel releases the lock.
  using lock = await Deno.open(join(cacheFolder(), "lock"), { create: true, write: true });
  await lock.lock(true);
  if (!await Deno.stat(path).then(() => true, () => false)) await build(path);
  return path;
}

function cacheFolder(): string {
  return join(Deno.env.get("XDG_CACHE_HOME") || join(homedir(), ".cache"), "maquette", "registry");
}

async function digest(): Promise<string> {
  const hash = createHash("sha256").update(FLAGS.join(" "));
  for (const file of ["go.mod", "go.sum"]) hash.update(await Deno.readTextFile(join(MODULE, file)));
  return hash.digest("hex").slice(0, 12);
}

async function build(path: string): Promise<void> {
  // Only a complete program ever has the final name.
  const partial = `${path}.partial`;
  const { success, stderr } = await new Deno.Command("go", {
    args: ["build", ...FLAGS, "-o", partial, PACKAGE],
    cwd: MODULE,
    env: { CGO_ENABLED: "0", GOWORK: "off", GOFLAGS: "-mod=readonly -buildvcs=false" },
  }).output();
  if (!success) {
    throw new Error(`Failed to build the registry: ${new TextDecoder().decode(stderr).trim().slice(-2000)}`);
  }
  await Deno.rename(partial, path);
}
