/**
 * The checks of a zod schema (`min()`, `regex()`, rules …) as keywords of a structural schema.
 *
 * @module
 */
import type { z } from "zod";
import { carriedBy, type Rule } from "../lib/api/rules.ts";
import type { AnySchema } from "../lib/api/schema.ts";
import { re2Problem } from "./re2.ts";
import { InexpressibleError } from "./refusal.ts";

/** A structural schema, its keywords in the order in which they are written. */
export type StructuralSchema = Readonly<Record<string, unknown>>;

/** zod's own checks; told apart by `_zod.def.check`. */
type ZodCheck = z.core.$ZodChecks | z.core.$ZodStringFormatChecks;

/**
 * Adds what the checks of a zod schema demand to the structural schema of its type.
 *
 * @throws InexpressibleError for a check that has no form, or that says something else to the API server
 */
export function withChecks(shape: StructuralSchema, schema: AnySchema, path: string): StructuralSchema {
  return checksOf(schema).reduce((checked, check) => {
    const carried = carriedBy(check);
    if (carried === undefined) return merged(checked, zodKeywords(check as ZodCheck, shape.type, path), path);
    if ("rule" in carried) return withRule(checked, carried.rule);
    const problem = re2Problem(String(carried.keywords.pattern ?? ""));
    if (problem !== undefined) throw new InexpressibleError(path, problem);
    return merged(checked, carried.keywords, path);
  }, shape);
}

/** `z.int()` and `z.iso.datetime()` are checks themselves, before those that they have. */
function checksOf(schema: AnySchema): z.core.$ZodCheck[] {
  const isCheck = "check" in schema._zod.def;
  return [...(isCheck ? [schema as unknown as z.core.$ZodCheck] : []), ...(schema._zod.def.checks ?? [])];
}

function merged(schema: StructuralSchema, keywords: StructuralSchema, path: string): StructuralSchema {
  const twice = Object.keys(keywords).find((keyword) => keyword in schema && keyword !== "type");
  if (twice !== undefined) throw new InexpressibleError(path, `"${twice}" is given twice, and one would be lost`);
  return { ...schema, ...keywords };
}

/** Adds a CEL rule behind those that a structural schema has. */
export function withRule(
  schema: StructuralSchema,
  rule: Pick<Rule<never>, "cel" | "message" | "field" | "reason">,
): StructuralSchema {
  const { cel, message, field = [], reason } = rule;
  const fieldPath = field.map((name) => `.${name}`).join("");
  const written = { rule: cel, message, ...(reason && { reason }), ...(fieldPath && { fieldPath }) };
  const before = (schema["x-kubernetes-validations"] ?? []) as unknown[];
  return { ...schema, "x-kubernetes-validations": [...before, written] };
}

function zodKeywords(check: ZodCheck, type: unknown, path: string): StructuralSchema {
  const { def } = check._zod;
  switch (def.check) {
    case "greater_than":
      return { minimum: Number(def.value), ...(!def.inclusive && { exclusiveMinimum: true }) };
    case "less_than":
      return { maximum: Number(def.value), ...(!def.inclusive && { exclusiveMaximum: true }) };
    case "min_length":
      if (type === "array") return { minItems: def.minimum };
      break;
    case "max_length":
      if (type === "array") return { maxItems: def.maximum };
      break;
    case "number_format":
      if (def.format === "safeint") return { type: "integer", format: "int64" };
      break;
    case "string_format":
      if (def.format === "datetime" && !("local" in def && def.local)) return { format: "date-time" };
  }
  const name = "format" in def ? `${def.check}: ${def.format}` : def.check;
  throw new InexpressibleError(path, `the check "${name}" has no form; use text(), matching() or a rule with its CEL`);
}
