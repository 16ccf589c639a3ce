import { join } from "node:path";
import { stringify } from "yaml";
import { waitFor } from "../wait.ts";
import { ensureRegistry } from "./build.ts";

/** How a registry is to be, beside its defaults: parts of distribution's configuration. */
export interface RegistrySettings {
  /** `auth`: who may come in. */
  auth?: Record<string, unknown>;
  /** Files that it serves TLS with. */
  tls?: { certificate: string; key: string };
}

/** A real registry on a port of its own, with its images in a temporary folder. */
export class RealRegistry implements AsyncDisposable {
  /** Host with port, as in an image. */
  readonly host: string;
  /** Scheme and host. */
  readonly origin: string;
  readonly #process: Deno.ChildProcess;
  readonly #folder: string;

  private constructor(process: Deno.ChildProcess, folder: string, origin: string) {
    this.#process = process;
    this.#folder = folder;
    this.origin = origin;
    this.host = new URL(origin).host;
  }

  /** Starts one and waits until it listens. */
  static async start(settings: RegistrySettings = {}): Promise<RealRegistry> {
    const program = await ensureRegistry();
    const folder = await Deno.makeTempDir({ prefix: "maquette-registry-" });
    const port = freePort();
    await Deno.writeTextFile(join(folder, "config.yaml"), stringify(configuration(folder, port, settings)));
    const log = await Deno.open(join(folder, "log"), { create: true, write: true });
    const process = new Deno.Command(program, {
      args: ["serve", join(folder, "config.yaml")],
      env: { OTEL_TRACES_EXPORTER: "none" },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    void process.stderr.pipeTo(log.writable);
    const registry = new RealRegistry(process, folder, `${settings.tls ? "https" : "http"}://127.0.0.1:${port}`);
    await waitFor("the registry to listen", () => canConnect(port));
    return registry;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGTERM");
    await this.#process.status;
    await Deno.remove(this.#folder, { recursive: true });
  }
}

function configuration(folder: string, port: number, { auth, tls }: RegistrySettings): Record<string, unknown> {
  return {
    version: 0.1,
    log: { level: "warn", accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(folder, "images") } },
    http: { addr: `127.0.0.1:${port}`, ...(tls ? { tls } : {}) },
    ...(auth ? { auth } : {}),
  };
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

async function canConnect(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}
