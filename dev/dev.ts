/**
 * `deno task dev`: a real control plane and the operator on it, started anew when the code changes, until Ctrl-C.
 *
 * @module
 */
import { startControlPlane } from "../tests/control_plane/control_plane.ts";
import { install, type Installed } from "../tests/installed.ts";
import { Screen } from "./screen.ts";

const WATCHED = ["lib", "cli", "webhook", "crds", "main.ts", "deno.json"];
/** Editors write a file in several steps. */
const SETTLE_MS = 200;

async function main(): Promise<void> {
  const screen = new Screen();
  await using plane = await startControlPlane({ progress: (line) => screen.say(line) });
  await using operator = await install(plane, { flags: ["--tls=none", "--log-format=text"], log: "inherit" });
  screen.say("", `export KUBECONFIG=${plane.kubeconfigPath}`, "kubectl apply -f deploy/samples/", "");
  const root = new URL("../", import.meta.url).pathname;
  using watcher = Deno.watchFs(WATCHED.map((path) => root + path));
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => watcher.close());
  await reloadOnChange(watcher, operator, screen);
}

async function reloadOnChange(watcher: Deno.FsWatcher, operator: Installed, screen: Screen): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let work = Promise.resolve();
  for await (const { kind } of watcher) {
    if (kind === "access") continue;
    clearTimeout(timer);
    timer = setTimeout(() => work = work.then(() => reload(operator, screen)), SETTLE_MS);
  }
  clearTimeout(timer);
  await work;
}

/** CRDs, roles and webhooks come from the changed code: another process prints them. */
async function reload(operator: Installed, screen: Screen): Promise<void> {
  screen.say("code changed, starting again");
  try {
    await operator.stop();
    await operator.reinstall();
    await operator.start();
  } catch (error) {
    screen.say(`not running: ${(error as Error).message}`);
  }
}

if (import.meta.main) {
  await main();
  Deno.exit(0);
}
