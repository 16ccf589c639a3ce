/**
 * Maquette installed on a control plane: CRDs, RBAC and webhooks applied, the operator as a process of its own under its
 * own ServiceAccount's token. For integration tests, `deno task demo` and `deno task dev`.
 *
 * @module
 */
import { stringify } from "yaml";
import { installation } from "../cli/install/objects.ts";
import { ACCOUNT } from "../cli/install/rbac.ts";
import { MEMORY_ENV } from "../deploy/image/maquette_image.ts";
import { readCommandLine } from "../lib/config.ts";
import { ensureRenderer } from "../render/build.ts";
import type { ControlPlane } from "./control_plane/control_plane.ts";
import { podKubeconfig } from "./installed_pod.ts";
import { waitFor } from "./wait.ts";

/** Namespace of the operator. */
export const NAMESPACE = "maquette-system";
/** What the program may do: what the README tells for a binary, and nothing more. */
const PERMISSIONS = ["--allow-net", "--allow-read", "--allow-env", "--allow-run=maquette-render"];
/** Where the renderer is: no operator starts without it. */
const DIST = new URL("../dist", import.meta.url).pathname;
/**
 * Ends the operator when this process ends, however it ends: the pipe to standard input closes then. The operator itself
 * replaces the shell, so that signals reach it.
 */
const WITH_PARENT = 'exec 3<&0; (cat <&3 >/dev/null; kill -9 $$ 2>/dev/null) & exec 3<&- "$@" </dev/null';
const START_MS = 60_000;
const STOP_MS = 40_000;

/**
 * The program and its first arguments: the compiled binary that `MAQUETTE_BINARY` names, which carries its permissions in
 * itself, or else the sources, with as few.
 */
export function programCommand(): string[] {
  const binary = Deno.env.get("MAQUETTE_BINARY");
  const path = `PATH=${Deno.env.get("PATH")}:${DIST}`;
  // It would take the variable for a misspelt option of its own.
  if (binary) return ["env", "-u", "MAQUETTE_BINARY", MEMORY_ENV, path, binary];
  const main = new URL("../main.ts", import.meta.url).pathname;
  const config = new URL("../deno.json", import.meta.url).pathname;
  return ["env", path, Deno.execPath(), "run", "--quiet", "--no-prompt", "--config", config, ...PERMISSIONS, main];
}

export interface InstallOptions {
  /** Flags of `maquette run` beside those that the installation needs. */
  flags?: string[];
  /** Whether webhooks are installed; default: where the API server reaches this machine. */
  webhook?: boolean;
  /** Makes the operator's kubeconfig of the one of its ServiceAccount: one that leads through a proxy, say. */
  kubeconfig?: (path: string) => Promise<string>;
  /** Name of a Pod to be: with its token, so that the fence around the leader is in force. */
  pod?: string;
  /** Where the operator's log goes; default: a file in the control plane's folder. */
  log?: "inherit";
}

/** One operator process, and the means to end and start it. */
export class Installed {
  readonly #plane: ControlPlane;
  readonly #args: string[];
  readonly #log: string | undefined;
  readonly #pod: string | undefined;
  readonly httpPort: number;
  readonly webhookPort: number;
  #child: Deno.ChildProcess | undefined;
  #logged: Promise<void> | undefined;

  constructor(
    plane: ControlPlane,
    run: { args: string[]; httpPort: number; webhookPort: number; log: string | undefined; pod: string | undefined },
  ) {
    this.#plane = plane;
    this.#args = run.args;
    this.#log = run.log;
    this.#pod = run.pod;
    this.httpPort = run.httpPort;
    this.webhookPort = run.webhookPort;
  }

  /** Process id. */
  get pid(): number {
    return this.#child!.pid;
  }

  /** Starts the process and waits until it is ready (caches synced, certificate loaded). */
  async start(): Promise<void> {
    const own = this.#pod && await podKubeconfig(this.#plane, { namespace: NAMESPACE, name: this.#pod });
    const args = own ? [...this.#args, `--kubeconfig=${own}`] : this.#args;
    const command = new Deno.Command("sh", {
      args: ["-c", WITH_PARENT, "sh", ...programCommand(), "run", ...args],
      env: this.#pod ? { POD_NAME: this.#pod } : {},
      stdin: "piped",
      stdout: "null",
      stderr: this.#log ? "piped" : "inherit",
    });
    this.#child = command.spawn();
    this.#logged = this.#log ? this.#writeLog(this.#child, this.#log) : undefined;
    await waitFor("the operator to be ready", async () => {
      const response = await fetch(`http://127.0.0.1:${this.httpPort}/readyz`);
      await response.body?.cancel();
      return response.ok;
    }, START_MS);
  }

  async #writeLog(child: Deno.ChildProcess, path: string): Promise<void> {
    using file = await Deno.open(path, { create: true, append: true });
    for await (const chunk of child.stderr) await file.write(chunk);
  }

  /** Waits until the process ends by itself. @returns Its exit code. */
  async ended(): Promise<number> {
    const { code } = await this.#child!.status;
    await this.#child!.stdin.close().catch(() => {});
    this.#child = undefined;
    await this.#logged;
    return code;
  }

  /** Ends the process with a signal. @returns Its exit code. */
  async stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<number | undefined> {
    const child = this.#child;
    if (!child) return undefined;
    this.#child = undefined;
    child.kill(signal);
    const killer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    const { code } = await child.status;
    clearTimeout(killer);
    await child.stdin.close().catch(() => {});
    await this.#logged;
    return code;
  }

