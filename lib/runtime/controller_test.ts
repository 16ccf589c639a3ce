import assert from "node:assert/strict";
import { FakeOperator } from "./fake_operator.ts";
import { settle } from "./fake_clock.ts";

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
