/**
 * zod to structural OpenAPI v3, the language of CustomResourceDefinitions.
 *
 * Guarantees: what comes out judges a value as the zod schema does (points in time excepted, where the API server takes
 * more spellings). What has no form in a CRD is refused with the path of the field, never left out; so is a field
 * without a description, and a text, list or map without a bound: the API server estimates by the bounds what a CEL
 * rule may cost, and refuses those that could cost too much.
 *
 * @module
 */
import type { z } from "zod";
import { celField, immutableMessage } from "../lib/api/rules.ts";
import { type AnySchema, marksOf } from "../lib/api/schema.ts";
import { type StructuralSchema, withChecks, withRule } from "./keywords.ts";
import { InexpressibleError } from "./refusal.ts";

const KNOWN_MARKS: ReadonlySet<string> = new Set(["description", "immutable"]);

/**
 * The structural schema of a schema that has a description and stands on its own.
 *
 * @param schema `optional()` and `default()` included
 * @param path where it stands, for what is said about it: `spec.env[].name`
 * @throws InexpressibleError naming the path of what a CRD cannot express
 */
export function structuralOf(schema: z.core.$ZodType, path: string): StructuralSchema {
  refuseImmutable(schema, path);
  return described(schema, path);
}

function described(schema: z.core.$ZodType, path: string): StructuralSchema {
  const { description } = marksOf(schema);
  if (description === undefined) throw new InexpressibleError(path, "it has no description");
  return { description, ...undescribed(schema as AnySchema, path) };
}

/** An item of a list, an entry of a map or a side of a union. It needs no description, the field above it has one. */
function partOf(schema: z.core.$ZodType, path: string): StructuralSchema {
  refuseImmutable(schema, path);
  return undescribed(schema as AnySchema, path);
}

function refuseImmutable(schema: z.core.$ZodType, path: string): void {
  if (marksOf(schema).immutable) throw new InexpressibleError(path, "only a field of an object can be immutable");
}

function undescribed(schema: AnySchema, path: string): StructuralSchema {
  const unknown = Object.keys(marksOf(schema)).find((mark) => !KNOWN_MARKS.has(mark));
  if (unknown !== undefined) throw new InexpressibleError(path, `the mark "${unknown}" has no form`);
  const { def } = schema._zod;
  if (def.type === "optional" || def.type === "default") return unwrapped(def, path);
  const whole = withChecks(shapeOf(schema, path), schema, path);
  refuseUnbounded(whole, path);
  // A list is replaced as a whole unless a check of its own says how its items are told apart.
  return whole.type === "array" ? { "x-kubernetes-list-type": "atomic", ...whole } : whole;
}

function unwrapped(def: z.core.$ZodOptionalDef | z.core.$ZodDefaultDef, path: string): StructuralSchema {
  if (def.checks?.length) throw new InexpressibleError(path, `checks belong inside of ${def.type}(), not behind it`);
  const inner = undescribed(def.innerType as AnySchema, path);
  return def.type === "default" ? withDefault(inner, def as z.core.$ZodDefaultDef, path) : inner;
}

function withDefault(schema: StructuralSchema, def: z.core.$ZodDefaultDef, path: string): StructuralSchema {
  if (typeof def.defaultValue !== "object") return { ...schema, default: def.defaultValue };
  throw new InexpressibleError(path, "a default is a text, a number or a boolean");
}

function refuseUnbounded(schema: StructuralSchema, path: string): void {
  const isText = schema.type === "string" && !("enum" in schema) && schema.format !== "date-time";
  if (isText && !("maxLength" in schema)) throw new InexpressibleError(path, "a text needs a longest length");
  if (schema.type === "array" && !("maxItems" in schema)) {
    throw new InexpressibleError(path, "a list needs a largest number of items");
  }
  const isMap = "additionalProperties" in schema || "x-kubernetes-preserve-unknown-fields" in schema;
  if (isMap && schema.type === "object" && !("maxProperties" in schema)) {
    throw new InexpressibleError(path, "a map needs a largest number of entries");
  }
}

