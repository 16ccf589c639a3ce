/**
 * `maquette run`
 *
 * @module
 */
import { type CommandLine, UsageError } from "../lib/config.ts";
import { ProcessRenderer } from "../lib/render/process_renderer.ts";
import { systemClock } from "../lib/runtime/clock.ts";
import { createLogger } from "../lib/runtime/log.ts";
import { type Command, EXIT, type World } from "./command.ts";
import { findCredentials, Unreachable } from "./connect.ts";
import { Operator } from "./operator.ts";
import { checkBuilds, checkRenderer } from "./start_checks.ts";

/** Runs the operator until SIGTERM or SIGINT. */
export const runCommand: Command = Object.freeze(
  {
    name: "run",
    summary: "run the operator: reconcilers, admission webhook, health and metrics",
    extra: {},
    extraHelp: [],
    teaching: [
      "Examples:",
      "  maquette run --domain preview.example.com --cluster-issuer letsencrypt",
      "  maquette run --kubeconfig ~/.kube/config --webhook=false --log-format text",
      "",
      "SIGTERM: stops taking work, finishes what is under way within 25 s, gives up the lease, exits 0.",
    ],
    isConfigured: true,
    run,
  } satisfies Command,
);

async function run({ config }: CommandLine, world: World): Promise<number> {
  const { logLevel: level, logFormat: format } = config;
  const log = createLogger({ clock: systemClock, level, format, write: (line) => world.err(line) });
  const caCertificates = config.registryCaFile ? await authoritiesIn(config.registryCaFile, world) : "";
  checkBuilds(config, caCertificates);
  const credentials = await findCredentials(config, world.env);
  await checkRenderer(config, new ProcessRenderer({ path: config.renderer, clock: systemClock }));
  const identity = `${world.env.POD_NAME || world.env.HOSTNAME || "maquette"}-${crypto.randomUUID().slice(0, 8)}`;
  const operator = new Operator({ config, credentials, clock: systemClock, log, identity, caCertificates });
  await operator.ping().catch((error) => {
    throw new Unreachable(`Cannot reach the API server at "${credentials.server}": ${error.message}`);
  });
  const stop = stopSignal();
  try {
    return await operator.run(stop.signal) ? EXIT.good : EXIT.no;
  } finally {
    stop.release();
  }
}

async function authoritiesIn(path: string, world: World): Promise<string> {
  try {
    return await world.readFile(path);
  } catch (error) {
    throw new UsageError(`--registry-ca-file: Cannot read "${path}": ${(error as Error).message}`);
  }
}

function stopSignal(): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  // SIGUSR1 would open a debugger to whoever can send it.
  const ignore = (): void => {};
  Deno.addSignalListener("SIGTERM", abort);
  Deno.addSignalListener("SIGINT", abort);
  Deno.addSignalListener("SIGUSR1", ignore);
  return {
    signal: controller.signal,
    release: () => {
      Deno.removeSignalListener("SIGTERM", abort);
      Deno.removeSignalListener("SIGINT", abort);
      Deno.removeSignalListener("SIGUSR1", ignore);
    },
  };
}