  /** The whole text of /metrics. */
  async metrics(): Promise<string> {
    return await (await fetch(`http://127.0.0.1:${this.httpPort}/metrics`)).text();
  }

  /** The sum of all series of a metric whose labels contain these, 0 when there is none. */
  async metric(name: string, labels: Record<string, string> = {}): Promise<number> {
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    const lines = (await this.metrics()).split("\n").filter((line) =>
      line.startsWith(`${name}{`) || line.startsWith(`${name} `)
    );
    const values = lines.filter((line) => wanted.every((text) => line.includes(text))).map((line) =>
      Number(line.slice(line.lastIndexOf(" ")))
    );
    return values.reduce((sum, value) => sum + value, 0);
  }

  /** What the operator has logged so far. */
  async log(): Promise<string> {
    return this.#log ? await Deno.readTextFile(this.#log).catch(() => "") : "";
  }

  /**
   * Another replica of the same installation, on ports of its own, not started yet; whoever asks ends it.
   *
   * @param pod Name of a Pod to be, if the first one is one.
   */
  another(pod?: string): Installed {
    const [httpPort, webhookPort] = [freePort(), freePort()];
    const args = [...this.#args, `--http-port=${httpPort}`, `--webhook-port=${webhookPort}`];
    const log = this.#log && `${this.#log}.${httpPort}`;
    return new Installed(this.#plane, { args, httpPort, webhookPort, log, pod });
  }

  /** Applies CRDs, roles and webhooks as the program on disk prints them now. */
  async reinstall(): Promise<void> {
    const flags = this.#args.filter((flag) => !flag.startsWith("--kubeconfig"));
    const [program, ...args] = [
      ...programCommand(),
      "manifests",
      "--only",
      "namespace,crds,rbac,fence,boundary,webhooks",
      ...flags,
    ];
    const { code, stdout, stderr } = await new Deno.Command(program!, { args }).output();
    if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
    const stdin = new TextDecoder().decode(stdout);
    await this.#plane.kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], { stdin });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/**
 * The address of this machine that the API server reaches admission by. A cluster that is not ours may not reach it at
 * all: then `WEBHOOK_HOST` must say so, or nothing is asked of admission.
 */
function webhookHost(): string | undefined {
  const isOurs = Deno.env.get("USE_EXISTING_CLUSTER") !== "true";
  return Deno.env.get("WEBHOOK_HOST") || (isOurs ? "127.0.0.1" : undefined);
}

/** Installs Maquette and starts its operator. */
export async function install(plane: ControlPlane, options: InstallOptions = {}): Promise<Installed> {
  await ensureRenderer();
  const [httpPort, webhookPort] = [freePort(), freePort()];
  const host = webhookHost();
  const webhook = options.webhook ?? host !== undefined;
  const flags = [
    `--namespace=${NAMESPACE}`,
    "--http-host=127.0.0.1",
    `--http-port=${httpPort}`,
    `--webhook=${webhook}`,
    ...(host ? [`--webhook-host=${host}`, `--webhook-url=https://${host}:${webhookPort}`] : []),
    `--webhook-port=${webhookPort}`,
    "--webhook-drain-seconds=0",
    `--source-cache=${plane.folder}/sources`,
    ...(options.flags ?? []),
  ];
  await applyParts(plane, flags, ["namespace", "crds", "rbac", "fence", "boundary"]);
  await plane.kubectl(["wait", "--for=condition=Established", "--timeout=120s", "crd", "--all"]);
  const account = await plane.createServiceAccountKubeconfig(NAMESPACE, ACCOUNT);
  const kubeconfig = await options.kubeconfig?.(account) ?? account;
  const log = options.log === "inherit" ? undefined : `${plane.folder}/operator.log`;
  const args = [`--kubeconfig=${kubeconfig}`, ...flags];
  const installed = new Installed(plane, { args, httpPort, webhookPort, log, pod: options.pod });
  if (webhook) await applyParts(plane, flags, ["webhooks"]);
  try {
    await installed.start();
    if (webhook) await waitForAdmission(plane);
  } catch (error) {
    await installed.stop("SIGKILL");
    throw new Error(`The operator did not start:\n${(await installed.log()).slice(-4000)}`, { cause: error });
  }
  return installed;
}

async function applyParts(plane: ControlPlane, flags: string[], parts: string[]): Promise<void> {
  const { config } = readCommandLine(flags.filter((flag) => !flag.startsWith("--kubeconfig")), {});
  const all = installation({ config, image: "maquette", replicas: 1 });
  const stdin = parts.flatMap((part) => all.get(part) ?? []).map((object) => `---\n${stringify(object)}`).join("");
  if (stdin) await plane.kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], { stdin });
}

/** The API server calls the webhook only once the operator has put its CA into both configurations. */
async function waitForAdmission(plane: ControlPlane): Promise<void> {
  const kinds = ["mutatingwebhookconfiguration", "validatingwebhookconfiguration"];
  await waitFor("the CA of the webhook in both configurations", async () => {
    const jsonpath = "-o=jsonpath={.items[?(@.metadata.name=='maquette')].webhooks[*].clientConfig.caBundle}";
    const found = await Promise.all(kinds.map((kind) => plane.kubectl(["get", kind, jsonpath])));
    return found.every(({ stdout }) => stdout.trim() !== "");
  });
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}
