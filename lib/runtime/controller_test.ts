import assert from "node:assert/strict";
import { ANNOTATION_PAUSED, LABEL_OWNER_UID } from "../api/names.ts";
import { CONFIG_MAP, DEPLOYMENT, NAMESPACE, SERVICE } from "../api/resources.ts";
import { collectGarbage } from "../kube/scripted_garbage.ts";
import { FakeClock, settle } from "./fake_clock.ts";
import { createServer } from "./fake_cluster.ts";
import { gadgetKind } from "./fake_kind.ts";
import { FakeOperator, type FakeOperatorOptions } from "./fake_operator.ts";
import { GADGET } from "./fake_owner.ts";

/** An operator with one Gadget that is Ready, and no request on the record. */
async function withReady(options: FakeOperatorOptions = {}): Promise<FakeOperator> {
  const operator = await new FakeOperator(options).start();
  operator.gadget();
  await settle();
  operator.rollOut();
  await settle();
  assert.equal(operator.condition("Ready")?.status, "True");
  operator.server.forget();
  operator.events.length = operator.results.length = 0;
  return operator;
}

Deno.test("promise 8: a new owner costs its objects and two status writes", async () => {
  await using operator = await new FakeOperator().start();
  operator.gadget();
  await settle();
  operator.rollOut();
  await settle();
  assert.deepEqual(operator.calls, [
    "create namespaces gadget-g",
    "apply configmaps settings",
    "apply services svc",
    "apply deployments app",
    "apply-status gadgets g",
    "apply-status gadgets g",
  ]);
  assert.equal(operator.condition("Ready")?.status, "True");
});

Deno.test("promise 8: an update of one child costs one apply and at most two status writes", async () => {
  await using operator = await withReady();
  operator.edit(({ spec }) => spec.text = "2");
  await settle();
  await operator.clock.advance(10 * 60_000);
  assert.deepEqual(operator.calls, ["apply configmaps settings", "apply-status gadgets g"]);
  assert.equal(operator.look()?.status.text, "2");
});

Deno.test("promise 4: a quiet hour costs no request but watches and verifying lists", async () => {
  await using operator = await withReady();
  await operator.clock.advance(60 * 60_000);
  assert.deepEqual(operator.calls, []);
  assert.deepEqual(operator.results, []);
});

Deno.test("promise 4: a touch that changes nothing costs nothing", async () => {
  await using operator = await withReady();
  operator.edit(({ metadata }) => metadata.annotations = { note: "x" });
  operator.server.store.edit(DEPLOYMENT, "gadget-g/app", ({ status }) => status.replicas = 3);
  await settle();
  assert.deepEqual(operator.calls, []);
  assert.ok(operator.results.length > 0);
});

Deno.test("our own writes do not wake us, unless the watch is faster than the answer, and then once", async () => {
  for (const [eventsFirst, reconciles] of [[false, 1], [true, 2]] as const) {
    const clock = new FakeClock();
    await using operator = await new FakeOperator({ world: { clock, server: createServer(clock, { eventsFirst }) } })
      .start();
    operator.gadget();
    await settle();
    await operator.clock.advance(60_000);
    assert.equal(operator.results.length, reconciles);
    assert.equal(operator.calls.length, 5);
  }
});

const drifts: Record<string, [drift: (operator: FakeOperator) => void, calls: string[], event: RegExp]> = {
  "is edited": [
    ({ server }) => server.store.edit(CONFIG_MAP, "gadget-g/settings", (child) => child.data.text = "theirs"),
    ["apply configmaps settings"],
    /ConfigMap "gadget-g\/settings" was changed \(data\.text\) and is set back/,
  ],
  "is deleted": [
    ({ server }) => server.store.remove(SERVICE, "gadget-g/svc"),
    ["get services svc", "apply services svc"],
    /Service "gadget-g\/svc" was missing and is made again/,
  ],
  "loses the annotation that says whose it is": [
    ({ server }) => server.store.edit(SERVICE, "gadget-g/svc", ({ metadata }) => metadata.annotations = {}),
    ["apply services svc"],
    /Service "gadget-g\/svc" was changed/,
  ],
  "loses all our labels": [
    ({ server }) =>
      server.store.edit(
        SERVICE,
        "gadget-g/svc",
        ({ metadata }) => metadata.labels = { [LABEL_OWNER_UID]: metadata.labels![LABEL_OWNER_UID]! },
      ),
    ["get services svc", "apply services svc"],
    /Service "gadget-g\/svc" was missing/,
  ],
};

