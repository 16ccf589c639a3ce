import assert from "node:assert/strict";
import { ANNOTATION_PAUSED } from "../api/names.ts";
import { DEPLOYMENT, NAMESPACE, SERVICE } from "../api/resources.ts";
import { KubeError } from "../kube/errors.ts";
import type { Plan } from "./definition.ts";
import { settle } from "./fake_clock.ts";
import { gadgetChildren, gadgetKind, type GadgetSeen } from "./fake_kind.ts";
import { FakeOperator } from "./fake_operator.ts";
import { GADGET } from "./fake_owner.ts";

/** The Deployment goes first, and what it served with is kept meanwhile. */
function part({ owner, app }: GadgetSeen): Plan | undefined {
  if (!app) return undefined;
  const children = gadgetChildren(owner);
  const report = { phase: "Terminating", state: "reconciling" as const, reason: "Draining", message: "It drains" };
  return { desired: [], keep: children.filter(({ kind }) => kind !== "Deployment"), report };
}

async function deleted(metadata: Record<string, unknown> = {}): Promise<FakeOperator> {
  const operator = await new FakeOperator({ definition: gadgetKind({ part }) }).start();
  operator.gadget("g", {}, metadata);
  await settle();
  operator.server.forget();
  operator.server.store.remove(GADGET, "default/g");
  await settle();
  return operator;
}

Deno.test("an owner that takes leave does so step by step, and its roots go last", async () => {
  await using operator = await deleted();
  assert.deepEqual(operator.calls, [
    "delete deployments app",
    "apply-status gadgets g",
    "delete namespaces gadget-g",
    "apply-status gadgets g",
  ]);
  assert.ok(operator.events.some((text) => text.startsWith("Normal Draining")), String(operator.events));
  assert.equal(operator.server.store.find(DEPLOYMENT, "gadget-g/app"), undefined);
  assert.ok(operator.server.store.find(SERVICE, "gadget-g/svc"), "what is kept is not pruned");
  assert.ok(operator.server.store.find(NAMESPACE, "gadget-g")?.metadata.deletionTimestamp);
});

Deno.test("a pause does not keep an owner from taking leave", async () => {
  await using operator = await deleted({ annotations: { [ANNOTATION_PAUSED]: "true" } });
  assert.ok(operator.look() === undefined || operator.condition("Ready")?.reason !== "Paused");
});

Deno.test("what fails while an owner takes leave is said and tried again, and nothing else goes", async () => {
  await using operator = await new FakeOperator({ definition: gadgetKind({ part }) }).start();
  operator.gadget();
  await settle();
  operator.server.fail({ verb: "delete" }, new KubeError(403, "Forbidden", "no"), Infinity);
  operator.server.store.remove(GADGET, "default/g");
  await settle();
  assert.equal(operator.condition("Ready")?.reason, "Forbidden");
  assert.equal(operator.server.store.find(NAMESPACE, "gadget-g")?.metadata.deletionTimestamp, undefined);
  operator.server.mend();
  await operator.clock.advance(1_000);
  assert.ok(operator.server.store.find(NAMESPACE, "gadget-g")?.metadata.deletionTimestamp);
});
