import assert from "node:assert/strict";
import { KubeError } from "../kube/errors.ts";
import { DEFAULT_ELECTION } from "./elector.ts";
import { FakeReplicas } from "./fake_replicas.ts";
import { settle } from "./fake_clock.ts";

const { leaseMs, renewDeadlineMs } = DEFAULT_ELECTION;

async function withReplicas(test: (bench: FakeReplicas) => Promise<void>): Promise<void> {
  const bench = new FakeReplicas();
  await test(bench);
  await bench.close();
}

Deno.test("Elector takes a lease that does not exist, and renews it every 2 s with one request", async () => {
  await withReplicas(async (bench) => {
    const one = bench.replica("one").start();
    await settle();
    assert.ok(one.isWorking && one.elector.isLeading);
    const now = new Date(bench.clock.now()).toISOString().replace("Z", "000Z");
    assert.deepEqual(bench.lease, {
      holderIdentity: "one",
      leaseDurationSeconds: 15,
      acquireTime: now,
      renewTime: now,
      leaseTransitions: 0,
    });
    bench.server.forget();
    await bench.pass(20_000);
    assert.deepEqual(bench.calls, Array(10).fill("update"));
    assert.deepEqual([bench.lease.acquireTime, bench.lease.leaseTransitions], [now, 0]);
    assert.notEqual(bench.lease.renewTime, now);
  });
});

Deno.test("of two electors that start at once without a lease one leads, and the other asks for nothing any more", async () => {
  await withReplicas(async (bench) => {
    const replicas = [bench.replica("one").start(), bench.replica("two").start()];
    await settle();
    assert.equal(replicas.filter(({ isWorking }) => isWorking).length, 1);
    assert.equal(bench.lease.leaseTransitions, 0);
    bench.server.forget();
    await bench.pass(60_000);
    assert.deepEqual(bench.calls, Array(30).fill("update"));
  });
});

Deno.test("two electors never lead together; the second follows 15 s after the first died", async () => {
  await withReplicas(async (bench) => {
    const one = bench.replica("one").start();
    await settle();
    const two = bench.replica("two").start();
    await bench.pass(60_000);
    one.kill();
    await bench.pass(leaseMs - 250);
    assert.equal(two.isWorking, false);
    await bench.pass(250);
    assert.equal(two.isWorking, true);
    assert.equal(bench.lease.leaseTransitions, 1);
  });
});

Deno.test("Elector takes a lease that is given up at once, by its watch", async () => {
  await withReplicas(async (bench) => {
    const one = bench.replica("one").start();
    await settle();
    const two = bench.replica("two").start();
    await bench.pass(10_000);
    bench.server.forget();
    one.stop.abort();
    await one.ended;
    await settle();
    assert.deepEqual([one.elector.isLeading, one.isLost, two.isWorking], [false, false, true]);
    assert.deepEqual([bench.calls, bench.lease.holderIdentity], [["update", "update"], "two"]);
    assert.deepEqual(one.log, ["Leading", "Lease given up"]);
    assert.deepEqual(two.log, ["Standing by", "Leading"]);
  });
});

Deno.test("Elector whose watch is blind takes nothing that is renewed, and asks once in a lease", async () => {
  for (const { name, hasWatch } of [{ name: "never began", hasWatch: false }, { name: "went blind", hasWatch: true }]) {
    await withReplicas(async (bench) => {
      const one = bench.replica("one").start();
      await settle();
      const two = bench.replica("two", { hasWatch }).start();
      await bench.pass(1_000);
      bench.server.breakWatches("blindness");
      bench.server.forget();
      await bench.pass(60_000);
      assert.ok(one.isWorking && !two.isWorking, name);
      // 30 renewals, and a refused try and a look for each lease that seems to have run out.
      const count = (verb: string): number => bench.calls.filter((call) => call === verb).length;
      assert.deepEqual([count("update"), count("get")], [30 + 4, 4], name);
      one.stop.abort();
      await one.ended;
      await bench.pass(leaseMs);
      assert.ok(two.isWorking, name);
    });
  }
});

Deno.test("Elector stops leading 12 s after its last renewal, before anybody can follow", async () => {
  await withReplicas(async (bench) => {
    const one = bench.replica("one").start();
    await bench.pass(500);
    const renewed = bench.clock.now() - 500;
    bench.server.fail({ resource: "leases" }, new KubeError(503, "ServiceUnavailable", "no"), Infinity);
    await bench.pass(renewDeadlineMs - 1_000);
    assert.equal(one.isWorking, true);
    await bench.pass(1_000);
    assert.deepEqual([one.isWorking, one.isLost, bench.clock.now() - renewed], [false, true, 12_500]);
  });
});

