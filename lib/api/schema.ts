/**
 * Reading zod schemas as data: what lies under `optional()` and `default()`, and what a value has for each part.
 *
 * @module
 */
import type { z } from "zod";
import type { Marks } from "./rules.ts";

/** Any zod schema, told apart by `_zod.def.type`. */
export type AnySchema = z.core.$ZodTypes;

/** A part of a value with the schema that it falls under, and where it is: field names and indices. */
export interface Part {
  readonly path: readonly PropertyKey[];
  readonly schema: AnySchema;
  readonly value: unknown;
}

/** The schema without the wrappers that only say what happens when there is no value. */
export function bare(schema: z.core.$ZodType): AnySchema {
  const known = schema as AnySchema;
  const { def } = known._zod;
  return isWrapper(def.type) ? bare((def as z.core.$ZodOptionalDef).innerType) : known;
}

/** Description and marks of a schema, those of the wrappers around it first. */
export function marksOf(schema: z.core.$ZodType): Marks {
  const { def } = (schema as AnySchema)._zod;
  const inner = isWrapper(def.type) ? marksOf((def as z.core.$ZodOptionalDef).innerType) : {};
  return { ...inner, ...(schema as z.ZodType).meta() };
}

function isWrapper(type: string): boolean {
  return type === "optional" || type === "default";
}

/** The schema of one field, entry or item; undefined where there is none of that name. */
export function schemaAt(schema: z.core.$ZodType, step: string | number): AnySchema | undefined {
  const { def } = bare(schema)._zod;
  if (def.type === "array") return typeof step === "number" ? def.element as AnySchema : undefined;
  if (def.type === "record") return typeof step === "string" ? def.valueType as AnySchema : undefined;
  if (def.type !== "object" || !Object.hasOwn(def.shape, step)) return undefined;
  return def.shape[step] as AnySchema;
}

/** The parts right below a value that its schema knows; none below anything but an object or a list. */
export function partsOf({ path, schema, value }: Part): Part[] {
  const entries: Iterable<[string | number, unknown]> = Array.isArray(value)
    ? value.entries()
    : isObject(value)
    ? Object.entries(value)
    : [];
  return [...entries].flatMap(([step, item]) => {
    const below = schemaAt(schema, step);
    return below === undefined ? [] : [{ path: [...path, step], schema: below, value: item }];
  });
}

/** The properties of an object that its schema does not know; none for anything else. */
export function unknownProperties({ schema, value }: Pick<Part, "schema" | "value">): string[] {
  if (!isObject(value) || bare(schema)._zod.def.type !== "object") return [];
  return Object.keys(value).filter((name) => schemaAt(schema, name) === undefined);
}

/**
 * The value as the API server reads it: a field or an entry that is null where no null may be is as good as absent.
 *
 * @returns a copy where something was left out below
 */
export function withoutNulls(schema: z.core.$ZodType, value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map((item, index) => {
      const below = schemaAt(schema, index);
      return below === undefined ? item : withoutNulls(below, item);
    });
  }
  if (!isObject(value)) return value;
  const kept = Object.entries(value).flatMap(([name, item]): [string, unknown][] => {
    const below = schemaAt(schema, name);
    if (below === undefined) return [[name, item]];
    return item === null && bare(below)._zod.def.type !== "unknown" ? [] : [[name, withoutNulls(below, item)]];
  });
  return Object.fromEntries(kept);
}

/** Says whether a value is a JSON object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Writes a path as Kubernetes does: `spec.env[0].name`, and `spec.labels[a.b]` for a name that would read as two.
 */
export function fieldPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((written, step) => {
    if (typeof step === "number") return `${written}[${step}]`;
    const name = String(step);
    if (!/^[-_a-zA-Z0-9]+$/.test(name)) return `${written}[${name}]`;
    return written === "" ? name : `${written}.${name}`;
  }, "");
}
