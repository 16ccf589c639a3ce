import assert from "node:assert/strict";
import { ANNOTATION_EXTEND_UNTIL, FINALIZER } from "../api/names.ts";
import type { Condition, KubeObject } from "../api/object.ts";
import { CONFIG_MAP } from "../api/resources.ts";
import { KubeError } from "../kube/errors.ts";
import { collectGarbage } from "../kube/scripted_garbage.ts";
import { settle } from "./fake_clock.ts";
import { gadgetKind } from "./fake_kind.ts";
import { FakeOperator } from "./fake_operator.ts";
import { GADGET } from "./fake_owner.ts";
import { statusRules } from "./status_rules.ts";

/** Every status that was written, in order. */
function written({ server }: FakeOperator): KubeObject["status"][] {
  return server.requests.filter(({ verb }) => verb === "apply-status").map(({ body }) => (body as KubeObject).status);
}

Deno.test("promise 5: status is written by its own manager, with force, and with nothing else in it", async () => {
  await using operator = await new FakeOperator().start();
  operator.gadget();
  await settle();
  const { author, force, body } = operator.server.requests.find(({ verb }) => verb === "apply-status")!;
  assert.deepEqual([author.manager, force], ["maquette-status", true]);
  assert.deepEqual(Object.keys(body as object), ["apiVersion", "kind", "metadata", "status"]);
  assert.deepEqual(Object.keys((body as KubeObject).metadata), ["namespace", "name", "resourceVersion"]);
});

Deno.test("promise 5: status is written once for each reconcile, and only when it changed", async () => {
  await using operator = await new FakeOperator().start();
  operator.gadget();
  await settle();
  assert.equal(written(operator).length, 1);
  for (let i = 0; i < 10; i++) {
    operator.controller.queue.add("default/g");
    await operator.clock.advance(60_000);
  }
  assert.equal(written(operator).length, 1);
  assert.ok(operator.results.length >= 11);
});

Deno.test("promise 5: observedGeneration follows the spec, and is never ahead of what was looked at", async () => {
  await using operator = await new FakeOperator().start();
  operator.gadget();
  await settle();
  for (let i = 2; i <= 5; i++) {
    operator.edit(({ spec }) => spec.text = String(i));
    await settle();
    assert.equal(operator.look()?.status.observedGeneration, i);
  }
  assert.deepEqual(written(operator).map(({ observedGeneration, text }) => [observedGeneration, text]), [
    [1, "1"],
    [2, "2"],
    [3, "3"],
    [4, "4"],
    [5, "5"],
  ]);
});

for (const moment of ["before", "after"] as const) {
  Deno.test(`promise 5: a spec that changes just ${moment} the status is written is not lost, and the status not ahead`, async () => {
    await using operator = await new FakeOperator().start();
    operator.server.interpose({ verb: "apply-status" }, {
      [moment]: () => operator.edit(({ spec }) => spec.text = "2"),
    });
    operator.gadget();
    await settle();
    await operator.clock.advance(1_000);
    assert.equal(operator.server.store.get(CONFIG_MAP, "gadget-g/settings").data.text, "2");
    const { metadata, status } = operator.look()!;
    assert.deepEqual([status.observedGeneration, status.text], [metadata.generation, "2"]);
  });
}

Deno.test("promise 5: a spec that changes just before the finalizer is added is not lost", async () => {
  await using operator = await new FakeOperator().start();
  operator.server.interpose({ verb: "patch" }, { before: () => operator.edit(({ spec }) => spec.text = "2") });
  operator.owner("g", {}, { text: "1" });
  await settle();
  await operator.clock.advance(1_000);
  assert.equal(operator.look()?.status.text, "2");
});

Deno.test("promise 5: an object of the same name that came meanwhile never gets the status of the one before", async () => {
  await using operator = await new FakeOperator().start();
  let second: KubeObject | undefined;
  const texts: unknown[] = [];
  operator.server.store.follow(({ after }) => {
    if (after?.status && after.metadata.uid === second?.metadata.uid) texts.push(after.status.text);
  });
  operator.server.interpose({ verb: "apply-status" }, {
    before: () => {
      // The first goes against its finalizer, as with kubectl patch; the second has not been looked at.
      operator.edit(({ metadata }) => delete metadata.finalizers);
      operator.server.store.remove(GADGET, "default/g");
      second = operator.gadget("g", { text: "second" });
    },
  });
  operator.gadget("g", { text: "first" });
  await settle();
  await operator.clock.advance(1_000);
  collectGarbage(operator.server.store);
  await operator.clock.advance(61_000);
  assert.ok(texts.length > 0 && texts.every((text) => text === "second"), texts.join());
});

