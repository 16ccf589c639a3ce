import { createHash } from "node:crypto";
import { join } from "node:path";
import { cached } from "../cache.ts";

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
  return await cached("registry", join(await digest(), "registry"), build);
}

async function digest(): Promise<string> {
  const hash = createHash("sha256").update(FLAGS.join(" "));
  for (const file of ["go.mod", "go.sum"]) hash.update(await Deno.readTextFile(join(MODULE, file)));
  return hash.digest("hex").slice(0, 12);
}

async function build(path: string): Promise<void> {
  const { success, stderr } = await new Deno.Command("go", {
    args: ["build", ...FLAGS, "-o", path, PACKAGE],
    cwd: MODULE,
    env: { CGO_ENABLED: "0", GOWORK: "off", GOFLAGS: "-mod=readonly -buildvcs=false" },
  }).output();
  if (!success) {
    throw new Error(`Failed to build the registry: ${new TextDecoder().decode(stderr).trim().slice(-2000)}`);
  }
}
