import assert from "node:assert/strict";
import { FINALIZER } from "../api/names.ts";
import { CONFIG_MAP } from "../api/resources.ts";
import { KubeError } from "../kube/errors.ts";
import type { ReconcileResult } from "./controller.ts";
import { Stalled, Waiting } from "./errors.ts";
import { settle } from "./fake_clock.ts";
import { gadgetKind } from "./fake_kind.ts";
import { FakeOperator } from "./fake_operator.ts";
import { GADGET } from "./fake_owner.ts";

interface Expected {
  result: ReconcileResult;
  /** `status/reason` of Ready, and which of the two others is True. */
  ready: string;
  other: string;
  phase: string;
  /** Milliseconds until the next look; none: only when something changes. */
  nextMs?: number;
  /** Milliseconds until the look after that. */
  thenMs?: number;
}

const thrown: Record<string, [error: () => Error, expected: Expected]> = {
  "Stalled waits for a change": [
    () => new Stalled("NotOwned", "Delete it"),
    { result: "stalled", ready: "False/NotOwned", other: "Stalled", phase: "Failed" },
  ],
  "Stalled on what no watch shows looks again in its time, every time": [
    () => new Stalled("NotOwned", "Delete it", 60_000),
    { result: "stalled", ready: "False/NotOwned", other: "Stalled", phase: "Failed", nextMs: 60_000, thenMs: 60_000 },
  ],
  "Waiting looks again in its time, every time": [
    () => new Waiting("Terminating", "Not yet", 5_000),
    {
      result: "waiting",
      ready: "False/Terminating",
      other: "Reconciling",
      phase: "Pending",
      nextMs: 5_000,
      thenMs: 5_000,
    },
  ],
  "a refusal for want of a right backs off": [
    () => new KubeError(403, "Forbidden", "You may not"),
    { result: "error", ready: "False/Forbidden", other: "Reconciling", phase: "Pending", nextMs: 150, thenMs: 300 },
  ],
  "a refusal of what is invalid backs off": [
    () => new KubeError(422, "Invalid", "No such port"),
    { result: "error", ready: "False/Refused", other: "Reconciling", phase: "Pending", nextMs: 150, thenMs: 300 },
  ],
  "a server that is away backs off": [
    () => new TypeError("connection refused"),
    {
      result: "error",
      ready: "False/ReconcileError",
      other: "Reconciling",
      phase: "Pending",
      nextMs: 150,
      thenMs: 300,
    },
  ],
  "a server that asks for time gets it": [
    () => new KubeError(429, "TooManyRequests", "Later", 7_000),
    {
      result: "error",
      ready: "False/ReconcileError",
      other: "Reconciling",
      phase: "Pending",
      nextMs: 7_000,
      thenMs: 7_000,
    },
  ],
};

/** The Gadget is looked at in `gather`, or a request of `act` fails. */
const places: Record<string, (error: () => Error) => { operator: FakeOperator; heal: () => void }> = {
  gather: (error) => {
    let isBroken = true;
    const base = gadgetKind();
    const definition = gadgetKind({
      gather: (owner, deps) => {
        if (isBroken) throw error();
        return base.gather(owner, deps) as never;
      },
    });
    return { operator: new FakeOperator({ definition }), heal: () => void (isBroken = false) };
  },
  act: (error) => {
    const operator = new FakeOperator();
    const apply = operator.kube.request.bind(operator.kube);
    let isBroken = true;
    operator.kube.request = (options, read) => {
      if (isBroken && options.counts.verb === "apply") return Promise.reject(error());
      return apply(options, read);
    };
    return { operator, heal: () => void (isBroken = false) };
  },
};

for (const [place, arrange] of Object.entries(places)) {
  for (const [name, [error, expected]] of Object.entries(thrown)) {
    Deno.test(`promise 3: thrown in ${place}: ${name}`, async () => {
      const { operator: broken, heal } = arrange(error);
      await using operator = broken;
      await operator.start();
      operator.gadget();
      await settle();
      const ready = operator.condition("Ready")!;
      assert.equal(`${ready.status}/${ready.reason}`, expected.ready);
      assert.equal(ready.message, error().message);
      assert.equal(operator.condition(expected.other)?.status, "True");
      assert.equal(operator.look()?.status.phase, expected.phase);
      // Whatever the watch showed of our own writes is over; from now on only time passes.
      const count = operator.results.length;
      assert.ok(operator.results.every((result) => result === expected.result), String(operator.results));
      if (expected.nextMs === undefined) {
        await operator.clock.advance(10 * 60_000);
        assert.equal(operator.results.length, count);
      } else {
        const scale = count > 1 && expected.thenMs !== expected.nextMs ? 2 ** (count - 1) : 1;
        await operator.clock.advance(expected.nextMs * scale - 1);
        assert.equal(operator.results.length, count);
        await operator.clock.advance(1);
        assert.equal(operator.results.length, count + 1);
        await operator.clock.advance(expected.thenMs! * scale - 1);
        assert.equal(operator.results.length, count + 1);
        await operator.clock.advance(1);
        assert.equal(operator.results.length, count + 2);
      }
      // Healed, it is said so at the next look.
      heal();
      operator.edit(({ spec }) => spec.text = "2");
      await settle();
      assert.equal(operator.condition("Ready")?.reason, "RollingOut");
      assert.equal(operator.condition("Stalled"), undefined);
    });
  }
}

function outdatedPatch(): KubeError {
  return new KubeError(422, "Invalid", "the server rejected our request due to an error in our request");
}