Deno.test("promise 5: what could not be looked at is not said to have been: conditions stay those of the spec before", async () => {
  let isBroken = false;
  const base = gadgetKind();
  const definition = gadgetKind({
    gather: (owner, deps) => {
      if (isBroken) throw new KubeError(500, "InternalError", "no");
      return base.gather(owner, deps) as never;
    },
  });
  await using operator = await new FakeOperator({ definition }).start();
  operator.gadget("g", { text: "7" });
  await settle();
  isBroken = true;
  operator.edit(({ spec }) => spec.text = "8");
  await settle();
  const { metadata, status } = operator.look()!;
  assert.equal(operator.condition("Ready")?.reason, "ReconcileError");
  const generations = [
    status.observedGeneration,
    ...status.conditions.map((each: Condition) => each.observedGeneration),
  ];
  assert.deepEqual(new Set(generations), new Set([metadata.generation! - 1]));
  assert.deepEqual(statusRules(operator.look()!), []);
  isBroken = false;
  await operator.clock.advance(60_000);
  assert.equal(operator.look()!.status.observedGeneration, metadata.generation);
});

Deno.test("promise 5: a transition time changes only with its status, over a whole life", async () => {
  await using operator = await new FakeOperator().start();
  operator.gadget();
  const seen: [string, string | undefined][] = [];
  const note = async (): Promise<void> => {
    await settle();
    const { status, lastTransitionTime } = operator.condition("Ready")!;
    seen.push([status, lastTransitionTime.slice(14, 19)]);
    await operator.clock.advance(60_000);
  };
  await note();
  operator.edit(({ spec }) => spec.text = "2");
  await note();
  operator.rollOut();
  await note();
  operator.edit(({ spec }) => spec.text = "3");
  await note();
  operator.rollOut("g", false);
  await note();
  assert.deepEqual(seen, [["False", "00:00"], ["False", "00:00"], ["True", "02:00"], ["True", "02:00"], [
    "False",
    "04:00",
  ]]);
});

Deno.test("promise 5: what a person writes into the status by hand is set right", async () => {
  await using operator = await new FakeOperator().start();
  operator.gadget();
  await settle();
  const before = operator.look()!.status;
  operator.edit(({ status }) => {
    status.phase = "Ready";
    status.conditions[0].status = "True";
    status.conditions.pop();
  });
  await settle();
  const { phase, conditions } = operator.look()!.status;
  assert.deepEqual([phase, conditions.length, conditions[0].status], [before.phase, 2, "False"]);
});

/** A kind whose owners' time is over when `spec.isOver` says so, unless they are extended. */
function mortal(): FakeOperator {
  const base = gadgetKind();
  return new FakeOperator({
    definition: gadgetKind({
      decide: (seen, now) => {
        const { spec, metadata } = seen.owner;
        if (!spec.isOver || metadata.annotations?.[ANNOTATION_EXTEND_UNTIL]) return base.decide(seen, now);
        const report = { phase: "Expired", state: "reconciling" as const, reason: "Expired", message: "Time is over" };
        return { report, deleteOwner: true };
      },
    }),
  });
}

Deno.test("an owner whose time is over is deleted, once its status says so, and its children with it", async () => {
  await using operator = await mortal().start();
  operator.gadget();
  await settle();
  operator.server.forget();
  operator.edit(({ spec }) => spec.isOver = true);
  await settle();
  assert.deepEqual(operator.calls.slice(0, 3), [
    "apply-status gadgets g",
    "delete gadgets g",
    "delete namespaces gadget-g",
  ]);
  assert.equal(written(operator)[0].phase, "Expired");
  assert.ok(operator.events.includes("Normal Expired: Time is over"));
});

Deno.test("an owner whose time runs out while its children are made is deleted, too", async () => {
  const base = gadgetKind();
  let decisions = 0;
  const decide: typeof base.decide = (seen, now) => {
    if (decisions++ === 0) return base.decide(seen, now);
    return {
      report: { phase: "Expired", state: "reconciling", reason: "Expired", message: "Over" },
      deleteOwner: true,
    };
  };
  await using operator = await new FakeOperator({ definition: gadgetKind({ decide }) }).start();
  operator.gadget();
  await settle();
  assert.ok(operator.calls.includes("delete gadgets g"), String(operator.calls));
});

const changes: Record<string, (owner: KubeObject) => void> = {
  "was extended": ({ metadata }) => metadata.annotations = { [ANNOTATION_EXTEND_UNTIL]: "2027-01-01T00:00:00Z" },
  "was given another spec": ({ spec }) => spec.isOver = false,
};

for (const [name, change] of Object.entries(changes)) {
  for (const verb of ["apply-status", "delete"]) {
    Deno.test(`an owner that ${name} just before the "${verb}" is not deleted`, async () => {
      await using operator = await mortal().start();
      operator.gadget();
      await settle();
      operator.server.interpose({ verb, resource: "gadgets" }, { before: () => operator.edit(change) });
      operator.edit(({ spec }) => spec.isOver = true);
      await settle();
      await operator.clock.advance(5_000);
      const { metadata, status } = operator.look()!;
      assert.deepEqual([metadata.deletionTimestamp, status.phase], [undefined, "Pending"]);
      assert.deepEqual(metadata.finalizers, [FINALIZER]);
    });
  }
}

Deno.test("an owner whose time is over is deleted though it is paused", async () => {
  await using operator = await mortal().start();
  operator.gadget("g", { isOver: true }, { annotations: { "maquette.dev/paused": "true" } });
  await settle();
  assert.ok(operator.look()?.metadata.deletionTimestamp ?? true);
  assert.equal(operator.server.count({ verb: "delete", resource: "gadgets" }), 1);
});