Deno.test("Elector stops leading in its time, though a renewal hangs", async () => {
  await withReplicas(async (bench) => {
    const one = bench.replica("one").start();
    await bench.pass(1_000);
    const two = bench.replica("two").start();
    await bench.pass(3_000);
    assert.ok(one.isWorking);
    // From now on the first is alone with a network that swallows its requests; the second's are fine.
    const gate = Promise.withResolvers<never>();
    one.kube.replace = () => gate.promise;
    await bench.pass(renewDeadlineMs);
    assert.deepEqual([one.isWorking, one.isLost], [false, true]);
    await bench.pass(leaseMs - renewDeadlineMs);
    assert.ok(two.isWorking);
    gate.reject(new Error("too late"));
    await settle();
    assert.equal(bench.lease.holderIdentity, "two");
  });
});

Deno.test("Elector goes on though every renewal is answered 5 s late", async () => {
  await withReplicas(async (bench) => {
    const one = bench.replica("one").start();
    await bench.pass(1_000);
    const { replace } = one.kube;
    one.kube.replace = async (...args) => {
      const answer = await replace.apply(one.kube, args);
      await new Promise<void>((resolve) => void bench.clock.at(bench.clock.now() + 5_000, resolve));
      return answer;
    };
    await bench.pass(60_000);
    assert.ok(one.isWorking && one.elector.isLeading);
  });
});

Deno.test("Elector counts from before it wrote: a renewal that was answered late holds no longer", async () => {
  await withReplicas(async (bench) => {
    const one = bench.replica("one").start();
    await bench.pass(1_000);
    // The renewal at 2 s is written at once, and answered 5 s later; then the server is gone.
    const gate = Promise.withResolvers<void>();
    bench.server.interpose({ verb: "update", resource: "leases" }, { after: () => gate.promise });
    await bench.pass(6_000);
    bench.server.fail({ resource: "leases" }, "reset", Infinity);
    gate.resolve();
    await settle();
    await bench.pass(renewDeadlineMs - 5_250);
    assert.equal(one.isWorking, true);
    await bench.pass(500);
    assert.deepEqual([one.isWorking, one.isLost], [false, true]);
  });
});

Deno.test("Elector that was answered too late to be sure does not lead", async () => {
  await withReplicas(async (bench) => {
    const gate = Promise.withResolvers<void>();
    bench.server.interpose({ verb: "create", resource: "leases" }, { after: () => gate.promise });
    const one = bench.replica("one").start();
    await bench.pass(renewDeadlineMs + 2_000);
    assert.equal(one.isWorking, false);
    gate.resolve();
    await settle();
    assert.equal(one.isWorking, false);
    await bench.clock.advance(2_000);
    assert.equal(one.isWorking, true);
  });
});

Deno.test("Elector that is asked to stop while a request hangs, stops", async () => {
  await withReplicas(async (bench) => {
    const one = bench.replica("one").start();
    await bench.pass(1_000);
    one.kube.replace = () => new Promise(() => {});
    await bench.pass(2_000);
    one.stop.abort();
    await settle();
    assert.deepEqual([one.isWorking, one.isLost], [false, false]);
  });
});

Deno.test("Elector stops leading at once when it sees that the lease was taken away, by its watch or at the next renewal", async () => {
  for (const holder of ["by hand", ""]) {
    for (const hasWatch of [true, false]) {
      await withReplicas(async (bench) => {
        const one = bench.replica("one", { hasWatch }).start();
        await bench.pass(1_000);
        bench.edit(({ spec }) => spec.holderIdentity = holder);
        await (hasWatch ? settle() : bench.pass(2_000));
        assert.deepEqual([one.isWorking, one.isLost], [false, true]);
        assert.equal(bench.lease.holderIdentity, holder);
      });
    }
  }
});

Deno.test("Elector renews a lease that somebody has edited: it looks again and writes again, at once", async () => {
  await withReplicas(async (bench) => {
    const one = bench.replica("one", { hasWatch: false }).start();
    await bench.pass(1_000);
    bench.edit(({ metadata }) => metadata.labels = { team: "x" });
    bench.server.forget();
    await bench.pass(2_000);
    assert.deepEqual(bench.calls, ["update", "get", "update"]);
    assert.ok(one.elector.isLeading);
  });
});

