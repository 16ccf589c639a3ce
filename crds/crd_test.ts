import assert from "node:assert/strict";
import { z } from "zod";
import { AGE_COLUMN, type KindDefinition, READY_COLUMNS } from "../lib/api/kind.ts";
import { KINDS } from "../lib/api/registry.ts";
import { schemaProblems } from "../lib/api/validate.ts";
import { crdOf } from "./crd.ts";
import { generatedFiles } from "./generate.ts";

const TOY: KindDefinition = {
  resource: { group: "example.com", version: "v1", kind: "Toy", plural: "toys", namespaced: true },
  singular: "toy",
  shortNames: ["ty"],
  categories: ["all"],
  description: "Toy is a toy.",
  columns: [AGE_COLUMN],
  spec: z.object({}).describe("Spec."),
  status: z.object({}).describe("Status."),
  rules: [{
    cel: "self.metadata.name != 'bad'",
    holds: ({ metadata }) => metadata.name !== "bad",
    field: ["metadata", "name"],
    message: "Must not be bad",
  }],
};

Deno.test("crdOf() makes a whole CustomResourceDefinition", () => {
  assert.deepEqual(crdOf(TOY), {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "toys.example.com" },
    spec: {
      group: "example.com",
      names: {
        kind: "Toy",
        listKind: "ToyList",
        plural: "toys",
        singular: "toy",
        shortNames: ["ty"],
        categories: ["all"],
      },
      scope: "Namespaced",
      versions: [{
        name: "v1",
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: [{ ...AGE_COLUMN }],
        schema: {
          openAPIV3Schema: {
            description: "Toy is a toy.",
            type: "object",
            properties: {
              spec: { description: "Spec.", type: "object", properties: {} },
              status: { description: "Status.", type: "object", properties: {} },
            },
            required: ["spec"],
            "x-kubernetes-validations": [
              { rule: "self.metadata.name != 'bad'", message: "Must not be bad", fieldPath: ".metadata.name" },
            ],
          },
        },
      }],
    },
  });
});

Deno.test("schemaProblems() judges by the rules on the whole object too", () => {
  const toy = { apiVersion: "example.com/v1", kind: "Toy", metadata: { name: "bad" }, spec: {} };
  assert.deepEqual(schemaProblems(TOY, toy), [{ field: "metadata.name", message: "Must not be bad" }]);
  assert.deepEqual(schemaProblems(TOY, { ...toy, metadata: { name: "good" } }), []);
});

Deno.test("crdOf() refuses a column of a field that the kind does not have", () => {
  for (
    const jsonPath of [".spec.missing", ".status.missing", ".nothing", '.status.conditions[?(@.type=="Ready")].reason']
  ) {
    const column = { ...READY_COLUMNS[0]!, name: "Lost", jsonPath };
    assert.throws(
      () => crdOf({ ...TOY, columns: [column] }),
      (error: Error) => error.message === `Cannot express column Lost in a CRD: the kind has no field "${jsonPath}"`,
    );
  }
});

Deno.test("crdOf() refuses a kind whose spec has no description", () => {
  assert.throws(() => crdOf({ ...TOY, spec: z.object({}) }), /^InexpressibleError: Cannot express spec in a CRD/);
});

Deno.test("crdOf() describes every field of every kind with a sentence", () => {
  for (const kind of KINDS) {
    const { openAPIV3Schema } = crdOf(kind).spec.versions[0].schema;
    for (const [path, description] of descriptionsIn(openAPIV3Schema, kind.singular)) {
      assert.match(description, /^[A-Z][^]*\.$/, path);
    }
  }
});

/** Paths and descriptions of a schema's properties. */
// deno-lint-ignore no-explicit-any
function descriptionsIn(schema: any, path: string): [string, string][] {
  const below = Object.entries(schema.properties ?? {}).flatMap(([name, property]) =>
    descriptionsIn(property, `${path}.${name}`)
  );
  const items = schema.items === undefined ? [] : Object.entries(schema.items.properties ?? {}).flatMap(
    ([name, property]) => descriptionsIn(property, `${path}[].${name}`),
  );
  return [[path, schema.description], ...below, ...items];
}

Deno.test("generatedFiles() writes one file per kind that says where it comes from, on long lines, the same every time", () => {
  const files = generatedFiles();
  assert.deepEqual([...files.keys()], [
    "crds/previewenvironments.devops.orima.com.yaml",
    "crds/printers.cadumillani.com.br.yaml",
    "crds/projects.catalyst.catalyst.dev.yaml",
    "crds/environments.catalyst.catalyst.dev.yaml",
    "crds/portfolioapps.portfolio.example.com.yaml",
    "crds/databasemigrations.portfolio.example.com.yaml",
  ]);
  for (const content of files.values()) {
    assert.ok(content.startsWith("# GENERATED from the schemas in lib/api"));
    assert.ok(!content.includes("&a1"), "an alias hides which field a change is about");
    assert.ok(!/: [>|]/.test(content), "a text is folded");
  }
  assert.deepEqual(generatedFiles(), files);
});
