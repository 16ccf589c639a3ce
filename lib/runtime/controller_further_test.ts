import assert from "node:assert/strict";
import { ANNOTATION_PAUSED } from "../api/names.ts";
import { keyOf, type KubeObject } from "../api/object.ts";
import { collectGarbage } from "../kube/scripted_garbage.ts";
import type { ControllerDefinition, Plan } from "./definition.ts";
import { Stalled } from "./errors.ts";
import { settle } from "./fake_clock.ts";
import { gadgetChildren, gadgetKind, type GadgetSeen } from "./fake_kind.ts";
import { FakeOperator } from "./fake_operator.ts";
import { GADGET } from "./fake_owner.ts";

type Parts = Partial<ControllerDefinition<GadgetSeen & { performed?: unknown }>>;

/** A Gadget whose report says what was performed for it. */
function performing(perform: (owner: KubeObject, further: unknown) => Promise<unknown>, parts: Parts = {}): Parts {
  return {
    gather: (owner, _deps, performed) => ({ owner, performed }),
    decide: ({ owner, performed }): Plan => ({
      desired: gadgetChildren(owner),
      further: { text: owner.spec?.text },
      report: {
        phase: performed ? "Ready" : "Pending",
        state: performed ? "ready" : "reconciling",
        reason: performed ? "Ready" : "Performing",
        message: `Performed: ${performed ?? "nothing yet"}`,
      },
    }),
    perform,
    ...parts,
  };
}

function kindOf(parts: Parts): ControllerDefinition {
  return gadgetKind(parts as Parameters<typeof gadgetKind>[0]);
}

Deno.test("what goes beyond children is done after them, and the report is made from what it came to", async () => {
  const calls: string[] = [];
  const definition = kindOf(performing((owner, further) => {
    calls.push(`${keyOf(owner)} ${JSON.stringify(further)} with ${operator.calls.length} requests before`);
    return Promise.resolve("a chart");
  }));
  await using operator = await new FakeOperator({ definition }).start();
  operator.gadget();
  await settle();
  assert.deepEqual(calls, [`default/g {} with 4 requests before`]);
  assert.match(operator.condition("Ready")!.message, /a chart/);
  assert.equal(operator.condition("Ready")!.status, "True");
});

Deno.test("what goes beyond children also runs while they are as wanted, and while changes are stopped", async () => {
  let runs = 0;
  const definition = kindOf(performing(() => Promise.resolve(`run ${++runs}`)));
  await using operator = await new FakeOperator({ definition }).start();
  operator.gadget();
  await settle();
  operator.edit(({ metadata }) => metadata.annotations = { [ANNOTATION_PAUSED]: "true" });
  await settle();
  assert.equal(runs, 2);
  assert.match(operator.condition("Ready")!.message, /run 2/);
  assert.equal(operator.condition("Paused")!.status, "True");
});

Deno.test("an error of what goes beyond children is reported and tried again as every other", async () => {
  const definition = kindOf(performing(() => Promise.reject(new Stalled("Refused", "ClusterRole is refused"))));
  await using operator = await new FakeOperator({ definition }).start();
  operator.gadget();
  await settle();
  assert.equal(operator.condition("Stalled")!.reason, "Refused");
  assert.deepEqual(operator.results, ["stalled"]);
});

Deno.test("a deleted owner that has to wait for others says so, loses nothing, and goes when they have gone", async () => {
  let others = 1;
  const released: string[] = [];
  const definition = kindOf({
    heldBack: () =>
      others === 0 ? undefined : {
        phase: "Terminating",
        state: "stalled",
        reason: "OthersExist",
        message: "Waits for others",
        lookAgainAt: operator.clock.now() + 1_000,
      },
    released: (owner) => void released.push(owner.metadata.name),
  });
  await using operator = await new FakeOperator({ definition }).start();
  operator.gadget();
  await settle();
  operator.server.store.remove(GADGET, "default/g");
  await settle();
  assert.equal(operator.condition("Stalled")!.reason, "OthersExist");
  assert.equal(operator.server.count({ verb: "delete" }), 0);
  assert.deepEqual(released, []);
  others = 0;
  await operator.clock.advance(60_000);
  collectGarbage(operator.server.store);
  await operator.clock.advance(60_000);
  assert.equal(operator.look(), undefined);
  assert.deepEqual(released, ["g"]);
});
