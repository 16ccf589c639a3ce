import { basename, dirname, join } from "node:path";
import { homedir } from "node:os";
import { kwokStageFiles, type Module, modules, type Program } from "./pins.ts";

/** Where the programs are, and kwok's own stage files. */
export interface Binaries {
  /** Path of each program. */
  paths: Record<Program, string>;
  /** Folder with kwok's own stage files that are in use. */
  stages: string;
}

/** Takes one line that tells a person what is being done. */
export type Progress = (line: string) => void;

/** Seconds between two signs of life while one program builds. */
const heartbeatSeconds = 15;

/**
 * Makes sure that every program of the control plane exists.
 *
 * `KUBEBUILDER_ASSETS` (a folder, as envtest knows it) wins for the programs that it has; the others are built from Go modules, once, into
 * `$XDG_CACHE_HOME/maquette/control-plane`. Two processes may do this at once: one builds, the other waits.
 *
 * @param progress called once for each program, and from time to time while one takes long
 * @throws Error when Go is missing or a build fails, with the end of its output
 */
export async function ensureBinaries(progress: Progress): Promise<Binaries> {
  const cache = cacheFolder();
  const all = await targets(cache);
  const kwok = all.find(({ program }) => program === "kwok")!.module;
  const stages = join(cache, kwok.digest, "stages");
  const paths = Object.fromEntries(all.map(({ program, path }) => [program, path])) as Binaries["paths"];
  const wanted = [...Object.values(paths), ...stagePaths(stages)];
  if ((await Promise.all(wanted.map(exists))).every(Boolean)) return { paths, stages };
  await requireGo();
  await locked(cache, progress, async () => {
    await buildMissing(all, progress);
    await copyStages(kwok, stages);
  });
  return { paths, stages };
}

/**
 * Makes sure that kubectl exists, for a cluster that is there already.
 *
 * @returns its path
 */
export async function ensureKubectl(progress: Progress): Promise<string> {
  const cache = cacheFolder();
  const kubectl = (await targets(cache)).filter(({ program }) => program === "kubectl");
  const { path } = kubectl[0]!;
  if (await exists(path)) return path;
  await requireGo();
  await locked(cache, progress, () => buildMissing(kubectl, progress));
  return path;
}

/** One program, and where it is or is to be. */
interface Target {
  module: Module;
  program: Program;
  package: string;
  path: string;
}

function cacheFolder(): string {
  return join(Deno.env.get("XDG_CACHE_HOME") || join(homedir(), ".cache"), "maquette", "control-plane");
}

async function targets(cache: string): Promise<Target[]> {
  const given = Deno.env.get("KUBEBUILDER_ASSETS");
  const all = (await modules()).flatMap((module) =>
    Object.entries(module.packages).map(([name, path]) => ({ module, program: name as Program, package: path }))
  );
  return await Promise.all(all.map(async (target) => {
    const asset = given && join(given, target.program);
    const built = join(cache, target.module.digest, "bin", target.program);
    return { ...target, path: asset && await exists(asset) ? asset : built };
  }));
}

function stagePaths(stages: string): string[] {
  return kwokStageFiles.map((file) => join(stages, basename(file)));
}

async function requireGo(): Promise<void> {
  try {
    await new Deno.Command("go", { args: ["version"], stdout: "null", stderr: "null" }).output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(
      "Go is missing: the local control plane is built from Go modules. Install Go 1.26, " +
        "or set USE_EXISTING_CLUSTER=true and KUBECONFIG to use a cluster that you have",
    );
  }
}

/** Runs `action` while holding a lock that the kernel releases when this process ends, however it ends. */
async function locked(cache: string, progress: Progress, action: () => Promise<void>): Promise<void> {
  await Deno.mkdir(cache, { recursive: true });
  using file = await Deno.open(join(cache, "lock"), { create: true, write: true });
  const notice = setTimeout(() => progress("another process is building the control plane: waiting for it"), 500);
  await file.lock(true).finally(() => clearTimeout(notice));
  await action();
}

async function buildMissing(all: Target[], progress: Progress): Promise<void> {
  const missing: Target[] = [];
  for (const target of all) if (!await exists(target.path)) missing.push(target);
  if (missing.length > 2) progress("building the control plane: once, about 5 minutes on two cores");
  for (const [index, target] of missing.entries()) {
    const label = `[${index + 1}/${missing.length}] ${target.program}`;
    await build(target, (line) => progress(`${label}: ${line}`));
  }
}

async function build(target: Target, progress: Progress): Promise<void> {
  const start = performance.now();
  const elapsed = () => `${Math.round((performance.now() - start) / 1000)} s`;
  progress("building");
  const timer = setInterval(() => progress(`still building, ${elapsed()}`), heartbeatSeconds * 1000);
  try {
    await Deno.mkdir(dirname(target.path), { recursive: true });
    // Only a complete program ever has the final name.
    const partial = `${target.path}.partial`;
    await go(target.module, ["build", "-trimpath", "-ldflags", target.module.ldflags, "-o", partial, target.package]);
    await Deno.rename(partial, target.path);
  } finally {
    clearInterval(timer);
  }
  progress(`built in ${elapsed()}`);
}

async function copyStages(kwok: Module, stages: string): Promise<void> {
  const root = (await go(kwok, ["list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/kwok"])).trim();
  await Deno.mkdir(stages, { recursive: true });
  for (const [index, target] of stagePaths(stages).entries()) {
    await Deno.writeTextFile(target, await Deno.readTextFile(join(root, kwokStageFiles[index]!)));
  }
}

async function go(module: Module, args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("go", {
    args,
    cwd: module.folder,
    env: { CGO_ENABLED: "0", GOWORK: "off", GOFLAGS: "-mod=readonly -buildvcs=false" },
  }).output();
  const decoder = new TextDecoder();
  if (success) return decoder.decode(stdout);
  throw new Error(
    `Failed to run "go ${args.join(" ")}" in ${module.folder}: ${decoder.decode(stderr).trim().slice(-2000)}`,
  );
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