for (const [name, [drift, calls, event]] of Object.entries(drifts)) {
  Deno.test(`promise 4: a child that ${name} by hand is repaired at once, from the watch, and told`, async () => {
    await using operator = await withReady();
    const before = operator.server.store.everything().filter(({ resource }) => resource.plural !== GADGET.plural);
    drift(operator);
    await settle();
    assert.deepEqual(operator.calls, calls);
    const shape = (world: typeof before): unknown =>
      world.map(({ object: { kind, metadata, spec, data } }) => [kind, metadata.name, metadata.labels, spec, data])
        .sort();
    assert.deepEqual(
      shape(operator.server.store.everything().filter(({ resource }) => resource.plural !== GADGET.plural)),
      shape(before),
    );
    assert.match(operator.events[0] ?? "", event);
    assert.equal(operator.events.length, 1);
  });
}

Deno.test("a child whose marks are all taken away by hand is noticed, called foreign, and left alone", async () => {
  await using operator = await withReady();
  const theirs = operator.server.store.edit(SERVICE, "gadget-g/svc", ({ metadata }) => {
    delete metadata.labels![LABEL_OWNER_UID];
    metadata.annotations = {};
  });
  await settle();
  assert.deepEqual(operator.server.store.get(SERVICE, "gadget-g/svc"), theirs);
  assert.equal(operator.condition("Stalled")?.reason, "NotOwned");
});

Deno.test("a namespace that is deleted by hand comes back as soon as it is gone, with all that was in it", async () => {
  await using operator = await withReady();
  operator.server.store.remove(NAMESPACE, "gadget-g");
  await settle();
  assert.equal(operator.condition("Ready")?.reason, "Terminating");
  assert.equal(operator.server.writes.filter(({ verb }) => verb !== "apply-status").length, 0);
  collectGarbage(operator.server.store);
  await settle();
  operator.rollOut();
  await settle();
  assert.equal(operator.condition("Ready")?.status, "True");
});

Deno.test("a child that is wanted no more is deleted, and leaves the inventory", async () => {
  await using operator = await withReady();
  operator.edit(({ spec }) => spec.extra = ["more"]);
  await settle();
  const names = (): string[] => operator.look()!.status.inventory.map(({ name }: { name: string }) => name);
  assert.deepEqual(names(), ["gadget-g", "settings", "svc", "app", "more"]);
  operator.edit(({ spec }) => spec.extra = []);
  await settle();
  assert.equal(operator.server.store.find(CONFIG_MAP, "gadget-g/more"), undefined);
  assert.deepEqual(names(), ["gadget-g", "settings", "svc", "app"]);
});

Deno.test("the inventory lists what is there and ours, and nothing that was only wished for", async () => {
  await using operator = new FakeOperator();
  operator.namespace("gadget-g");
  operator.gadget();
  await operator.start();
  assert.equal(operator.condition("Stalled")?.reason, "NotOwned");
  assert.deepEqual(operator.look()?.status.inventory, []);
});

Deno.test("a pause stops changes, says how many wait, and ends when it is taken back", async () => {
  await using operator = await withReady();
  operator.edit(({ metadata, spec }) => {
    metadata.annotations = { [ANNOTATION_PAUSED]: "true" };
    spec.text = "2";
  });
  operator.server.store.remove(SERVICE, "gadget-g/svc");
  await settle();
  assert.deepEqual(new Set(operator.calls), new Set(["apply-status gadgets g"]));
  assert.equal(operator.condition("Ready")?.reason, "Paused");
  assert.match(operator.condition("Ready")!.message, /2 changes wait/);
  assert.equal(operator.condition("Paused")?.status, "True");
  operator.edit(({ metadata }) => metadata.annotations = {});
  await settle();
  assert.deepEqual([operator.condition("Ready")?.status, operator.condition("Paused")], ["True", undefined]);
  assert.equal(operator.server.store.get(CONFIG_MAP, "gadget-g/settings").data.text, "2");
});

