import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { waitUntil } from "../wait.ts";
import { ensureBinaries } from "./build.ts";
import { TextLineStream } from "./lines.ts";
import { Supervisor } from "./supervisor.ts";
import { commandLine, exists, processesOf, withEnvironment } from "./test_processes.ts";

for (const signal of ["SIGKILL", "SIGINT"] as const) {
  Deno.test(`nothing is left behind when the process that started it gets ${signal}`, async () => {
    const { process, folder } = await spawnMain();
    process.kill(signal);
    await process.status;
    await waitUntil("all processes to be gone", () => processesOf(folder), (left) => left.length === 0, 5_000);
    await waitUntil("the folder to be gone", () => exists(folder), (left) => !left, 5_000);
  });
}

Deno.test("a killed supervisor takes its processes with it, and the next one removes its folder", async () => {
  const { paths } = await ensureBinaries(() => {});
  const killed = await Supervisor.start(paths.supervisor);
  const { pid } = await killed.run("sleeper", ["/bin/sleep", "1000"]);
  Deno.kill(killed.pid, "SIGKILL");
  await waitUntil("the sleeper to be gone", () => commandLine(pid), (line) => line === "", 5_000);
  await killed.stop();
  const next = await Supervisor.start(paths.supervisor);
  assert.equal(await exists(killed.folder), false);
  await next.stop();
});

Deno.test("a supervisor says which program it cannot start, and starts none twice", async () => {
  const { paths } = await ensureBinaries(() => {});
  const supervisor = await Supervisor.start(paths.supervisor);
  await assert.rejects(supervisor.run("nothing", ["/does/not/exist"]), /Failed to start nothing: .*no such file/);
  await supervisor.run("sleeper", ["/bin/sleep", "1000"]);
  await assert.rejects(supervisor.run("sleeper", ["/bin/sleep", "1000"]), /Failed to start sleeper: it is running/);
  await supervisor.stop();
});

Deno.test("programs in KUBEBUILDER_ASSETS win over built ones", async () => {
  const built = await ensureBinaries(() => {});
  const assets = await Deno.makeTempDir();
  await Deno.symlink(built.paths.kubectl, join(assets, "kubectl"));
  await withEnvironment({ KUBEBUILDER_ASSETS: assets }, async () => {
    const { paths } = await ensureBinaries(() => {});
    assert.deepEqual(paths, { ...built.paths, kubectl: join(assets, "kubectl") });
  });
  await Deno.remove(assets, { recursive: true });
});

async function spawnMain(): Promise<{ process: Deno.ChildProcess; folder: string }> {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", join(import.meta.dirname!, "main.ts")],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const lines = process.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  const reader = lines.getReader();
  const { value } = await reader.read();
  await reader.cancel();
  return { process, folder: dirname(dirname(value!.replace("export KUBECONFIG=", ""))) };
}
