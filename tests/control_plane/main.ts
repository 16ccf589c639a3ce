import { startControlPlane } from "./control_plane.ts";

/** `deno run -A tests/control_plane/main.ts`: a cluster to try things on, until Ctrl-C. */
async function main(): Promise<void> {
  await using plane = await startControlPlane();
  Deno.stdout.writeSync(new TextEncoder().encode(`export KUBECONFIG=${plane.kubeconfigPath}\n`));
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, resolve);
  await promise;
}

if (import.meta.main) await main();
