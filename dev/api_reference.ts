/**
 * The API reference: every field of every kind, out of the generated CRDs.
 *
 * @module
 */
import { crdOf } from "../crds/crd.ts";
import type { KindDefinition } from "../lib/api/kind.ts";
import { KINDS } from "../lib/api/registry.ts";

interface Schema {
  type?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  required?: string[];
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: Schema;
  "x-kubernetes-int-or-string"?: boolean;
}

/** Markdown. */
export function apiReference(): string {
  return [
    "# API reference",
    "",
    "Generated from the schemas in `lib/api`; `kubectl explain` tells the same.",
    ...KINDS.flatMap(section),
  ]
    .join("\n") + "\n";
}

function section(kind: KindDefinition): string[] {
  const { group, version, plural } = kind.resource;
  const schema: Schema = crdOf(kind).spec.versions[0].schema.openAPIV3Schema;
  return [
    "",
    `## ${kind.resource.kind}`,
    "",
    `${kind.description} \`${group}/${version}\`, ${plural} (${kind.shortNames.join(", ")})`,
    "",
    "| field | type | meaning |",
    "| --- | --- | --- |",
    ...["spec", "status"].flatMap((name) =>
      rows(name, schema.properties![name]!, schema.required?.includes(name) ?? false)
    ),
  ];
}

function rows(path: string, schema: Schema, isRequired: boolean): string[] {
  const item = schema.items;
  const of = item ?? schema;
  const prefix = item ? `${path}[]` : path;
  const children = Object.entries(of.properties ?? {});
  return [
    `| \`${path}\` | ${typeOf(schema)} | ${meaning(schema, isRequired)} |`,
    ...children.flatMap(([name, child]) => rows(`${prefix}.${name}`, child, of.required?.includes(name) ?? false)),
  ];
}

function typeOf(schema: Schema): string {
  if (schema["x-kubernetes-int-or-string"]) return "quantity";
  if (schema.items) return `list of ${typeOf(schema.items)}`;
  if (schema.additionalProperties) return `map of ${typeOf(schema.additionalProperties)}`;
  return schema.enum ? schema.enum.map((value) => `\`${value}\``).join(" \\| ") : schema.type ?? "any";
}

function meaning(schema: Schema, isRequired: boolean): string {
  const text = (schema.description ?? "").replaceAll("|", "\\|").replaceAll("\n", " ");
  const facts = [
    ...(isRequired ? ["required"] : []),
    ...(schema.default === undefined ? [] : [`default \`${JSON.stringify(schema.default)}\``]),
  ];
  return facts.length ? `${text} (${facts.join(", ")})` : text;
}
