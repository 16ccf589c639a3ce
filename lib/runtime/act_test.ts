import assert from "node:assert/strict";
import { CLAIM, CONFIG_MAP, SECRET, SERVICE } from "../api/resources.ts";
import { KubeError } from "../kube/errors.ts";
import { copyOf } from "./copies.ts";
import { ALL, FakeActor, TARGET, wish, WISHES } from "./fake_actor.ts";
import { settle } from "./fake_clock.ts";

Deno.test("promise 8: a new environment costs its objects: the namespace, then what Pods live under, then workloads", async () => {
  await using bench = await new FakeActor().start();
  await bench.act(...ALL);
  assert.deepEqual(bench.calls, [
    "create namespaces gadget-g",
    "apply services svc",
    "apply configmaps settings",
    "apply deployments app",
  ]);
});

Deno.test("promise 8: independent children are applied in parallel, and a wave begins when the one before is done", async () => {
  await using bench = await new FakeActor().start();
  const gate = Promise.withResolvers<void>();
  bench.server.interpose({ verb: "apply", resource: "services" }, { before: () => gate.promise });
  const acting = bench.act(...ALL);
  await settle();
  assert.deepEqual(bench.calls, ["create namespaces gadget-g", "apply services svc", "apply configmaps settings"]);
  gate.resolve();
  await acting;
  assert.equal(bench.calls.at(-1), "apply deployments app");
});

Deno.test("promise 8: an update of one child is one apply", async () => {
  await using bench = await new FakeActor().start();
  await bench.act(...ALL);
  await settle();
  bench.server.forget();
  await bench.act(...ALL.slice(0, 2), { ...WISHES.settings, data: { a: "2" } }, WISHES.namespace);
  assert.deepEqual(bench.calls, ["apply configmaps settings"]);
  assert.deepEqual(bench.find(WISHES.settings)!.data, { a: "2" });
});

Deno.test("promise 4: what is as it is wanted is not asked for again, before the watch has shown it, too", async () => {
  await using bench = await new FakeActor().start();
  await bench.act(...ALL);
  bench.server.forget();
  await bench.act(...ALL);
  await settle();
  await bench.act(...ALL);
  assert.deepEqual(bench.calls, []);
});

Deno.test("an answer that got lost is found again, and nothing is made twice", async () => {
  await using bench = await new FakeActor().start();
  bench.server.breakWatches("silence");
  bench.server.fail({ verb: "create" }, "lost");
  await assert.rejects(bench.act(...ALL), TypeError);
  bench.server.fail({ verb: "apply", resource: "services" }, "lost");
  await assert.rejects(bench.act(...ALL), TypeError);
  await bench.act(...ALL);
  for (const child of ALL) assert.ok(bench.find(child), child.kind);
  assert.equal(bench.server.store.list(SERVICE).length, 1);
});

Deno.test("a refusal of the API server is passed on, after one look whether the object is there", async () => {
  await using bench = await new FakeActor().start();
  await bench.act(WISHES.namespace);
  bench.server.fail({ verb: "apply", resource: "services" }, new KubeError(422, "Invalid", "no such port"));
  bench.server.forget();
  await assert.rejects(bench.act(WISHES.namespace, WISHES.service), { status: 422 });
  assert.deepEqual(bench.calls, ["get services svc", "apply services svc", "get services svc"]);
});

Deno.test("a refusal of an update of our own object that the cache had not shown is asked for once", async () => {
  await using bench = await new FakeActor().start();
  await bench.act(WISHES.namespace, WISHES.service);
  const informer = bench.informers.get({ resource: SERVICE, scope: "children" });
  informer.cache.get = (): undefined => undefined;
  informer.cache.ownedBy = (): [] => [];
  bench.server.fail({ verb: "apply", resource: "services" }, new KubeError(422, "Invalid", "field is immutable"), 9);
  bench.server.forget();
  await assert.rejects(bench.act(WISHES.namespace, WISHES.service), { status: 422 });
  assert.deepEqual(bench.calls, ["get services svc", "apply services svc"]);
});

