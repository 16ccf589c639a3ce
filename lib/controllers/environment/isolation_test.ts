import assert from "node:assert/strict";
import type { Rendering } from "../../render/renderer.ts";
import { withoutPolicies } from "./isolation.ts";

function rendering(...kinds: [apiVersion: string, kind: string][]): Rendering {
  const objects = kinds.map(([apiVersion, kind]) => ({
    source: `templates/${kind.toLowerCase()}.yaml`,
    object: { apiVersion, kind, metadata: { name: "web" } },
  }));
  return { objects, hooks: [], refused: [], warnings: [], injected: [] };
}

Deno.test("withoutPolicies() leaves out what would widen the isolation, and says so", () => {
  const { objects, warnings } = withoutPolicies(
    rendering(["v1", "Service"], ["networking.k8s.io/v1", "NetworkPolicy"], ["networking.k8s.io/v1", "Ingress"]),
  );
  assert.deepEqual(objects.map(({ object }) => object.kind), ["Service", "Ingress"]);
  assert.deepEqual(warnings.map(({ reason, file }) => [reason, file]), [
    ["NetworkPolicyLeftOut", "templates/networkpolicy.yaml"],
  ]);
  assert.match(warnings[0]!.message, /^NetworkPolicy "web" is left out: /);
});

Deno.test("withoutPolicies() leaves everything else as it is, kinds of that name in other groups, too", () => {
  const given = rendering(["v1", "Service"], ["example.com/v1", "NetworkPolicy"]);
  assert.equal(withoutPolicies(given), given);
});
