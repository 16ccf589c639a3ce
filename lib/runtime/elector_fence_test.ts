import assert from "node:assert/strict";
import { CONFIG_MAP } from "../api/resources.ts";
import { DEFAULT_ELECTION, LeadershipLost } from "./elector.ts";
import { FakeClock, settle } from "./fake_clock.ts";
import { FakeReplicas, type Replica, write } from "./fake_replicas.ts";

const HOUR_MS = 3_600_000;
const { leaseMs, renewDeadlineMs } = DEFAULT_ELECTION;

interface Bench {
  bench: FakeReplicas;
  /** Leads, on a machine of its own. */
  one: Replica;
  /** Stands by. */
  two: Replica;
}

async function withTwo(test: (bench: Bench) => Promise<void>): Promise<void> {
  const bench = new FakeReplicas();
  const one = bench.replica("one", { clock: new FakeClock() }).start();
  await settle();
  const two = bench.replica("two").start();
  await bench.pass(5_000);
  assert.ok(one.isWorking && !two.isWorking);
  await test({ bench, one, two });
  await bench.close();
}

/** Names of what was written by those who reconcile. */
function written({ server }: FakeReplicas): string[] {
  return server.store.list(CONFIG_MAP).map(({ metadata }) => metadata.name);
}

Deno.test("a leader that was frozen between two writes makes no second one, and ends", async () => {
  await withTwo(async ({ bench, one, two }) => {
    await write(one.guarded.reconciling, "first");
    one.isFrozen = true;
    await bench.pass(20_000);
    assert.ok(two.isWorking);
    bench.server.forget();
    // What runs first after SIGCONT is not the elector: a reconcile goes on where it was.
    await assert.rejects(write(one.guarded.reconciling, "second"), LeadershipLost);
    await assert.rejects(write(one.guarded.telling, "event"), LeadershipLost);
    assert.deepEqual(bench.calls, []);
    one.isFrozen = false;
    await bench.pass(250);
    assert.deepEqual([one.isWorking, one.isLost, written(bench)], [false, true, ["first"]]);
    assert.equal(bench.lease.holderIdentity, "two");
    assert.ok(one.log.includes("Lease was lost"));
    await write(two.guarded.reconciling, "third");
  });
});

Deno.test("writes that are not answered when the lease is lost are ended", async () => {
  await withTwo(async ({ bench, one }) => {
    bench.server.fail({ resource: "configmaps" }, "hang", 2);
    const writes = [write(one.guarded.reconciling, "a"), write(one.guarded.telling, "b")];
    const refused = Promise.all(writes.map((promise) => assert.rejects(promise, LeadershipLost)));
    await settle();
    bench.edit(({ spec }) => spec.holderIdentity = "by hand");
    await refused;
    assert.deepEqual(written(bench), []);
  });
});

Deno.test("those who reconcile may read always, and write only while the lease is held", async () => {
  await withTwo(async ({ bench, one, two }) => {
    await write(one.guarded.reconciling, "a");
    await assert.rejects(write(two.guarded.reconciling, "b"), LeadershipLost);
    await assert.rejects(write(two.guarded.telling, "b"), LeadershipLost);
    assert.equal((await two.guarded.reconciling.list(CONFIG_MAP, {}, { limit: 9 })).items.length, 1);
    assert.equal(two.isLost, false);
    one.stop.abort();
    await one.ended;
    await assert.rejects(write(one.guarded.reconciling, "c"), LeadershipLost);
    // What was recorded before the lease was given up may still be told.
    await write(one.guarded.telling, "event");
    assert.deepEqual(written(bench), ["a", "event"]);
  });
});

Deno.test("a clock that is set back does not make a lease longer", async () => {
  await withTwo(async ({ bench, one, two }) => {
    bench.server.fail({ verb: "update" }, "reset", Infinity);
    one.clock.set(-HOUR_MS);
    await bench.pass(renewDeadlineMs - 2_000);
    await write(one.guarded.reconciling, "in time");
    await bench.pass(2_000);
    assert.deepEqual([one.isWorking, one.isLost], [false, true]);
    await assert.rejects(write(one.guarded.reconciling, "late"), LeadershipLost);
    bench.server.mend();
    await bench.pass(leaseMs);
    assert.ok(two.isWorking);
  });
});

Deno.test("a leader whose machine was suspended writes nothing, though its monotonic clock stood still", async () => {
  await withTwo(async ({ bench, one, two }) => {
    const frozenAt = one.clock.monotonic();
    one.kube.replace = () => new Promise(() => {});
    await bench.clock.advance(leaseMs + 2_000);
    one.clock.set(leaseMs + 2_000);
    assert.equal(one.clock.monotonic(), frozenAt);
    assert.ok(two.isWorking && !one.elector.isLeading);
    await assert.rejects(write(one.guarded.reconciling, "late"), LeadershipLost);
    await settle();
    assert.deepEqual([one.isWorking, one.isLost], [false, true]);
  });
});

Deno.test("a standby whose clock is set ahead takes nothing early, nor late when it is set back", async () => {
  for (const ms of [HOUR_MS, -HOUR_MS]) {
    await withTwo(async ({ bench, one, two }) => {
      bench.clock.set(ms);
      await bench.pass(10_000);
      assert.ok(one.isWorking && !two.isWorking);
      one.kill();
      one.isFrozen = true;
      // Its last renewal was a second ago.
      await bench.pass(leaseMs - 1_250);
      assert.equal(two.isWorking, false);
      await bench.pass(1_250);
      assert.ok(two.isWorking);
    });
  }
});
