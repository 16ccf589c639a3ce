import assert from "node:assert/strict";
import { FENCE_POLICY } from "../api/names.ts";
import { KubeError } from "../kube/errors.ts";
import type { Match } from "../kube/scripted_server.ts";
import { settle } from "./fake_clock.ts";
import { FakeOperator } from "./fake_operator.ts";
import { GADGET } from "./fake_owner.ts";

const POLICY = `${FENCE_POLICY}-children`;
const REFUSAL = new KubeError(
  403,
  "Forbidden",
  `services "svc" is forbidden: ValidatingAdmissionPolicy '${POLICY}' with binding '${POLICY}' denied request: ` +
    'Pod "maquette-b" does not lead, "maquette-a-0a1b2c3d" does',
);

const FIRST_WRITES: Record<string, Match> = {
  "a child that is created": { verb: "create", resource: "namespaces" },
  "a child that is applied": { verb: "apply", resource: "services" },
  "the status": { verb: "apply-status", resource: "gadgets" },
};

for (const [name, match] of Object.entries(FIRST_WRITES)) {
  Deno.test(`a leader that the API server does not know yet tries again soon, and tells nobody: ${name}`, async () => {
    await using operator = await new FakeOperator().start();
    operator.server.fail(match, REFUSAL, 2);
    operator.gadget();
    await settle();
    assert.deepEqual(operator.results, ["conflict"]);
    assert.equal(operator.look()?.status, undefined);
    await operator.clock.advance(150);
    await operator.clock.advance(300);
    assert.deepEqual(operator.results.slice(0, 3), ["conflict", "conflict", "success"]);
    assert.equal(operator.condition("Ready")?.reason, "RollingOut");
    assert.deepEqual(operator.events.filter((event) => event.includes("lead")), []);
    assert.equal(operator.warnings.length, 2, "whoever looks after the cluster can see it");
  });
}

Deno.test("a deletion that the fence refused is not taken for done", async () => {
  await using operator = await new FakeOperator().start();
  operator.gadget();
  await settle();
  operator.rollOut();
  await settle();
  operator.server.fail({ verb: "delete", resource: "namespaces" }, REFUSAL, 2);
  operator.server.forget();
  operator.server.store.remove(GADGET, "default/g");
  await settle();
  await operator.clock.advance(150);
  assert.deepEqual(operator.calls, Array(2).fill("delete namespaces gadget-g"));
  await operator.clock.advance(300);
  assert.deepEqual(operator.calls.slice(2), ["delete namespaces gadget-g", "apply-status gadgets g"]);
  assert.equal(operator.look()?.status.phase, "Terminating");
});
