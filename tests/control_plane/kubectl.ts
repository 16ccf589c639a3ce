import { join } from "node:path";
import { kubeconfig } from "./kubeconfig.ts";

/** What a call of kubectl left. */
export interface KubectlResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** How to call kubectl. */
export interface KubectlOptions {
  /** Text for its standard input, for `-f -`. */
  stdin?: string;
  /** Whether an exit code other than 0 is thrown; default true. */
  check?: boolean;
  /** Another kubeconfig than the administrator's. */
  kubeconfigPath?: string;
}

/** What hangs is ended, so that somebody hears of it. Milliseconds. */
const LONGEST_MS = 600_000;
/** So many times is asked again. */
const AGAIN = 3;

/** Whether the API server waited in vain for admission, by what kubectl says: that object was not written. */
export function isUnanswered(text: string): boolean {
  return /failed calling webhook .*context deadline exceeded/.test(text);
}

/** Whether nothing was done because of that. */
function isInVain({ code, stdout, stderr }: KubectlResult): boolean {
  return code !== 0 && stdout === "" && isUnanswered(stderr);
}

/** Calls kubectl with one kubeconfig; all that it caches stays in one folder. */
export class Kubectl {
  readonly #program: string;
  readonly #kubeconfigPath: string;
  readonly #folder: string;

  /** @param folder where to put kubectl's cache and further kubeconfigs */
  constructor(program: string, kubeconfigPath: string, folder: string) {
    this.#program = program;
    this.#kubeconfigPath = kubeconfigPath;
    this.#folder = folder;
  }

  /**
   * Calls kubectl. What admission had no time for on a busy machine is asked again: nothing was written by it.
   *
   * @throws Error with the arguments and stderr when the exit code is not 0, unless `check` is false
   */
  async run(args: string[], options: KubectlOptions = {}): Promise<KubectlResult> {
    let result = await this.#call(args, options);
    for (let again = 0; again < AGAIN && isInVain(result); again++) result = await this.#call(args, options);
    if (result.code !== 0 && options.check !== false) {
      throw new Error(
        `Failed to run "kubectl ${args.join(" ")}": ${result.stderr.trim() || `exit code ${result.code}`}`,
      );
    }
    return result;
  }

  async #call(args: string[], options: KubectlOptions): Promise<KubectlResult> {
    const kubeconfigPath = options.kubeconfigPath ?? this.#kubeconfigPath;
    const process = new Deno.Command(this.#program, {
      args: ["--kubeconfig", kubeconfigPath, "--cache-dir", join(this.#folder, "kubectl-cache"), ...args],
      stdin: options.stdin === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
      signal: AbortSignal.timeout(LONGEST_MS),
    }).spawn();
    const [output] = await Promise.all([process.output(), feed(process, options.stdin)]);
    const decoder = new TextDecoder();
    return { code: output.code, stdout: decoder.decode(output.stdout), stderr: decoder.decode(output.stderr) };
  }

  /**
   * Writes a kubeconfig with a fresh token of a service account, valid for a day.
   *
   * @returns its path
   */
  async serviceAccountKubeconfig(namespace: string, name: string): Promise<string> {
    const [{ server, caPem }, token] = await Promise.all([
      this.cluster(),
      this.run(["create", "token", name, "--namespace", namespace, "--duration=24h"]),
    ]);
    const path = join(this.#folder, `kubeconfig-${namespace}-${name}`);
    await Deno.writeTextFile(path, kubeconfig(server, caPem, { token: token.stdout.trim() }), { mode: 0o600 });
    return path;
  }

  /** The API server's URL and the certificate of its authority, from the kubeconfig. */
  async cluster(): Promise<{ server: string; caPem: string }> {
    const view = await this.run(["config", "view", "--raw", "--minify", "--flatten", "-o", "json"]);
    const { cluster } = JSON.parse(view.stdout).clusters[0];
    return { server: cluster.server, caPem: atob(cluster["certificate-authority-data"] ?? "") };
  }
}

async function feed(process: Deno.ChildProcess, text: string | undefined): Promise<void> {
  if (text === undefined) return;
  const writer = process.stdin.getWriter();
  // A kubectl that fails early reads nothing; its exit code says so.
  await writer.write(new TextEncoder().encode(text)).catch(() => {});
  await writer.close().catch(() => {});
}
