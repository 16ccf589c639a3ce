import assert from "node:assert/strict";
import type { KubeObject } from "../api/object.ts";
import { CONFIG_MAP, JOB, LEASE, NAMESPACE, POD, SERVICE } from "../api/resources.ts";
import { ALL, FakeActor, foreign, TARGET, wish, WISHES } from "./fake_actor.ts";
import { settle } from "./fake_clock.ts";

/** What somebody else made is as it was: version, too. */
async function untouched(bench: FakeActor, theirs: KubeObject, work: Promise<void>, expected: object): Promise<void> {
  await assert.rejects(work, expected);
  assert.deepEqual(bench.find(theirs), theirs);
}

Deno.test("a foreign namespace is never touched: no request but to look", async () => {
  await using bench = new FakeActor();
  const theirs = bench.server.store.create(NAMESPACE, foreign(WISHES.namespace));
  await bench.start();
  await untouched(bench, theirs, bench.act(...ALL), {
    name: "Stalled",
    reason: "NotOwned",
    message: /Namespace "gadget-g"/,
  });
  assert.deepEqual(bench.calls, []);
});

Deno.test("a foreign namespace that no cache has shown yet is never touched", async () => {
  await using bench = await new FakeActor().start();
  bench.server.breakWatches("silence");
  const theirs = bench.server.store.create(NAMESPACE, foreign(WISHES.namespace));
  await untouched(bench, theirs, bench.act(...ALL), { reason: "NotOwned" });
  assert.deepEqual(bench.calls, ["create namespaces gadget-g", "get namespaces gadget-g"]);
});

Deno.test("a namespace of an earlier owner of the same name is waited for while it leaves", async () => {
  await using bench = new FakeActor();
  bench.server.store.create(NAMESPACE, foreign(WISHES.namespace));
  bench.server.store.remove(NAMESPACE, TARGET);
  await bench.start();
  await assert.rejects(bench.act(...ALL), { name: "Waiting", reason: "Terminating" });
  assert.deepEqual(bench.calls, []);
});

Deno.test("a namespace of our own that leaves is waited for, and nothing is put into it", async () => {
  await using bench = await new FakeActor().start();
  await bench.act(...ALL);
  bench.server.store.remove(NAMESPACE, TARGET);
  await settle();
  bench.server.forget();
  await assert.rejects(bench.act(...ALL, wish(CONFIG_MAP, "more")), { name: "Waiting", reason: "Terminating" });
  assert.deepEqual(bench.calls, []);
});

const inTheWay: Record<string, KubeObject> = {
  "with other fields": foreign(WISHES.service, { spec: { ports: [{ port: 8080 }] } }),
  "that is what we would make": foreign(WISHES.service),
  "that says it is ours in all but the uid": foreign(WISHES.service, {
    metadata: { ...WISHES.service.metadata, labels: { "maquette.dev/owner-uid": "another" } },
  }),
};

for (const [name, theirs] of Object.entries(inTheWay)) {
  Deno.test(`a foreign Service ${name}, inside a namespace of ours, is never touched`, async () => {
    await using bench = await new FakeActor().start();
    await bench.act(WISHES.namespace);
    const made = bench.server.store.create(SERVICE, theirs);
    await settle();
    bench.server.forget();
    await untouched(bench, made, bench.act(...ALL), { reason: "NotOwned", message: /Service "gadget-g\/svc"/ });
    assert.equal(
      bench.server.count({ resource: "services" }),
      bench.server.count({ verb: "get", resource: "services" }),
    );
    // The others in its wave are there all the same; what comes after is not.
    assert.ok(bench.find(WISHES.settings));
    assert.equal(bench.find(WISHES.app), undefined);
  });

  Deno.test(`a foreign Service ${name}, made between our look and our apply, is given back`, async () => {
    await using bench = await new FakeActor().start();
    await bench.act(WISHES.namespace);
    await settle();
    bench.server.interpose({ verb: "apply", resource: "services" }, {
      before: () => void bench.server.store.create(SERVICE, theirs),
    });
    await assert.rejects(bench.act(WISHES.namespace, WISHES.service), { reason: "NotOwned" });
    const { metadata, spec } = bench.find(WISHES.service)!;
    assert.deepEqual([metadata.labels, metadata.annotations, spec], [theirs.metadata.labels, undefined, theirs.spec]);
  });

  Deno.test(`a foreign Service ${name}, made in a namespace that is a moment old, is given back`, async () => {
    await using bench = await new FakeActor().start();
    bench.server.interpose({ verb: "create", resource: "namespaces" }, {
      after: () => void bench.server.store.create(SERVICE, theirs),
    });
    await assert.rejects(bench.act(...ALL), { reason: "NotOwned" });
    const { metadata, spec } = bench.find(WISHES.service)!;
    assert.deepEqual([metadata.labels, spec], [theirs.metadata.labels, theirs.spec]);
  });
}

