import assert from "node:assert/strict";
import type { KubeObject } from "../../lib/api/object.ts";
import { KINDS } from "../../lib/api/registry.ts";
import { POD } from "../../lib/api/resources.ts";
import { readCommandLine } from "../../lib/config.ts";
import { createControllers } from "../controllers.ts";
import { fenceObjects, type Writer } from "./fence.ts";
import { installation } from "./objects.ts";

const { config } = readCommandLine([], {});
const DEFINITIONS = createControllers(config);
const PERMISSIONS = DEFINITIONS.flatMap(({ permissions }) => permissions);

function part(...flags: string[]): KubeObject[] {
  return installation({ config: readCommandLine(flags, {}).config, image: "maquette", replicas: 2 }).get("fence")!;
}

interface Rule {
  apiGroups: string[];
  operations: string[];
  resources: string[];
}

/** `OPERATION resource.group` of everything that a policy is about. */
function fencedBy(objects: readonly KubeObject[], name: string): string[] {
  const { spec } = objects.find(({ kind, metadata }) =>
    kind === "ValidatingAdmissionPolicy" && metadata.name === name
  )!;
  const rules: Rule[] = spec.matchConstraints.resourceRules;
  return rules.flatMap(({ apiGroups, operations, resources }) =>
    apiGroups.flatMap((group) => resources.flatMap((resource) => operations.map((op) => `${op} ${resource}.${group}`)))
  ).sort();
}

Deno.test("every write that a controller declares is fenced", () => {
  const operations: Record<string, string> = { create: "CREATE", update: "UPDATE", patch: "UPDATE", delete: "DELETE" };
  const written = PERMISSIONS.flatMap(({ groups, resources, verbs }) =>
    groups.flatMap((group) =>
      resources.flatMap((resource) =>
        verbs.filter((verb) => verb in operations).map((verb) => `${operations[verb]} ${resource}.${group}`)
      )
    )
  );
  const fenced = [...fencedBy(part(), "maquette-fence-owners"), ...fencedBy(part(), "maquette-fence-children")];
  assert.deepEqual(
    fenced.sort(),
    [...new Set(written)].filter((write) => !write.includes("/finalizers.")).sort(),
  );
  assert.deepEqual(fenced.filter((write) => /\*|events/.test(write)), []);
  // Leases of databases carry their holder's mark; the one that replicas agree by has none.
  assert.deepEqual(fencedBy(part(), "maquette-fence-owners").filter((write) => write.includes("leases")), []);
});

Deno.test("our own kinds are fenced with their status, and what is made for them by its owner's mark", () => {
  const owners = fencedBy(part(), "maquette-fence-owners");
  const groups = new Set(KINDS.map(({ resource }) => resource.group));
  assert.ok(owners.includes("UPDATE previewenvironments/status.devops.orima.com"));
  assert.ok(owners.every((write) => groups.has(write.slice(write.indexOf(".") + 1))));
  const [first, , second] = part();
  assert.equal(first!.spec.matchConstraints.objectSelector, undefined);
  assert.deepEqual(second!.spec.matchConstraints.objectSelector, {
    matchExpressions: [{ key: "maquette.dev/owner-uid", operator: "Exists" }],
  });
});

Deno.test("both policies are bound to the operator's Namespace and refuse", () => {
  const objects = part("--namespace=ops");
  assert.deepEqual(objects.map(({ kind, metadata: { name, namespace } }) => [kind, name, namespace]), [
    ["ValidatingAdmissionPolicy", "maquette-fence-owners", undefined],
    ["ValidatingAdmissionPolicyBinding", "maquette-fence-owners", undefined],
    ["ValidatingAdmissionPolicy", "maquette-fence-children", undefined],
    ["ValidatingAdmissionPolicyBinding", "maquette-fence-children", undefined],
  ]);
  for (const { kind, metadata: { name }, spec } of objects) {
    if (kind === "ValidatingAdmissionPolicyBinding") {
      assert.deepEqual(spec, {
        policyName: name,
        validationActions: ["Deny"],
        paramRef: { name: "ops", parameterNotFoundAction: "Allow" },
      });
    } else {
      assert.equal(spec.failurePolicy, "Fail");
      assert.match(spec.matchConditions[0].expression, /== 'system:serviceaccount:ops:maquette'$/);
    }
  }
});

Deno.test("without leader election there is no fence, and no right to raise it", () => {
  assert.deepEqual(part("--leader-election=false"), []);
  const rules = (...flags: string[]): { resourceNames?: string[] }[] =>
    installation({ config: readCommandLine(flags, {}).config, image: "maquette", replicas: 2 }).get("rbac")!
      .find(({ kind }) => kind === "Role")!.rules;
  const own = (rule: { resourceNames?: string[] }): boolean => rule.resourceNames?.[0] === "maquette-system";
  assert.equal(rules().filter(own).length, 1);
  assert.equal(rules("--leader-election=false").filter(own).length, 0);
});

/** Of a kind with other permissions. */
function writer(...permissions: Writer["permissions"]): Writer {
  return { ...DEFINITIONS[0]!, permissions };
}

Deno.test("a permission to read only, or on a path that nobody writes to, makes no rule", () => {
  const read = { groups: [""], resources: [POD.plural], verbs: ["get", "list", "watch"] };
  const right = { groups: ["apps"], resources: ["deployments/finalizers"], verbs: ["update"] };
  assert.deepEqual(fencedBy(fenceObjects("ops", [writer(read, right)]), "maquette-fence-children"), []);
});

Deno.test("a permission for a group of which no version is known is said at once", () => {
  const unknown = { groups: ["example.com"], resources: ["things"], verbs: ["create"] };
  assert.throws(() => fenceObjects("ops", [writer(unknown)]), /Cannot fence API group "example.com"/);
});
