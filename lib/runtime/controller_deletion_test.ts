import assert from "node:assert/strict";
import { ANNOTATION_PAUSED, FINALIZER } from "../api/names.ts";
import { CONFIG_MAP, NAMESPACE } from "../api/resources.ts";
import { KubeError } from "../kube/errors.ts";
import { collectGarbage } from "../kube/scripted_garbage.ts";
import { settle } from "./fake_clock.ts";
import { gadgetKind } from "./fake_kind.ts";
import { FakeOperator } from "./fake_operator.ts";
import { GADGET } from "./fake_owner.ts";

/** An operator with one Gadget that has its children. */
async function withChildren(options: ConstructorParameters<typeof FakeOperator>[0] = {}): Promise<FakeOperator> {
  const operator = await new FakeOperator(options).start();
  operator.gadget();
  await settle();
  operator.server.forget();
  return operator;
}

async function remove(operator: FakeOperator, name = "g"): Promise<void> {
  operator.server.store.remove(GADGET, `default/${name}`);
  await settle();
}

Deno.test("promise 6: an owner without the finalizer gets it before anything is made", async () => {
  await using operator = await new FakeOperator().start();
  operator.owner("g", {}, {});
  await settle();
  assert.deepEqual(operator.look()?.metadata.finalizers, [FINALIZER]);
  assert.deepEqual(operator.calls.slice(0, 2), ["patch gadgets g", "create namespaces gadget-g"]);
  assert.equal(operator.server.count({ verb: "patch" }), 1);
});

Deno.test("promise 6: an owner with the finalizer, from admission, costs no request for it", async () => {
  await using operator = await withChildren();
  assert.equal(operator.server.count({ verb: "patch" }), 0);
});

Deno.test("promise 6: without a finalizer nothing is made, when it cannot be added", async () => {
  await using operator = await new FakeOperator().start();
  operator.server.fail({ verb: "patch" }, new KubeError(403, "Forbidden", "no"), Infinity);
  operator.owner("g", {}, {});
  await settle();
  assert.deepEqual(operator.calls, ["patch gadgets g"]);
  operator.server.mend();
  await operator.clock.advance(1_000);
  assert.ok(operator.server.store.find(NAMESPACE, "gadget-g"));
});

Deno.test("promise 6: deletion deletes the root, waits until it is gone, and lets go of the owner then", async () => {
  await using operator = await withChildren();
  await remove(operator);
  assert.deepEqual(operator.calls, ["delete namespaces gadget-g", "apply-status gadgets g"]);
  assert.deepEqual(
    [operator.look()?.status.phase, operator.condition("Ready")?.message],
    ["Terminating", 'Waiting until Namespace "gadget-g" is gone'],
  );
  assert.equal(operator.look()?.status.inventory.length, 4);
  await operator.clock.advance(60_000);
  assert.ok(operator.look());
  collectGarbage(operator.server.store);
  await settle();
  assert.equal(operator.look(), undefined);
  assert.equal(operator.server.count({ verb: "apply-status" }), 1);
  assert.deepEqual([operator.controller.queue.busy, operator.controller.queue.timers], [0, 0]);
});

Deno.test("promise 6: a deletion that is stuck is Stalled after its deadline, names what blocks, and goes on when it is free", async () => {
  await using operator = await withChildren({ cleanupDeadlineMs: 120_000 });
  const metadata = { name: "held", namespace: "gadget-g", finalizers: ["example.com/backup"] };
  const { store } = operator.server;
  store.create(CONFIG_MAP, { apiVersion: "v1", kind: "ConfigMap", metadata });
  await remove(operator);
  collectGarbage(store);
  store.edit(NAMESPACE, "gadget-g", ({ status }) => {
    const message = "Some resources are remaining: configmaps. has 1 resource instances";
    status.conditions = [{ type: "NamespaceContentRemaining", status: "True", message }];
  });
  await operator.clock.advance(119_000);
  assert.equal(operator.condition("Stalled"), undefined);
  await operator.clock.advance(1_000);
  const stalled = operator.condition("Stalled")!;
  assert.equal(stalled.reason, "DeletionBlocked");
  assert.match(stalled.message, /configmaps "held" is held by finalizer example\.com\/backup/);
  assert.ok(operator.events.some((event) => event.startsWith("Warning DeletionBlocked")));
  store.edit(CONFIG_MAP, "gadget-g/held", (held) => delete held.metadata.finalizers);
  collectGarbage(store);
  await settle();
  assert.equal(operator.look(), undefined);
});