Deno.test("a pause with nothing to do leaves an owner Ready", async () => {
  await using operator = await withReady();
  operator.edit(({ metadata }) => metadata.annotations = { [ANNOTATION_PAUSED]: "true" });
  await settle();
  assert.deepEqual([operator.condition("Ready")?.status, operator.condition("Paused")?.status], ["True", "True"]);
});

Deno.test("events are told on transitions and not on repeats", async () => {
  await using operator = await new FakeOperator().start();
  operator.gadget();
  await settle();
  operator.rollOut();
  await settle();
  operator.rollOut("g", false);
  await settle();
  assert.deepEqual(operator.events, [
    "Normal RollingOut: Waiting for the Deployment",
    "Normal Ready: It serves",
    "Normal RollingOut: Waiting for the Deployment",
  ]);
});

Deno.test("another kind that watches Gadgets hears of what we write to them", async () => {
  await using operator = await new FakeOperator().start();
  const heard: unknown[] = [];
  operator.informers.get({ resource: GADGET, scope: "all" }).subscribe(({ object }) =>
    heard.push(object.status?.phase)
  );
  operator.gadget();
  await settle();
  operator.rollOut();
  await settle();
  assert.deepEqual(heard, [undefined, "Pending", "Ready"]);
});

Deno.test("promise 2: what a person touched is looked at before what a list brought", async () => {
  const order: string[] = [];
  const definition = gadgetKind({ reconciled: ({ metadata }) => void order.push(metadata.name) });
  await using operator = new FakeOperator({ definition, workers: 1 });
  for (let i = 0; i < 5; i++) operator.gadget(`old-${i}`);
  const gate = Promise.withResolvers<void>();
  operator.server.interpose({ verb: "create" }, { before: () => gate.promise });
  await operator.start();
  operator.edit(({ spec }) => spec.text = "2", "old-4");
  operator.gadget("new");
  await settle();
  gate.resolve();
  await settle();
  assert.deepEqual(order.slice(0, 3), ["old-0", "old-4", "new"]);
});

Deno.test("promise 8: many owners at once are worked on by so many workers and no more", async () => {
  let running = 0;
  let most = 0;
  const base = gadgetKind();
  const definition = gadgetKind({
    gather: async (owner, deps) => {
      most = Math.max(most, ++running);
      await settle(1);
      running--;
      return await base.gather(owner, deps) as never;
    },
  });
  await using operator = new FakeOperator({ definition, workers: 3 });
  for (let i = 0; i < 20; i++) operator.gadget(`g-${i}`);
  await operator.start();
  await settle(200);
  assert.equal(most, 3);
  assert.equal(operator.server.store.list(DEPLOYMENT).length, 20);
});

Deno.test("promise 2: a look that was asked for comes at its time, exactly, and replaces the one before", async () => {
  const looks: number[] = [];
  const base = gadgetKind();
  const wait = 600_000;
  const definition = gadgetKind({
    decide: (seen, now) => {
      looks.push(now);
      const plan = base.decide(seen, now);
      return { ...plan, report: { ...plan.report, lookAgainAt: now + wait } };
    },
  });
  await using operator = await withReady({ definition });
  await operator.clock.advance(60_000);
  operator.controller.queue.add("default/g");
  await settle();
  const [last] = looks.slice(-1) as [number];
  assert.equal(operator.controller.queue.timers, 1);
  looks.length = 0;
  await operator.clock.advance(wait - 1);
  assert.deepEqual(looks, []);
  await operator.clock.advance(1);
  assert.deepEqual(looks, [last + wait]);
});
