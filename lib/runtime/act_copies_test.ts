import assert from "node:assert/strict";
import { LABEL_OWNER_UID } from "../api/names.ts";
import type { KubeObject } from "../api/object.ts";
import { SECRET, SERVICE } from "../api/resources.ts";
import { KubeError } from "../kube/errors.ts";
import { copyOf } from "./copies.ts";
import { FakeActor, TARGET, wish, WISHES } from "./fake_actor.ts";
import { settle } from "./fake_clock.ts";

const KEY = `${TARGET}/pull`;
const CALLS = [
  "get secrets pull",
  "apply secrets pull",
  "get secrets pull",
  "delete secrets pull",
  "apply secrets pull",
];

function refusal(): KubeError {
  return new KubeError(422, "Invalid", "type: field is immutable");
}

/** A copy, and its source made anew with another type, which the server refuses to give the copy. */
async function retyped(bench: FakeActor): Promise<KubeObject> {
  const { store } = bench.server;
  const target = { namespace: TARGET, name: "pull" };
  const source = { ...wish(SECRET, "pull", {}, "default"), type: "Opaque", data: { k: "b2xk" } };
  await bench.act(WISHES.namespace, copyOf(store.create(SECRET, source), target));
  await settle();
  store.remove(SECRET, "default/pull");
  const newer = store.create(SECRET, { ...source, type: "kubernetes.io/tls", data: { k: "bmV3" } });
  bench.server.fail({ verb: "apply", resource: "secrets" }, refusal());
  bench.server.forget();
  return copyOf(newer, target);
}

Deno.test("a copy whose source has another type is deleted and made anew, and only then", async () => {
  await using bench = await new FakeActor().start();
  const wanted = await retyped(bench);
  const { uid } = bench.server.store.get(SECRET, KEY).metadata;
  await bench.act(WISHES.namespace, wanted);
  assert.deepEqual(bench.calls, CALLS);
  const made = bench.server.store.get(SECRET, KEY);
  assert.deepEqual([made.type, made.data], ["kubernetes.io/tls", { k: "bmV3" }]);
  assert.notEqual(made.metadata.uid, uid);
  await settle();
  bench.server.forget();
  await bench.act(WISHES.namespace, wanted);
  assert.deepEqual(bench.calls, []);
});

Deno.test("a copy that somebody made immutable is made anew, too", async () => {
  await using bench = await new FakeActor().start();
  const wanted = await retyped(bench);
  bench.server.store.edit(SECRET, KEY, (copy) => {
    copy.type = "kubernetes.io/tls";
    copy.immutable = true;
  });
  bench.server.forget();
  await bench.act(WISHES.namespace, wanted);
  assert.deepEqual(bench.calls, CALLS);
  assert.equal(bench.server.store.get(SECRET, KEY).immutable, undefined);
});

const ELSE: Record<string, (bench: FakeActor) => void> = {
  "is somebody else's by now": ({ server }) =>
    void server.store.edit(SECRET, KEY, ({ metadata }) => metadata.labels![LABEL_OWNER_UID] = "another"),
  "has the type already": ({ server }) =>
    void server.store.edit(SECRET, KEY, (copy) => copy.type = "kubernetes.io/tls"),
};

for (const [name, change] of Object.entries(ELSE)) {
  Deno.test(`what is refused is told and nothing is deleted where the copy ${name}`, async () => {
    await using bench = await new FakeActor().start();
    const wanted = await retyped(bench);
    bench.server.interpose({ verb: "get", resource: "secrets" }, {
      before: () => {
        change(bench);
        return Promise.resolve();
      },
    });
    await assert.rejects(bench.act(WISHES.namespace, wanted), { status: 422 });
    assert.deepEqual(bench.server.store.get(SECRET, KEY).data, { k: "b2xk" });
    assert.equal(bench.server.count({ verb: "delete" }), 0);
  });
}

Deno.test("a copy that is changed between the look and the deletion is a conflict, and stays", async () => {
  await using bench = await new FakeActor().start();
  const wanted = await retyped(bench);
  bench.server.interpose({ verb: "delete", resource: "secrets" }, {
    before: () => {
      bench.server.store.edit(SECRET, KEY, ({ metadata }) => metadata.labels = { ...metadata.labels, more: "1" });
      return Promise.resolve();
    },
  });
  await assert.rejects(bench.act(WISHES.namespace, wanted), { status: 409 });
  assert.deepEqual(bench.server.store.get(SECRET, KEY).data, { k: "b2xk" });
});

Deno.test("what is no copy is never deleted because it cannot be changed", async () => {
  await using bench = await new FakeActor().start();
  await bench.act(WISHES.namespace, WISHES.service);
  bench.server.fail({ verb: "apply", resource: "services" }, refusal());
  const changed = { ...WISHES.service, spec: { ports: [{ port: 81 }] } };
  await assert.rejects(bench.act(WISHES.namespace, changed), { status: 422 });
  assert.equal(bench.server.count({ verb: "delete" }), 0);
  assert.equal(bench.server.store.list(SERVICE).length, 1);
});
