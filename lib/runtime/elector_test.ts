import assert from "node:assert/strict";
import type { KubeObject } from "../api/object.ts";
import { LEASE } from "../api/resources.ts";
import { KubeClient } from "../kube/client.ts";
import { KubeError } from "../kube/errors.ts";
import { SCRIPTED_CREDENTIALS, type ScriptedServer } from "../kube/scripted_server.ts";
import { DEFAULT_ELECTION, Elector } from "./elector.ts";
import { FakeClock, settle } from "./fake_clock.ts";
import { createServer } from "./fake_cluster.ts";
import { silentLogger } from "./log.ts";

const TARGET = { namespace: "default", name: "maquette" };
const KEY = "default/maquette";

/** A process that wants to lead: it does as long as `isWorking` says. */
class Replica {
  readonly elector: Elector;
  readonly kube: KubeClient;
  readonly stop = new AbortController();
  isWorking = false;
  isLost = false;
  ended: Promise<void> = Promise.resolve();

  constructor(identity: string, { server, clock }: { server: ScriptedServer; clock: FakeClock }) {
    this.kube = new KubeClient(SCRIPTED_CREDENTIALS, { fetch: server.fetch });
    this.elector = new Elector({ kube: this.kube, clock, log: silentLogger, lease: TARGET, identity });
  }

  start(): this {
    this.ended = this.#run();
    return this;
  }

  async #run(): Promise<void> {
    if (!await this.elector.acquire(this.stop.signal)) return;
    this.isWorking = true;
    this.isLost = await this.elector.hold(this.stop.signal);
    this.isWorking = false;
    await this.elector.release();
  }

  /** Dies without a word. */
  kill(): void {
    this.kube.get = () => new Promise(() => {});
    this.isWorking = false;
  }
}

interface Bench {
  clock: FakeClock;
  server: ScriptedServer;
  replica(identity: string): Replica;
  lease(): KubeObject["spec"];
  /** Moves the time in small steps and asserts at each that one leads at most. */
  pass(ms: number): Promise<void>;
}

async function withBench(test: (bench: Bench) => Promise<void>): Promise<void> {
  const clock = new FakeClock();
  const server = createServer(clock);
  const replicas: Replica[] = [];
  await test({
    clock,
    server,
    replica(identity): Replica {
      const replica = new Replica(identity, { server, clock });
      replicas.push(replica);
      return replica;
    },
    lease: () => server.store.get(LEASE, KEY).spec,
    async pass(ms): Promise<void> {
      for (let passed = 0; passed < ms; passed += 250) {
        await clock.advance(250);
        assert.ok(replicas.filter(({ isWorking }) => isWorking).length <= 1, "Two lead");
      }
    },
  });
  server.mend();
  for (const replica of replicas) {
    replica.stop.abort();
    replica.kube.close();
  }
}

Deno.test("Elector takes a lease that does not exist, and renews it every 2 s", async () => {
  await withBench(async ({ replica, server, lease, clock, pass }) => {
    const one = replica("one").start();
    await settle();
    assert.ok(one.isWorking && one.elector.isLeading);
    const now = new Date(clock.now()).toISOString().replace("Z", "000Z");
    assert.deepEqual(lease(), {
      holderIdentity: "one",
      leaseDurationSeconds: 15,
      acquireTime: now,
      renewTime: now,
      leaseTransitions: 0,
    });
    server.forget();
    await pass(20_000);
    assert.deepEqual([server.count({ verb: "update" }), server.count()], [10, 20]);
    assert.deepEqual([lease().acquireTime, lease().leaseTransitions], [now, 0]);
    assert.notEqual(lease().renewTime, now);
  });
});

Deno.test("two electors never lead together; the second follows 15 s after the first died", async () => {
  await withBench(async ({ replica, lease, pass }) => {
    const [one, two] = [replica("one").start(), replica("two").start()];
    await pass(60_000);
    const [leader, other] = one.isWorking ? [one, two] : [two, one];
    assert.ok(leader.isWorking && !other.isWorking);
    leader.kill();
    await pass(14_000);
    assert.equal(other.isWorking, false);
    await pass(4_000);
    assert.equal(other.isWorking, true);
    assert.equal(lease().leaseTransitions, 1);
  });
});

Deno.test("Elector hands over at once when it releases", async () => {
  await withBench(async ({ replica, lease, pass }) => {
    const one = replica("one").start();
    await pass(1_000);
    const two = replica("two").start();
    await pass(10_000);
    one.stop.abort();
    await one.ended;
    assert.deepEqual([lease().holderIdentity, one.elector.isLeading, one.isLost], ["", false, false]);
    await pass(2_000);
    assert.ok(two.isWorking);
  });
});

Deno.test("Elector stops leading 10 s after its last renewal, before anybody can follow", async () => {
  await withBench(async ({ replica, server, clock, pass }) => {
    const one = replica("one").start();
    await pass(500);
    const renewed = clock.now() - 500;
    server.fail({ resource: "leases" }, new KubeError(503, "ServiceUnavailable", "no"), Infinity);
    await pass(DEFAULT_ELECTION.renewDeadlineMs - 1_000);
    assert.equal(one.isWorking, true);
    await pass(1_000);
    assert.deepEqual([one.isWorking, one.isLost, clock.now() - renewed], [false, true, 10_500]);
  });
});

