/**
 * Faults that nobody hears of: connections that stay open and say nothing. Only the silence of a watch that should have
 * had a bookmark shows them, a minute and a half later; what happened meanwhile must not be missed.
 */
import assert from "node:assert/strict";
import { timePasses, TOUCHED, Trial, type Trouble } from "../asked_trial.ts";
import { startControlPlane } from "../control_plane/control_plane.ts";
import { FaultProxy, kubeconfigThrough } from "../fault_proxy.ts";
import { install, type Installed } from "../installed.ts";
import { waitUntil } from "../wait.ts";

const SEED = 20_260_402;
const FLAGS = ["--tls=none", "--verify-interval-seconds=5", "--leader-election=false"];
const HALF_OPEN_MS = 5_000;
/** Longer than a watch may be silent. */
const GIVEN_UP_MS = 120_000;
/** The certificate of a cluster that is not ours does not name a proxy's address. */
const ignore = Deno.env.get("USE_EXISTING_CLUSTER") === "true";

/** How often the watch of each resource was given up because it was silent. */
async function givenUp(operator: Installed): Promise<number[]> {
  return await Promise.all(
    TOUCHED.map((resource) => operator.metric("maquette_watch_restarts_total", { resource, reason: "idle" })),
  );
}

async function untilAllGivenUp(operator: Installed, before: number[]): Promise<void> {
  const areAll = (counts: number[]): boolean => counts.every((count, index) => count > before[index]!);
  await waitUntil("all watches to be given up", () => givenUp(operator), areAll, GIVEN_UP_MS);
}

Deno.test({ name: "an operator whose line falls silent goes on where it was", ignore }, async (t) => {
  await using plane = await startControlPlane({ nodes: 2 });
  using proxy = await FaultProxy.start(plane.server);
  const server = `https://127.0.0.1:${proxy.port}`;
  const kubeconfig = (path: string): Promise<string> => kubeconfigThrough(path, { server });
  await using operator = await install(plane, { flags: FLAGS, kubeconfig });
  using trial = await Trial.start(plane, SEED, FLAGS);

  await t.step("connections of 5 s are half-open for ever, new ones work", async () => {
    const before = await givenUp(operator);
    const halfOpen: Trouble = {
      begin: () => proxy.set("halfOpen"),
      lasts: () => timePasses(HALF_OPEN_MS),
      end: () => proxy.set("pass"),
    };
    await trial.survive(halfOpen, operator);
    const after = await givenUp(operator);
    assert.ok(after.every((count, index) => count === before[index]! + 1), "each watch was given up once");
  });

  await t.step("nothing comes through until all watches were given up, and longer", async () => {
    const before = await givenUp(operator);
    const blackHole: Trouble = {
      begin: () => proxy.set("blackHole"),
      lasts: () => untilAllGivenUp(operator, before),
      end: () => proxy.set("pass"),
    };
    await trial.survive(blackHole, operator);
  });

  await t.step("no watch has missed anything", () => trial.untilVerified(operator));
});
