/**
 * Faults between the operator and the API server, and faults of the API server itself, in the middle of waves of
 * creates, updates and deletes: in the end the cluster is what was asked for, and no watch has missed an event. Faults
 * that nobody hears of are in silence_test.ts.
 */
import assert from "node:assert/strict";
import { timePasses, Trial, type Trouble } from "../asked_trial.ts";
import { seededRandom } from "../asked_wave.ts";
import { type ControlPlane, startControlPlane } from "../control_plane/control_plane.ts";
import { type Fault, FaultProxy, kubeconfigThrough } from "../fault_proxy.ts";
import { type Storm, StormProxy } from "../fault_proxy_http.ts";
import { install, type Installed } from "../installed.ts";

const SEED = 20_260_401;
const FLAGS = ["--tls=none", "--verify-interval-seconds=5"];
const ALONE = [...FLAGS, "--leader-election=false"];
/** Nothing of a cluster that is not ours can be restarted, and its certificate does not name a proxy's address. */
const ignore = Deno.env.get("USE_EXISTING_CLUSTER") === "true";

function badLine(proxy: FaultProxy, fault: Fault, ms: number): Trouble {
  return {
    begin: () => proxy.set(fault),
    lasts: () => timePasses(ms),
    end: () => proxy.set("pass"),
  };
}

function away(ms: number, { begin, end }: Pick<Trouble, "begin" | "end">): Trouble {
  return { begin, lasts: () => timePasses(ms), end };
}

function stormOf(proxy: StormProxy, storm: Storm): Trouble {
  return { begin: () => proxy.set(storm), lasts: () => timePasses(8_000), end: () => proxy.set(undefined) };
}

/** What happens to the line, or to what is at its other end. `ends`: whether watches must have ended by it. */
function troubles(plane: ControlPlane, proxy: FaultProxy): Record<string, { trouble: Trouble; ends: boolean }> {
  return {
    "all connections are reset for 4 s": { trouble: badLine(proxy, "reset", 4_000), ends: true },
    "every reply comes 5 s late": { trouble: badLine(proxy, "slow", 15_000), ends: false },
    "the API server is restarted": {
      trouble: away(0, { begin: () => plane.restartApiServer(), end: () => {} }),
      ends: true,
    },
    "the API server is killed and away for 3 s": {
      trouble: away(3_000, { begin: () => plane.killApiServer(), end: () => plane.startApiServer() }),
      ends: true,
    },
    "etcd is restarted": { trouble: away(0, { begin: () => plane.restartEtcd(), end: () => {} }), ends: false },
    "etcd is killed and away for 5 s": {
      trouble: away(5_000, { begin: () => plane.killEtcd(), end: () => plane.startEtcd() }),
      ends: false,
    },
  };
}

Deno.test({ name: "an operator whose line or API server fails goes on where it was", ignore }, async (t) => {
  await using plane = await startControlPlane({ nodes: 2 });
  using trial = await Trial.start(plane, SEED, ALONE);

  await t.step("one process lives through all that happens to its line", async (t) => {
    using proxy = await FaultProxy.start(plane.server);
    const server = `https://127.0.0.1:${proxy.port}`;
    await using operator = await install(plane, {
      flags: ALONE,
      kubeconfig: (path) => kubeconfigThrough(path, { server }),
    });
    for (const [name, { trouble, ends }] of Object.entries(troubles(plane, proxy))) {
      await t.step(name, async () => {
        const before = await operator.metric("maquette_watch_restarts_total");
        await trial.survive(trouble, operator);
        if (ends) assert.ok(await operator.metric("maquette_watch_restarts_total") > before, "no watch has ended");
      });
    }
    await t.step("no watch has missed anything", () => trial.untilVerified(operator));
  });

  await t.step("one process lives through storms", async (t) => {
    await using proxy = await StormProxy.start(plane, seededRandom(SEED));
    const { server, caPem } = proxy;
    await using operator = await install(plane, {
      flags: ALONE,
      kubeconfig: (path) => kubeconfigThrough(path, { server, caPem }),
    });
    for (const status of [429, 500] as const) {
      await t.step(`half of all requests are answered ${status} for 8 s`, async () => {
        const before = proxy.refused;
        await trial.survive(stormOf(proxy, { status, share: 0.5 }), operator);
        assert.ok(proxy.refused - before > 20, `${proxy.refused - before} requests were refused`);
      });
    }
    await t.step("no watch has missed anything", () => trial.untilVerified(operator));
  });

  await t.step("leading through faults", async (t) => {
    using proxy = await FaultProxy.start(plane.server);
    const server = `https://127.0.0.1:${proxy.port}`;
    await using operator = await install(plane, {
      flags: FLAGS,
      kubeconfig: (path) => kubeconfigThrough(path, { server }),
    });
    await t.step("a fault that is shorter than the lease ends nothing", async () => {
      await trial.survive(badLine(proxy, "reset", 4_000), operator);
      assert.equal(await operator.metric("maquette_leader"), 1);
    });
    await t.step("one that is longer ends the process, and its successor goes on", async () => {
      await trial.survive(endOf(operator, proxy), operator);
      assert.equal(await operator.metric("maquette_leader"), 1);
    });
  });
});

/** Nothing comes through until the process ends, as it must when its lease is lost; then another one is started. */
function endOf(operator: Installed, proxy: FaultProxy): Trouble {
  return {
    begin: () => proxy.set("blackHole"),
    lasts: async () => assert.equal(await operator.ended(), 1),
    end: async () => {
      proxy.set("pass");
      await operator.start();
    },
  };
}