Deno.test("Elector goes on after a conflict, a few refusals, and a renewal whose answer was lost", async () => {
  await withReplicas(async (bench) => {
    const one = bench.replica("one", { hasWatch: false }).start();
    await bench.pass(1_000);
    bench.server.fail({ verb: "update" }, new KubeError(409, "Conflict", "changed"));
    bench.server.fail({ verb: "get" }, "reset", 2);
    await bench.pass(20_000);
    bench.server.fail({ verb: "update" }, "lost");
    await bench.pass(20_000);
    assert.ok(one.isWorking);
  });
});

Deno.test("a lease that is deleted while it is held is made again by its holder, and taken by nobody", async () => {
  await withReplicas(async (bench) => {
    const one = bench.replica("one").start();
    await settle();
    const two = bench.replica("two").start();
    await bench.pass(3_000);
    bench.erase();
    await settle(10);
    assert.equal(bench.lease.holderIdentity, "one");
    await bench.pass(30_000);
    assert.ok(one.isWorking && !two.isWorking);
    // Also when the holder does not know of it yet.
    one.kill();
    bench.erase();
    await bench.pass(leaseMs - 2_250);
    assert.equal(two.isWorking, false);
    await bench.pass(2_250);
    assert.ok(two.isWorking);
  });
});

Deno.test("of electors that see the lease run out together one leads", async () => {
  await withReplicas(async (bench) => {
    bench.lend({ holderIdentity: "gone", leaseDurationSeconds: 15, leaseTransitions: 4 });
    const replicas = ["one", "two", "three"].map((name) => bench.replica(name).start());
    // Its clock may be another one: only what is seen counts, for a whole lease.
    await bench.pass(leaseMs - 250);
    assert.equal(replicas.filter(({ isWorking }) => isWorking).length, 0);
    await bench.pass(500);
    assert.equal(replicas.filter(({ isWorking }) => isWorking).length, 1);
    assert.equal(bench.lease.leaseTransitions, 5);
  });
});

Deno.test("Elector takes up its own lease without waiting, and a lease that is free", async () => {
  for (const holderIdentity of ["one", ""]) {
    await withReplicas(async (bench) => {
      bench.lend({ holderIdentity, leaseDurationSeconds: 15, leaseTransitions: 0 });
      const one = bench.replica("one").start();
      await settle();
      assert.ok(one.isWorking);
    });
  }
});

Deno.test("release() leaves a lease alone that another holds, and forgives a server that is away", async () => {
  await withReplicas(async (bench) => {
    const one = bench.replica("one", { hasWatch: false }).start();
    await bench.pass(1_000);
    bench.edit(({ spec }) => spec.holderIdentity = "two");
    await one.elector.release();
    assert.equal(bench.lease.holderIdentity, "two");
    bench.server.forget();
    await one.elector.release();
    assert.deepEqual(bench.calls, []);
  });
  await withReplicas(async (bench) => {
    const one = bench.replica("one").start();
    await bench.pass(1_000);
    bench.server.fail({}, "reset", Infinity);
    await one.elector.release();
    assert.equal(one.elector.isLeading, false);
  });
});

Deno.test("release() gives up a lease that a renewal under way writes at the same time, and that stays so", async () => {
  for (const isFirst of [true, false]) {
    await withReplicas(async (bench) => {
      const one = bench.replica("one", { hasWatch: false }).start();
      await bench.pass(1_000);
      const gate = Promise.withResolvers<void>();
      const slowly = { [isFirst ? "after" : "before"]: () => gate.promise };
      bench.server.interpose({ verb: "update" }, slowly);
      await bench.pass(1_000);
      one.stop.abort();
      await one.ended;
      gate.resolve();
      await settle(10);
      assert.equal(bench.lease.holderIdentity, "");
    });
  }
});

Deno.test("acquire() ends with its signal, and leaves no timer", async () => {
  await withReplicas(async (bench) => {
    bench.lend({ holderIdentity: "other", leaseDurationSeconds: 3_600 });
    const one = bench.replica("one", { hasWatch: false }).start();
    await bench.pass(5_000);
    one.stop.abort();
    await one.ended;
    assert.deepEqual([one.isWorking, bench.clock.pending], [false, 0]);
  });
});