Deno.test("one child that fails keeps none of its wave from being made, and the first error is told", async () => {
  await using bench = await new FakeActor().start();
  bench.server.fail({ verb: "apply", resource: "services" }, new KubeError(500, "InternalError", "first"));
  await assert.rejects(bench.act(...ALL, wish(CONFIG_MAP, "more")), { message: "first" });
  assert.ok(bench.find(WISHES.settings) && bench.find(wish(CONFIG_MAP, "more")));
  assert.equal(bench.find(WISHES.app), undefined);
});

Deno.test("a volume that may not grow keeps no Pod from changing, and the refusal is told", async () => {
  await using bench = await new FakeActor().start();
  const claim = wish(CLAIM, "data", { spec: { resources: { requests: { storage: "1Gi" } } } });
  await bench.act(...ALL, claim);
  await settle();
  bench.server.fail({ verb: "apply", resource: "persistentvolumeclaims" }, new KubeError(403, "Forbidden", "no"));
  const grown = { ...claim, spec: { resources: { requests: { storage: "2Gi" } } } };
  const next = { ...WISHES.app, spec: { replicas: 2 } };
  await assert.rejects(bench.act(WISHES.namespace, WISHES.settings, WISHES.service, next, grown), { status: 403 });
  assert.equal(bench.find(next)!.spec.replicas, 2);
});

Deno.test("what is under way is waited for when something else of its wave fails", async () => {
  await using bench = await new FakeActor().start();
  const gate = Promise.withResolvers<void>();
  bench.server.interpose({ verb: "apply", resource: "configmaps" }, { before: () => gate.promise });
  bench.server.fail({ verb: "apply", resource: "services" }, new KubeError(500, "InternalError", "no"));
  let hasEnded = false;
  const acting = bench.act(...ALL).catch(() => hasEnded = true);
  await settle();
  assert.equal(hasEnded, false);
  gate.resolve();
  await acting;
  assert.equal(hasEnded, true);
});

Deno.test("a child that is wanted no more goes after the rest is right", async () => {
  await using bench = await new FakeActor().start();
  await bench.act(...ALL);
  await settle();
  bench.server.forget();
  await bench.act(WISHES.namespace, WISHES.app, { ...WISHES.service, spec: { ports: [{ port: 81 }] } });
  assert.deepEqual(bench.calls, ["apply services svc", "delete configmaps settings"]);
  assert.equal(bench.find(WISHES.settings), undefined);
});

Deno.test("a child that leaves does not keep the others from being set right, and is waited for", async () => {
  await using bench = await new FakeActor().start();
  await bench.act(...ALL);
  bench.server.store.edit(SERVICE, `${TARGET}/svc`, ({ metadata }) => metadata.finalizers = ["x/y"]);
  bench.server.store.remove(SERVICE, `${TARGET}/svc`);
  bench.server.store.remove(CONFIG_MAP, `${TARGET}/settings`);
  await settle();
  await assert.rejects(bench.act(...ALL), {
    name: "Waiting",
    reason: "Terminating",
    message: /Service "gadget-g\/svc"/,
  });
  assert.ok(bench.find(WISHES.settings));
});

Deno.test("a Secret is copied with its data, kept in step, and its data is in no cache", async () => {
  await using bench = await new FakeActor().start();
  const { store } = bench.server;
  const source = store.create(SECRET, {
    ...wish(SECRET, "pull", {}, "default"),
    type: "Opaque",
    data: { k: "c2VjcmV0" },
  });
  const target = { namespace: TARGET, name: "pull" };
  await bench.act(WISHES.namespace, copyOf(source, target));
  await settle();
  assert.deepEqual(store.get(SECRET, `${TARGET}/pull`).data, { k: "c2VjcmV0" });
  const newer = store.edit(SECRET, "default/pull", (secret) => secret.data = { k: "bmV3" });
  bench.server.forget();
  await bench.act(WISHES.namespace, copyOf(newer, target));
  assert.deepEqual(bench.calls, ["get secrets pull", "apply secrets pull"]);
  assert.deepEqual(store.get(SECRET, `${TARGET}/pull`).data, { k: "bmV3" });
  const cached = [...bench.informers.get({ resource: SECRET, scope: "children" }).cache.values()];
  assert.deepEqual(cached.map(({ data }) => data), [undefined]);
});
