import assert from "node:assert/strict";
import { FINALIZER } from "../api/names.ts";
import { isConflict } from "../kube/errors.ts";
import { FakeCluster } from "./fake_cluster.ts";
import { GADGET } from "./fake_owner.ts";
import { addFinalizer, hasFinalizer, removeFinalizer } from "./finalizer.ts";

const THEIRS = "example.com/theirs";

function finalizersOf({ server }: FakeCluster): string[] | undefined {
  return server.store.find(GADGET, "default/g")?.metadata.finalizers;
}

const lists: Record<string, [before: string[] | undefined, after: string[]]> = {
  "where there is none": [undefined, [FINALIZER]],
  "behind those of others": [[THEIRS], [THEIRS, FINALIZER]],
};

for (const [name, [before, after]] of Object.entries(lists)) {
  Deno.test(`promise 6: the finalizer is added ${name}, with one request`, async () => {
    await using cluster = new FakeCluster();
    const owner = cluster.owner("g", { finalizers: before });
    const now = await addFinalizer(owner, GADGET, cluster.kube);
    assert.deepEqual(finalizersOf(cluster), after);
    assert.ok(!hasFinalizer(owner) && hasFinalizer(now));
    assert.equal(cluster.server.count(), 1);
  });
}

Deno.test("promise 6: a finalizer that somebody added meanwhile is not lost", async () => {
  await using cluster = new FakeCluster();
  const owner = cluster.owner();
  cluster.server.store.edit(GADGET, "default/g", ({ metadata }) => metadata.finalizers = [THEIRS]);
  await assert.rejects(addFinalizer(owner, GADGET, cluster.kube), isConflict);
  assert.deepEqual(finalizersOf(cluster), [THEIRS]);
});

Deno.test("promise 6: another object of the name gets no finalizer and loses none", async () => {
  await using cluster = new FakeCluster();
  const owner = cluster.owner("g");
  cluster.server.store.remove(GADGET, "default/g");
  cluster.owner("g", { finalizers: [FINALIZER] });
  await assert.rejects(addFinalizer(owner, GADGET, cluster.kube), isConflict);
  const old = { ...owner, metadata: { ...owner.metadata, finalizers: [FINALIZER] } };
  await assert.rejects(removeFinalizer(old, GADGET, cluster.kube), isConflict);
  assert.deepEqual(finalizersOf(cluster), [FINALIZER]);
});

Deno.test("promise 6: the finalizer is taken away, and those of others stay", async () => {
  await using cluster = new FakeCluster();
  const owner = cluster.owner("g", { finalizers: [THEIRS, FINALIZER, "example.com/more"] });
  await removeFinalizer(owner, GADGET, cluster.kube);
  assert.deepEqual(finalizersOf(cluster), [THEIRS, "example.com/more"]);
});

Deno.test("promise 6: the finalizer is not taken away when the list has changed: not another one's in its place", async () => {
  await using cluster = new FakeCluster();
  const owner = cluster.owner("g", { finalizers: [FINALIZER] });
  const changed = [THEIRS, FINALIZER];
  cluster.server.store.edit(GADGET, "default/g", ({ metadata }) => metadata.finalizers = changed);
  await assert.rejects(removeFinalizer(owner, GADGET, cluster.kube), isConflict);
  assert.deepEqual(finalizersOf(cluster), changed);
});

Deno.test("promise 6: taking it from an object that is gone is done already", async () => {
  await using cluster = new FakeCluster();
  const owner = cluster.owner("g", { finalizers: [FINALIZER] });
  cluster.server.store.remove(GADGET, "default/g");
  await removeFinalizer(owner, GADGET, cluster.kube);
  await removeFinalizer(owner, GADGET, cluster.kube);
  assert.equal(cluster.server.store.find(GADGET, "default/g"), undefined);
});