Deno.test("promise 6: deletion is not blocked by a pause", async () => {
  await using operator = await withChildren();
  operator.edit(({ metadata }) => metadata.annotations = { [ANNOTATION_PAUSED]: "true" });
  await remove(operator);
  collectGarbage(operator.server.store);
  await settle();
  assert.equal(operator.look(), undefined);
});

Deno.test("promise 6: deletion of what never came to be needs nothing but the owner", async () => {
  const definition = gadgetKind({
    gather: () => {
      throw new Error("nothing can be read");
    },
  });
  await using operator = await new FakeOperator({ definition }).start();
  operator.gadget();
  await settle();
  await remove(operator);
  assert.equal(operator.look(), undefined);
});

Deno.test("promise 6: deletion never touches a namespace that somebody else made", async () => {
  await using operator = new FakeOperator();
  const theirs = operator.namespace("gadget-g", { labels: { team: "x" } });
  operator.gadget();
  await operator.start();
  await remove(operator);
  assert.equal(operator.look(), undefined);
  assert.deepEqual(operator.server.store.get(NAMESPACE, "gadget-g"), theirs);
});

Deno.test("promise 6: finalizers of others stay, and are waited for without a request", async () => {
  await using operator = await new FakeOperator().start();
  operator.gadget("g", {}, { finalizers: ["example.com/theirs", FINALIZER] });
  await settle();
  await remove(operator);
  collectGarbage(operator.server.store);
  await settle();
  assert.deepEqual(operator.look()?.metadata.finalizers, ["example.com/theirs"]);
  operator.server.forget();
  await operator.clock.advance(60 * 60_000);
  assert.deepEqual(operator.calls, []);
});

Deno.test("promise 6: an owner that is deleted while it is worked on leaves nothing behind", async () => {
  await using operator = await new FakeOperator().start();
  operator.server.interpose({ verb: "apply", resource: "services" }, {
    before: () => operator.server.store.remove(GADGET, "default/g"),
  });
  operator.gadget();
  await settle();
  await operator.clock.advance(1_000);
  collectGarbage(operator.server.store);
  await settle();
  await operator.clock.advance(1_000);
  const left = operator.server.store.everything().map(({ object }) => `${object.kind} ${object.metadata.name}`);
  assert.deepEqual(left, ["Namespace default"]);
});

Deno.test("promise 6: an owner made anew at once waits for the old namespace and goes on when it is gone", async () => {
  await using operator = await withChildren();
  operator.server.interpose({ verb: "patch", resource: "gadgets" }, { after: () => void operator.gadget() });
  await remove(operator);
  // kubectl delete --wait=false and create again: a Gadget of another uid, while the first one's namespace leaves.
  operator.edit(({ metadata }) => delete metadata.finalizers);
  operator.gadget();
  await settle();
  assert.equal(operator.condition("Ready")?.reason, "Terminating");
  assert.match(operator.condition("Ready")!.message, /older Namespace "gadget-g"/);
  const old = operator.server.store.get(NAMESPACE, "gadget-g").metadata.uid;
  collectGarbage(operator.server.store);
  await settle();
  assert.notEqual(operator.server.store.get(NAMESPACE, "gadget-g").metadata.uid, old);
  operator.rollOut();
  await settle();
  assert.equal(operator.condition("Ready")?.status, "True");
});

Deno.test("promise 6: cleanup that fails backs off, and ends when it can", async () => {
  await using operator = await withChildren();
  operator.server.fail({ verb: "delete" }, new KubeError(503, "ServiceUnavailable", "no"), 3);
  await remove(operator);
  await operator.clock.advance(5_000);
  collectGarbage(operator.server.store);
  await settle();
  assert.equal(operator.look(), undefined);
  assert.ok(operator.results.filter((result) => result === "error").length >= 3);
});

Deno.test("promise 6: a finalizer whose removal was answered by nobody is taken as removed", async () => {
  await using operator = await withChildren();
  operator.server.fail({ verb: "patch" }, "lost");
  await remove(operator);
  collectGarbage(operator.server.store);
  await settle();
  await operator.clock.advance(5_000);
  assert.equal(operator.look(), undefined);
  assert.deepEqual([operator.controller.queue.busy, operator.controller.queue.timers], [0, 0]);
});