Deno.test("promise 3: the conditions of an error that lasts are written once, however often it is met", async () => {
  const definition = gadgetKind({
    gather: () => {
      throw new Error("broken");
    },
  });
  await using operator = await new FakeOperator({ definition }).start();
  operator.gadget();
  await operator.clock.advance(10 * 60_000);
  assert.ok(operator.results.length > 8);
  assert.deepEqual(operator.calls, ["apply-status gadgets g"]);
});

Deno.test("promise 3: a conflict in act leaves the conditions as they are, and backs off without an error", async () => {
  await using operator = await new FakeOperator().start();
  operator.gadget();
  await settle();
  operator.rollOut();
  await settle();
  const before = operator.look()?.status;
  operator.server.forget();
  operator.results.length = 0;
  operator.server.fail({ verb: "apply", resource: "configmaps" }, new KubeError(409, "Conflict", "changed meanwhile"));
  operator.edit(({ spec }) => spec.text = "2");
  await settle();
  assert.deepEqual(operator.look()?.status, before);
  assert.deepEqual([operator.results, operator.warnings], [["conflict"], []]);
  await operator.clock.advance(150);
  assert.equal(operator.server.store.get(CONFIG_MAP, "gadget-g/settings").data.text, "2");
  assert.equal(operator.look()?.status.text, "2");
});

Deno.test("promise 3: a conflict of the status write is no error, and the next look writes what is true", async () => {
  await using operator = await new FakeOperator().start();
  operator.server.fail({ verb: "apply-status" }, new KubeError(409, "Conflict", "changed meanwhile"));
  operator.gadget();
  await settle();
  assert.deepEqual([operator.look()?.status, operator.warnings], [undefined, []]);
  await operator.clock.advance(150);
  assert.equal(operator.condition("Ready")?.reason, "RollingOut");
  assert.ok(operator.results.includes("conflict"));
});

Deno.test("promise 3: finalizers that somebody changed meanwhile are a conflict, and the next look goes on", async () => {
  await using operator = await new FakeOperator().start();
  operator.server.fail({ verb: "patch", resource: "gadgets" }, outdatedPatch());
  operator.gadget("g", {}, { finalizers: ["example.com/theirs"] });
  await settle();
  assert.deepEqual([operator.results, operator.warnings, operator.look()?.status], [["conflict"], [], undefined]);
  await operator.clock.advance(150);
  assert.deepEqual(operator.look()?.metadata.finalizers, ["example.com/theirs", FINALIZER]);
  assert.equal(operator.condition("Ready")?.reason, "RollingOut");
});

Deno.test("promise 3: what went well forgets the failures before it", async () => {
  await using operator = await new FakeOperator().start();
  operator.server.fail({ verb: "create" }, "reset", 4);
  operator.gadget();
  await operator.clock.advance(5_000);
  assert.equal(operator.condition("Ready")?.reason, "RollingOut");
  operator.results.length = 0;
  operator.server.fail({ verb: "apply" }, "reset");
  operator.edit(({ spec }) => spec.text = "2");
  await settle();
  await operator.clock.advance(150);
  assert.equal(operator.server.store.get(CONFIG_MAP, "gadget-g/settings").data.text, "2");
});

Deno.test("promise 3: Waiting forgets the back-off", async () => {
  let error: Error = new Error("broken");
  const definition = gadgetKind({
    gather: () => {
      throw error;
    },
  });
  await using operator = await new FakeOperator({ definition }).start();
  operator.gadget();
  await operator.clock.advance(60_000);
  error = new Waiting("Terminating", "Not yet", 1_000);
  await operator.clock.advance(5 * 60_000);
  error = new Error("broken");
  operator.results.length = 0;
  for (let ms = 0; ms < 1_000 && operator.results.length === 0; ms++) await operator.clock.advance(1);
  await operator.clock.advance(149);
  assert.deepEqual(operator.results, ["error"]);
  await operator.clock.advance(1);
  assert.deepEqual(operator.results, ["error", "error"]);
});

Deno.test("promise 3: an error on the way leaves what else was found out: fields, and when to look again", async () => {
  await using operator = await new FakeOperator().start();
  operator.gadget("g", { text: "7" });
  await settle();
  operator.rollOut();
  await settle();
  operator.server.fail({ verb: "apply" }, new KubeError(500, "InternalError", "no"), Infinity);
  operator.edit(({ spec }) => spec.extra = ["more"]);
  await settle();
  const { status } = operator.look()!;
  assert.deepEqual([status.phase, status.text, status.history.length], ["Failed", "7", 1]);
  assert.deepEqual(operator.condition("Ready")?.reason, "ReconcileError");
});

Deno.test("promise 3: what is stuck by the kind's own word counts as stalled", async () => {
  const definition = gadgetKind({
    decide: () => ({ report: { phase: "Failed", state: "stalled", reason: "SourceMissing", message: "Make it" } }),
  });
  await using operator = await new FakeOperator({ definition }).start();
  operator.gadget();
  await settle();
  assert.deepEqual(operator.results, ["stalled"]);
  assert.ok(operator.events.every((event) => event.startsWith("Warning SourceMissing")));
});

Deno.test("an owner that goes while it is worked on is no error", async () => {
  await using operator = await new FakeOperator().start();
  operator.server.interpose({ verb: "apply-status" }, {
    before: () => {
      operator.edit(({ metadata }) => delete metadata.finalizers);
      operator.server.store.remove(GADGET, "default/g");
    },
  });
  operator.gadget();
  await settle();
  await operator.clock.advance(10_000);
  assert.equal(operator.look(), undefined);
  assert.deepEqual([operator.controller.queue.busy, operator.controller.queue.timers], [0, 0]);
});
