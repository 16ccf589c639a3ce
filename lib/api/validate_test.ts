import assert from "node:assert/strict";
import type { KubeObject } from "./object.ts";
import { PREVIEW_ENVIRONMENT, type PreviewEnvironmentSpec } from "./preview_environment.ts";
import { PRINTER } from "./printer.ts";
import { kindOf, KINDS } from "./registry.ts";
import { immutabilityProblems, schemaProblems, unknownFields, withDefaults } from "./validate.ts";

function preview(spec: unknown): KubeObject {
  return { apiVersion: "devops.orima.com/v1", kind: "PreviewEnvironment", metadata: { name: "pr-7" }, spec };
}

const GOOD = { pr_number: 7, branch_name: "main", image: "nginx:1.27" };

Deno.test("schemaProblems() lists all problems at once, in the order of the schema", () => {
  const object = preview({
    namespace: "kube-public",
    port: 0,
    resources: { requests: { cpu: 2 }, limits: { cpu: "1999m" } },
    env: [{ name: "A" }, { name: "B", value: 1 }],
    image: "nginx",
    pr_number: "7",
  });
  assert.deepEqual(schemaProblems(PREVIEW_ENVIRONMENT, object), [
    { field: "spec.pr_number", message: "Must be of type number" },
    { field: "spec.branch_name", message: "Is required" },
    {
      field: "spec.namespace",
      message: "Must not be a reserved namespace: default and kube-* belong to the cluster",
    },
    { field: "spec.port", message: "Must be at least 1" },
    { field: "spec.env[0]", message: "Must have exactly one of value and valueFrom" },
    { field: "spec.env[1].value", message: "Must be of type string" },
    { field: "spec.resources.requests.cpu", message: "Must be at most the limit of cpu" },
    { field: "spec.image_tag", message: "Is required, because image carries neither a tag nor a digest" },
  ]);
});

Deno.test("schemaProblems() says what an enumeration and a bound take", () => {
  const object = preview({ ...GOOD, ttl_from: "x", replicas: 21, ttl_seconds: 1.5 });
  assert.deepEqual(schemaProblems(PREVIEW_ENVIRONMENT, object), [
    { field: "spec.ttl_seconds", message: "Must be of type int" },
    { field: "spec.replicas", message: "Must be at most 20" },
    { field: "spec.ttl_from", message: 'Must be one of "created", "updated"' },
  ]);
});

Deno.test("schemaProblems() survives input of any shape", () => {
  for (const object of [undefined, null, 7, "x", [], [[]]]) {
    assert.deepEqual(schemaProblems(PRINTER, object), [{ field: "", message: "Must be an object" }]);
  }
  for (const spec of [7, "x", [], true]) {
    assert.deepEqual(schemaProblems(PRINTER, { spec }), [{ field: "spec", message: "Must be of type object" }]);
  }
  const hostile = JSON.parse('{"spec":{"textToPrint":"x","__proto__":{"mode":"Job"},"constructor":{}}}');
  assert.deepEqual(schemaProblems(PRINTER, hostile), []);
  assert.deepEqual(unknownFields(PRINTER, hostile), ["spec.__proto__", "spec.constructor"]);
});

Deno.test("schemaProblems() judges a megabyte of a bad text at once", () => {
  const huge = "a".repeat(1_000_000);
  const fields = { image: huge, image_tag: huge, repository: huge, health_path: huge, namespace: huge };
  const problems = schemaProblems(PREVIEW_ENVIRONMENT, preview({ ...GOOD, ...fields }));
  assert.deepEqual(problems.map(({ field }) => field.slice("spec.".length)), [
    "image",
    "image_tag",
    "repository",
    "namespace",
    "health_path",
  ]);
});

Deno.test("unknownFields() names every field that the API server would drop", () => {
  const object = {
    ...preview({ ...GOOD, replica: 2, env: [{ name: "A", value: "", vaule: "" }], resources: { limits: { gpu: 1 } } }),
    sepc: {},
    status: { phase: "Ready", extra: 1 },
  };
  assert.deepEqual(unknownFields(PREVIEW_ENVIRONMENT, object), [
    "sepc",
    "spec.replica",
    "spec.env[0].vaule",
    "spec.resources.limits.gpu",
    "status.extra",
  ]);
  assert.deepEqual(unknownFields(PREVIEW_ENVIRONMENT, "x"), []);
});

Deno.test("withDefaults() fills in what the API server does, and changes nothing of its input", () => {
  const object = preview({ ...GOOD, typo: 1, port: null });
  const spec: PreviewEnvironmentSpec = withDefaults(PREVIEW_ENVIRONMENT, object).spec;
  assert.deepEqual(spec, { ...GOOD, port: 8000, replicas: 1, health_path: "/", ttl_from: "created" });
  assert.deepEqual(object.spec, { ...GOOD, typo: 1, port: null });
  const printed = withDefaults(PRINTER, { ...object, spec: { textToPrint: "x" } });
  assert.deepEqual(printed.spec, { textToPrint: "x", mode: "Pod" });
});

Deno.test("withDefaults() refuses an object with a problem, naming it", () => {
  const message = 'Cannot fill in defaults of PreviewEnvironment "pr-7": spec.image: Is required';
  assert.throws(() => withDefaults(PREVIEW_ENVIRONMENT, preview({ ...GOOD, image: undefined })), { message });
});

Deno.test("immutabilityProblems() lists every field that changed and nothing that an object lacks", () => {
  const [old, now] = [preview({ ...GOOD, repository: "a/b" }), preview({ ...GOOD, pr_number: 8, namespace: "x" })];
  assert.deepEqual(
    immutabilityProblems(PREVIEW_ENVIRONMENT, now, old).map(({ field }) => field),
    ["spec.pr_number", "spec.repository", "spec.namespace"],
  );
  assert.deepEqual(immutabilityProblems(PREVIEW_ENVIRONMENT, preview(undefined), old), []);
});

Deno.test("kindOf() finds a kind by group and kind in any version", () => {
  assert.equal(kindOf(preview({})), PREVIEW_ENVIRONMENT);
  assert.equal(kindOf({ apiVersion: "cadumillani.com.br/v2", kind: "Printer" }), PRINTER);
  for (const other of [{}, { kind: "Printer" }, { apiVersion: "v1", kind: "Pod" }, { apiVersion: 7, kind: [] }]) {
    assert.equal(kindOf(other), undefined);
  }
});

Deno.test("all kinds have the categories of the contract, a column for the age and names that differ", () => {
  const names = KINDS.flatMap(({ resource, singular, shortNames }) => [resource.plural, singular, ...shortNames]);
  assert.equal(new Set(names).size, names.length);
  for (const { categories, columns } of KINDS) {
    assert.deepEqual([...categories], ["maquette", "all"]);
    assert.ok(columns.some(({ name, type }) => name === "Age" && type === "date"));
  }
});