for (const verb of ["get", "update"]) {
  Deno.test(`Elector stops leading in its time, though a "${verb}" hangs`, async () => {
    await withBench(async ({ replica, server, pass }) => {
      const one = replica("one").start();
      await pass(1_000);
      const two = replica("two").start();
      await pass(3_000);
      assert.ok(one.isWorking);
      // From now on the first is alone with a network that swallows its requests; the second's are fine.
      const gate = Promise.withResolvers<never>();
      one.kube[verb === "get" ? "get" : "replace"] = () => gate.promise;
      await pass(11_000);
      assert.deepEqual([one.isWorking, one.isLost], [false, true]);
      await pass(8_000);
      assert.ok(two.isWorking);
      gate.reject(new Error("too late"));
      await gate.promise.catch(() => {});
      assert.equal(server.store.get(LEASE, KEY).spec.holderIdentity, "two");
    });
  });
}

Deno.test("Elector counts from before it wrote: a renewal that was answered late holds no longer", async () => {
  await withBench(async ({ replica, server, pass }) => {
    const one = replica("one").start();
    await pass(1_000);
    // The renewal at 2 s is written at once, and answered 5 s later; then the server is gone.
    const gate = Promise.withResolvers<void>();
    server.interpose({ verb: "update", resource: "leases" }, { after: () => gate.promise });
    await pass(6_000);
    gate.resolve();
    await settle();
    server.fail({ resource: "leases" }, "reset", Infinity);
    await pass(4_750);
    assert.equal(one.isWorking, true);
    await pass(500);
    assert.deepEqual([one.isWorking, one.isLost], [false, true]);
  });
});

Deno.test("Elector that was answered too late to be sure does not lead", async () => {
  await withBench(async ({ replica, server, clock, pass }) => {
    const gate = Promise.withResolvers<void>();
    server.interpose({ verb: "create", resource: "leases" }, { after: () => gate.promise });
    const one = replica("one").start();
    await pass(12_000);
    assert.equal(one.isWorking, false);
    gate.resolve();
    await settle();
    assert.equal(one.isWorking, false);
    await clock.advance(2_000);
    assert.equal(one.isWorking, true);
  });
});

Deno.test("Elector that is asked to stop while a request hangs, stops", async () => {
  await withBench(async ({ replica, pass }) => {
    const one = replica("one").start();
    await pass(1_000);
    one.kube.replace = () => new Promise(() => {});
    await pass(2_000);
    one.stop.abort();
    await settle();
    assert.deepEqual([one.isWorking, one.isLost], [false, false]);
  });
});

Deno.test("Elector stops leading at once when it sees that another holds the lease", async () => {
  await withBench(async ({ replica, server, pass }) => {
    const one = replica("one").start();
    await pass(1_000);
    server.store.edit(LEASE, KEY, ({ spec }) => spec.holderIdentity = "by hand");
    await pass(2_000);
    assert.deepEqual([one.isWorking, one.isLost], [false, true]);
    assert.equal(server.store.get(LEASE, KEY).spec.holderIdentity, "by hand");
  });
});

Deno.test("Elector goes on after a conflict and a few refusals", async () => {
  await withBench(async ({ replica, server, pass }) => {
    const one = replica("one").start();
    await pass(1_000);
    server.fail({ verb: "update" }, new KubeError(409, "Conflict", "changed"));
    server.fail({ verb: "get" }, "reset", 2);
    await pass(60_000);
    assert.ok(one.isWorking);
  });
});

Deno.test("of two electors that see the lease run out together one leads", async () => {
  await withBench(async ({ replica, server, pass }) => {
    const spec = { holderIdentity: "gone", leaseDurationSeconds: 15, leaseTransitions: 4 };
    server.store.create(LEASE, { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: TARGET, spec });
    const replicas = [replica("one").start(), replica("two").start(), replica("three").start()];
    // Its clock may be another one: only what is seen counts, for a whole lease.
    await pass(14_750);
    assert.equal(replicas.filter(({ isWorking }) => isWorking).length, 0);
    await pass(2_000);
    assert.equal(replicas.filter(({ isWorking }) => isWorking).length, 1);
    assert.equal(server.store.get(LEASE, KEY).spec.leaseTransitions, 5);
  });
});

Deno.test("Elector takes up its own lease without waiting, and a lease that is free", async () => {
  for (const holderIdentity of ["one", ""]) {
    await withBench(async ({ replica, server }) => {
      const spec = { holderIdentity, leaseDurationSeconds: 15, leaseTransitions: 0 };
      server.store.create(LEASE, { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: TARGET, spec });
      const one = replica("one").start();
      await settle();
      assert.ok(one.isWorking);
    });
  }
});

Deno.test("release() leaves a lease alone that another holds, and forgives a server that is away", async () => {
  await withBench(async ({ replica, server, pass }) => {
    const one = replica("one").start();
    await pass(1_000);
    server.store.edit(LEASE, KEY, ({ spec }) => spec.holderIdentity = "two");
    await one.elector.release();
    assert.equal(server.store.get(LEASE, KEY).spec.holderIdentity, "two");
    server.forget();
    await one.elector.release();
    assert.equal(server.count(), 0);
  });
  await withBench(async ({ replica, server, pass }) => {
    const one = replica("one").start();
    await pass(1_000);
    server.fail({}, "reset", Infinity);
    await one.elector.release();
    assert.equal(one.elector.isLeading, false);
  });
});

Deno.test("acquire() ends with its signal, and leaves no timer", async () => {
  await withBench(async ({ replica, server, clock, pass }) => {
    const spec = { holderIdentity: "other", leaseDurationSeconds: 3_600 };
    server.store.create(LEASE, { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: TARGET, spec });
    const one = replica("one").start();
    await pass(5_000);
    one.stop.abort();
    await one.ended;
    assert.deepEqual([one.isWorking, clock.pending], [false, 0]);
  });
});
