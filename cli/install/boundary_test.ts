import assert from "node:assert/strict";
import type { KubeObject } from "../../lib/api/object.ts";
import { KINDS } from "../../lib/api/registry.ts";
import { readCommandLine } from "../../lib/config.ts";
import { boundaryObjects } from "./boundary.ts";
import { installation } from "./objects.ts";

const POLICIES = new Map(
  boundaryObjects().filter(({ kind }) => kind === "ValidatingAdmissionPolicy").map((object) => [
    object.metadata.name.replace("maquette-boundary-", ""),
    object,
  ]),
);

function rulesOf({ spec }: KubeObject): string[] {
  return spec.matchConstraints.resourceRules.flatMap(
    ({ apiGroups, operations, resources }: Record<string, string[]>) =>
      resources!.map((resource) => `${operations!.join("|")} ${resource}.${apiGroups![0]}`),
  );
}

const WRITES: Record<string, string[]> = {
  isolation: ["CREATE|UPDATE|DELETE networkpolicies.networking.k8s.io"],
  kinds: KINDS.map(({ resource }) => `CREATE|UPDATE|DELETE ${resource.plural}.${resource.group}`),
  tokens: ["CREATE serviceaccounts/token."],
  pods: ["CREATE pods."],
  secrets: ["CREATE|UPDATE secrets."],
  services: ["CREATE|UPDATE services."],
  ingresses: ["CREATE|UPDATE ingresses.networking.k8s.io"],
};

Deno.test("each policy of the boundary is about few writes", () => {
  assert.deepEqual(Object.fromEntries([...POLICIES].map(([part, object]) => [part, rulesOf(object).sort()])), {
    ...WRITES,
    kinds: WRITES.kinds!.toSorted(),
  });
});

Deno.test("the boundary is around namespaces that Maquette made, and stays closed when something is wrong", () => {
  for (const { spec } of POLICIES.values()) {
    assert.equal(spec.failurePolicy, "Fail");
    assert.deepEqual(spec.matchConstraints.namespaceSelector, {
      matchExpressions: [{ key: "maquette.dev/owner-uid", operator: "Exists" }],
    });
  }
});

Deno.test("each policy has a binding that refuses", () => {
  const bindings = boundaryObjects().filter(({ kind }) => kind === "ValidatingAdmissionPolicyBinding");
  assert.deepEqual(
    bindings.map(({ spec }) => spec),
    [...POLICIES.keys()].map((part) => ({
      policyName: `maquette-boundary-${part}`,
      validationActions: ["Deny"],
    })),
  );
});

Deno.test("a policy declares the variables that it uses, those before that they rest on, and no others", () => {
  const declared = (part: string): string[] =>
    (POLICIES.get(part)!.spec.variables ?? []).map(({ name }: KubeObject) => name);
  assert.deepEqual(declared("pods"), []);
  assert.deepEqual(declared("kinds"), ["right", "everywhere"]);
  assert.deepEqual(declared("secrets"), ["annotations", "tokenOf"]);
  assert.deepEqual(declared("ingresses"), ["right", "everywhere", "annotations", "claims", "host"]);
});

Deno.test("the boundary is part of every installation", () => {
  const { config } = readCommandLine(["--leader-election=false", "--webhook=false"], {});
  assert.deepEqual(installation({ config, image: "maquette", replicas: 1 }).get("boundary"), boundaryObjects());
});