Deno.test("our own object that the cache has not shown is brought up to date, not called foreign", async () => {
  await using bench = await new FakeActor().start();
  bench.server.breakWatches("silence");
  await bench.act(WISHES.namespace);
  bench.server.fail({ verb: "apply", resource: "configmaps" }, "lost");
  await assert.rejects(bench.act(WISHES.namespace, WISHES.settings), TypeError);
  bench.server.forget();
  await bench.act(WISHES.namespace, { ...WISHES.settings, data: { a: "2" } });
  assert.deepEqual(bench.calls, ["get configmaps settings", "apply configmaps settings"]);
  assert.deepEqual(bench.find(WISHES.settings)!.data, { a: "2" });
});

Deno.test("a Pod is claimed by creating it: no look before, and a foreign one is never touched", async () => {
  await using bench = await new FakeActor().start();
  await bench.act(WISHES.namespace);
  await settle();
  bench.server.forget();
  await bench.act(WISHES.namespace, wish(POD, "p"));
  assert.deepEqual(bench.calls, ["create pods p"]);
  const theirs = bench.server.store.create(JOB, foreign(wish(JOB, "j")));
  await untouched(bench, theirs, bench.act(WISHES.namespace, wish(POD, "p"), wish(JOB, "j")), {
    reason: "NotOwned",
  });
});

Deno.test("a Lease is claimed by creating it, and one that somebody else holds is waited for", async () => {
  await using bench = await new FakeActor().start();
  const lease = wish(LEASE, "database", { spec: { holderIdentity: "us" } });
  bench.server.store.create(NAMESPACE, foreign(WISHES.namespace));
  bench.server.store.create(LEASE, foreign(lease, { spec: { holderIdentity: "them" } }));
  const held = { name: "Waiting", reason: "Held", message: `Waiting until Lease "${TARGET}/database" is released` };
  await assert.rejects(bench.act(lease), held);
  assert.equal(bench.find(lease)!.spec.holderIdentity, "them");
});

Deno.test("an update is of the object that was seen: one that was made anew meanwhile is a conflict", async () => {
  await using bench = await new FakeActor().start();
  await bench.act(...ALL);
  await settle();
  bench.server.breakWatches("silence");
  bench.server.store.remove(CONFIG_MAP, `${TARGET}/settings`);
  const changed = { ...WISHES.settings, data: { a: "2" } };
  await assert.rejects(bench.act(changed, WISHES.namespace, WISHES.service, WISHES.app), { status: 409 });
  const theirs = bench.server.store.create(CONFIG_MAP, foreign(WISHES.settings));
  await untouched(bench, theirs, bench.act(changed, WISHES.namespace, WISHES.service, WISHES.app), { status: 409 });
});

Deno.test("a deletion is of the object that was seen: one that was made anew meanwhile stays", async () => {
  await using bench = await new FakeActor().start();
  await bench.act(...ALL);
  await settle();
  bench.server.breakWatches("silence");
  bench.server.store.remove(CONFIG_MAP, `${TARGET}/settings`);
  const theirs = bench.server.store.create(CONFIG_MAP, foreign(WISHES.settings));
  await bench.act(WISHES.namespace, WISHES.service, WISHES.app);
  assert.deepEqual(bench.find(theirs), theirs);
  bench.server.store.remove(CONFIG_MAP, `${TARGET}/settings`);
  await bench.act(WISHES.namespace, WISHES.service, WISHES.app);
});
