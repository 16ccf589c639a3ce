/**
 * `deno task demo`: a real control plane, Maquette on it, and preview environments coming up, until Ctrl-C. With
 * `--once` it ends after everything was Ready and is gone again.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { type ControlPlane, startControlPlane } from "../tests/control_plane/control_plane.ts";
import { install } from "../tests/installed.ts";
import { waitFor } from "../tests/wait.ts";
import { Screen } from "./screen.ts";

/** Tasks run in the folder of deno.json. */
const SAMPLES = "deploy/samples";
const READY_MS = 90_000;
/** Exit code of a program that Ctrl-C ended. */
const INTERRUPTED = 130;

interface Item {
  kind: string;
  metadata: { name: string; namespace?: string };
  status?: {
    phase?: string;
    url?: string;
    conditions?: { type: string; status: string; reason: string; message: string }[];
  };
}

async function main(): Promise<void> {
  const { values } = parseArgs({ args: Deno.args, options: { once: { type: "boolean", default: false } } });
  const screen = new Screen();
  const stop = stopRequested();
  let isStarting = true;
  // Nothing worth tidying exists yet, and what does ends with this process.
  void stop.then(() => isStarting && Deno.exit(INTERRUPTED));
  await using plane = await startControlPlane({ progress: (line) => screen.say(line) });
  screen.say("installing Maquette: CRDs, RBAC, webhooks, and the operator under its own ServiceAccount");
  await using _operator = await install(plane, { flags: ["--domain=preview.localhost", "--tls=none"] });
  screen.say(`applying ${SAMPLES}/`);
  await plane.kubectl(["apply", "-f", SAMPLES]);
  isStarting = false;
  await Promise.race([untilReady(plane, screen), stop]);
  await explain(plane, screen);
  if (values.once) return await cleanUp(plane, screen);
  screen.say("Ctrl-C ends everything and leaves nothing behind.");
  await stop;
}

async function items(plane: ControlPlane): Promise<Item[]> {
  const { stdout } = await plane.kubectl(["get", "maquette", "--all-namespaces", "-o", "json"]);
  return JSON.parse(stdout).items;
}

async function untilReady(plane: ControlPlane, screen: Screen): Promise<void> {
  await waitFor("everything in deploy/samples to be Ready", async () => {
    const all = await items(plane);
    screen.table(["KIND", "NAME", "PHASE", "URL", "MESSAGE"], all.map(rowOf));
    return all.length > 0 && all.every((item) => ready(item)?.status === "True");
  }, READY_MS);
  screen.endTable();
}

function ready(item: Item): { status: string; reason: string; message: string } | undefined {
  return item.status?.conditions?.find((condition) => condition.type === "Ready");
}

function rowOf(item: Item): string[] {
  const { phase = "", url = "" } = item.status ?? {};
  return [item.kind, item.metadata.name, phase, url, ready(item)?.message ?? ""];
}

async function explain(plane: ControlPlane, screen: Screen): Promise<void> {
  for (const item of await items(plane)) {
    screen.say("", `${item.kind} ${item.metadata.name}${item.status?.url ? `: ${item.status.url}` : ""}`);
    for (const { type, status, reason, message } of item.status?.conditions ?? []) {
      screen.say(`  ${type}=${status} (${reason}) ${message}`);
    }
  }
  const refused = await plane.kubectl(["create", "-f", `${SAMPLES}/illegal`], { check: false });
  screen.say("", `What is not legal is refused with every reason (${SAMPLES}/illegal/):`, refused.stderr.trim());
  screen.say(
    "",
    "The control plane is real. The kubelets are simulated (kwok): Pods become Ready, but nothing runs in them, so the",
    "URLs do not answer here. For real Pods: USE_EXISTING_CLUSTER=true KUBECONFIG=… with kind or any cluster (README).",
    "",
    `export KUBECONFIG=${plane.kubeconfigPath}`,
    "kubectl get prenv,prt",
    "",
  );
}

async function cleanUp(plane: ControlPlane, screen: Screen): Promise<void> {
  screen.say("deleting the samples");
  await plane.kubectl(["delete", "-f", SAMPLES, "--timeout=90s"]);
  const { stdout } = await plane.kubectl([
    "get",
    "namespaces",
    "-l",
    "app.kubernetes.io/managed-by=maquette",
    "-o",
    "name",
  ]);
  if (stdout.trim() !== "") throw new Error(`Namespaces are left behind: ${stdout}`);
  screen.say("everything was Ready, and everything is gone");
}

function stopRequested(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => resolve());
  return promise;
}

if (import.meta.main) {
  await main();
  Deno.exit(0);
}
