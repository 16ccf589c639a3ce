import assert from "node:assert/strict";
import type { KubeObject } from "../api/object.ts";
import { CONFIG_MAP, DEPLOYMENT, SERVICE } from "../api/resources.ts";
import type { Match } from "../kube/scripted_server.ts";
import { settle } from "./fake_clock.ts";
import { FakeOperator } from "./fake_operator.ts";
import { GADGET } from "./fake_owner.ts";

const MANY = 50;

/** A world with Ready Gadgets, left by an operator that ended well. */
async function leftBehind(count: number): Promise<FakeOperator> {
  const operator = await new FakeOperator().start();
  for (let i = 0; i < count; i++) operator.gadget(`g-${i}`);
  await settle(100);
  for (let i = 0; i < count; i++) operator.rollOut(`g-${i}`);
  await settle(100);
  for (let i = 0; i < count; i++) assert.equal(operator.condition("Ready", `g-${i}`)?.status, "True");
  await operator.stop();
  operator.server.forget();
  return operator;
}

/** Children by name and content, without what differs from life to life. */
function world({ server }: FakeOperator): unknown[] {
  return server.store.everything().map(({ object: { kind, metadata, data, spec } }: { object: KubeObject }) =>
    JSON.stringify([kind, metadata.namespace, metadata.name, data, spec])
  ).sort();
}

Deno.test(`promise 4: a restart over ${MANY} unchanged owners writes nothing and reads only lists`, async () => {
  const before = await leftBehind(MANY);
  await using operator = new FakeOperator({ world: before });
  await operator.start();
  await settle(100);
  assert.equal(operator.results.length, MANY);
  assert.deepEqual([...new Set(operator.server.requests.map(({ verb }) => verb))].sort(), ["list", "watch"]);
  // One list and one watch for each kind of object, whatever the number of owners.
  assert.equal(operator.server.count(), 12);
});

Deno.test("promise 4: drift that was made while nobody looked is repaired at the start, and nothing else is written", async () => {
  const before = await leftBehind(5);
  const { store } = before.server;
  const right = world(before);
  store.edit(CONFIG_MAP, "gadget-g-0/settings", (child) => child.data.text = "theirs");
  store.remove(SERVICE, "gadget-g-1/svc");
  store.remove(GADGET, "default/g-2");
  await using operator = new FakeOperator({ world: before });
  await operator.start();
  await settle(20);
  const writes = operator.server.writes.map(({ verb, resource, key }) => `${verb} ${resource} ${key}`);
  assert.deepEqual(writes.sort(), [
    "apply configmaps gadget-g-0/settings",
    "apply services gadget-g-1/svc",
    "apply-status gadgets default/g-2",
    "delete namespaces gadget-g-2",
  ]);
  assert.deepEqual(world(operator), right);
});

Deno.test("a spec that was changed while nobody looked is acted on at the start", async () => {
  const before = await leftBehind(2);
  before.edit(({ spec }) => spec.text = "2", "g-1");
  await using operator = new FakeOperator({ world: before });
  await operator.start();
  await settle();
  assert.equal(operator.server.store.get(CONFIG_MAP, "gadget-g-1/settings").data.text, "2");
  assert.equal(operator.server.writes.length, 2);
});

const moments: Record<string, Match> = {
  "while the namespace is made": { verb: "create", resource: "namespaces" },
  "in the middle of a wave": { verb: "apply", resource: "configmaps" },
  "at the end of a wave": { verb: "apply", resource: "services" },
  "in the last wave": { verb: "apply", resource: "deployments" },
  "while the status is written": { verb: "apply-status" },
};

for (const [name, match] of Object.entries(moments)) {
  for (const moment of ["before", "after"] as const) {
    const sentence = `a process that is killed ${name}, ${moment} the server did it, loses nothing and doubles nothing`;
    // The request of the dead never ends, and so its timer does not.
    Deno.test(sentence, { sanitizeOps: false, sanitizeResources: false }, async () => {
      const first = await new FakeOperator().start();
      const dead = new Promise<never>(() => {});
      first.server.interpose(match, {
        [moment]: () => {
          first.die();
          return dead;
        },
      });
      first.gadget();
      await settle();
      await first.kill();
      first.server.mend();
      await using second = new FakeOperator({ world: first });
      await second.start();
      await settle();
      second.rollOut();
      await settle();
      assert.equal(second.condition("Ready")?.status, "True");
      const names = second.server.store.everything().map(({ object }) => `${object.kind} ${object.metadata.name}`)
        .sort();
      assert.deepEqual(names, [
        "ConfigMap settings",
        "Deployment app",
        "Gadget g",
        "Namespace default",
        "Namespace gadget-g",
        "Service svc",
      ]);
      // What was made before is not made again, and each child was written twice at most.
      assert.ok(second.server.store.list(DEPLOYMENT)[0]!.metadata.generation === 1);
      assert.ok(second.server.writes.length <= 8, `${second.server.writes.length} writes`);
    });
  }
}

Deno.test("what is under way is finished when the process is told to stop, and nothing new is begun", async () => {
  const operator = await new FakeOperator({ workers: 1 }).start();
  const gate = Promise.withResolvers<void>();
  operator.server.interpose({ verb: "create" }, { before: () => gate.promise });
  operator.gadget("a");
  operator.gadget("b");
  await settle();
  const stopped = operator.stop();
  gate.resolve();
  await stopped;
  assert.deepEqual(operator.results, ["success"]);
  assert.ok(operator.look("a")?.status);
  assert.equal(operator.look("b")?.status, undefined);
  assert.equal(operator.clock.pending, 0);
});

Deno.test("a controller that is told to stop before it starts does nothing", async () => {
  await using operator = new FakeOperator();
  operator.gadget();
  await operator.controller.run(AbortSignal.abort());
  assert.equal(await operator.controller.queue.take(), undefined);
});

Deno.test("promise 7: two operators in one process share nothing", async () => {
  await using one = await new FakeOperator().start();
  await using other = await new FakeOperator().start();
  one.gadget();
  await settle();
  assert.deepEqual([one.results.length > 0, other.results.length, other.calls.length], [true, 0, 0]);
});
