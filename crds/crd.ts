/**
 * The CustomResourceDefinition of a kind.
 *
 * @module
 */
import type { KindDefinition, PrinterColumn } from "../lib/api/kind.ts";
import type { KubeObject } from "../lib/api/object.ts";
import { schemaAt } from "../lib/api/schema.ts";
import { type StructuralSchema, withRule } from "./keywords.ts";
import { InexpressibleError } from "./refusal.ts";
import { structuralOf } from "./structural.ts";

/**
 * @param kind its schemas have a description, and every field in them
 * @returns a CustomResourceDefinition that the API server takes
 * @throws InexpressibleError naming the field of what a CRD cannot express
 */
export function crdOf(kind: KindDefinition): KubeObject {
  const { resource, singular, shortNames, categories } = kind;
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${resource.plural}.${resource.group}` },
    spec: {
      group: resource.group,
      names: {
        kind: resource.kind,
        listKind: `${resource.kind}List`,
        plural: resource.plural,
        singular,
        shortNames,
        categories,
      },
      scope: resource.namespaced ? "Namespaced" : "Cluster",
      versions: [{
        name: resource.version,
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: kind.columns.map((column) => columnOf(kind, column)),
        schema: { openAPIV3Schema: rootSchema(kind) },
      }],
    },
  };
}

function rootSchema(kind: KindDefinition): StructuralSchema {
  const properties = { spec: structuralOf(kind.spec, "spec"), status: structuralOf(kind.status, "status") };
  const root = { description: kind.description, type: "object", properties, required: ["spec"] };
  return (kind.rules ?? []).reduce<StructuralSchema>(withRule, root);
}

function columnOf(kind: KindDefinition, column: PrinterColumn): Record<string, unknown> {
  const { wide, ...written } = column;
  if (!hasField(kind, column.jsonPath)) {
    throw new InexpressibleError(`column ${column.name}`, `the kind has no field "${column.jsonPath}"`);
  }
  return { ...written, ...(wide && { priority: 1 }) };
}

/** Follows a path up to its first filter. */
function hasField(kind: KindDefinition, jsonPath: string): boolean {
  const [, root, ...steps] = jsonPath.replace(/\[.*$/, "").split(".");
  if (root !== "spec" && root !== "status") return root === "metadata";
  const found = steps.reduce<Parameters<typeof schemaAt>[0] | undefined>(
    (schema, step) => schema && schemaAt(schema, step),
    kind[root],
  );
  return found !== undefined;
}