function shapeOf(schema: AnySchema, path: string): StructuralSchema {
  const { def } = schema._zod;
  if ("coerce" in def && def.coerce) {
    throw new InexpressibleError(path, "the API server does not turn types into others");
  }
  switch (def.type) {
    case "string":
    case "number":
    case "boolean":
      return { type: def.type };
    case "enum":
      return enumOf(Object.values(def.entries), path);
    case "literal":
      return enumOf(def.values, path);
    case "array":
      return { type: "array", items: partOf(def.element, `${path}[]`) };
    case "object":
      return objectOf(def, path);
    case "record":
      return mapOf(def, path);
    case "union":
      return intOrStringOf(def, path);
    case "unknown":
      return { "x-kubernetes-preserve-unknown-fields": true };
  }
  throw new InexpressibleError(path, `the type "${def.type}" has no form`);
}

function enumOf(values: readonly unknown[], path: string): StructuralSchema {
  if (values.every((value) => typeof value === "string")) return { type: "string", enum: values };
  throw new InexpressibleError(path, "the values of an enumeration are texts");
}

function objectOf(def: z.core.$ZodObjectDef, path: string): StructuralSchema {
  if (def.catchall !== undefined) {
    throw new InexpressibleError(path, "the API server drops unknown fields; use z.object(), neither strict nor loose");
  }
  const fields = Object.entries(def.shape);
  const properties = Object.fromEntries(fields.map(([name, field]) => [name, described(field, `${path}.${name}`)]));
  const required = fields.filter(([, field]) => isRequired(field)).map(([name]) => name);
  const schema = { type: "object", properties, ...(required.length > 0 && { required }) };
  const immutable = fields.filter(([, field]) => marksOf(field).immutable).map(([name]) => name);
  if (immutable.length > 0 && /\[\]|\.\*/.test(path)) {
    throw new InexpressibleError(`${path}.${immutable[0]}`, "nothing in a list or a map can be immutable");
  }
  return immutable.reduce<StructuralSchema>((ruled, name) => withRule(ruled, immutability(name)), schema);
}

/** zod takes no value at all for an unknown one. */
function isRequired(field: z.core.$ZodType): boolean {
  return !["optional", "default", "unknown"].includes(field._zod.def.type);
}

/** On the object and not on the field, because a rule on an absent field does not run. */
function immutability(name: string): Parameters<typeof withRule>[1] {
  const field = celField(name);
  const cel =
    `has(self.${field}) == has(oldSelf.${field}) && (!has(self.${field}) || self.${field} == oldSelf.${field})`;
  return { cel, message: immutableMessage(name), field: [name], reason: "FieldValueForbidden" };
}

function mapOf({ keyType, valueType }: z.core.$ZodRecordDef, path: string): StructuralSchema {
  const key = (keyType as AnySchema)._zod.def;
  if (key.type !== "string" || key.checks?.length) {
    throw new InexpressibleError(path, "the keys of a map are any texts; give a rule that carries its CEL");
  }
  // Entries with a schema of their own would lose their nulls, and in values of a chart a null says something.
  const isFree = (valueType as AnySchema)._zod.def.type === "unknown";
  if (isFree) return { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  return { type: "object", additionalProperties: partOf(valueType, `${path}.*`) };
}

/** The one union that a structural schema has: a number or a text, as for quantities and ports. */
function intOrStringOf({ options }: z.core.$ZodUnionDef, path: string): StructuralSchema {
  const [int, string, ...others] = options.map((option) => partOf(option, path));
  if (int?.type !== "integer" || string?.type !== "string" || others.length > 0) {
    throw new InexpressibleError(path, "a union is z.int() or z.string(); else use an object with a rule");
  }
  if ([int, string].some((side) => "x-kubernetes-validations" in side || "enum" in side)) {
    throw new InexpressibleError(path, "a rule or an enumeration on one side of a union would bind the other too");
  }
  const { type: _integer, format: _format, ...ofInt } = int;
  const { type: _string, ...ofString } = string;
  return { "x-kubernetes-int-or-string": true, ...ofInt, ...ofString };
}
