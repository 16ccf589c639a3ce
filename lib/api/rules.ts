/**
 * What a zod schema has to carry so that a CRD can enforce the same without zod: CEL rules, keywords of OpenAPI, and
 * marks. A rule is written once, its CEL beside its TypeScript, and sits in the schema as an ordinary zod check.
 *
 * Guarantees: zod runs a rule only when nothing that it reads is itself wrong, so one mistake is one problem, and a
 * mistake in one field does not hide a broken rule between others.
 *
 * @module
 */
import type { z } from "zod";

/** Why the API server refuses, as `reason` of a CEL rule. */
export type RuleReason = "FieldValueInvalid" | "FieldValueRequired" | "FieldValueForbidden";

/** A rule on one value, in CEL for the API server and in TypeScript for everything that has no API server. */
export interface Rule<T> {
  /** CEL over `self`; true when the value is good. */
  readonly cel: string;
  /** The same in TypeScript. Defaults are filled in on both sides. */
  readonly holds: (value: T) => boolean;
  /** What must hold, for the person who broke it. */
  readonly message: string;
  /** The field below the value that the problem is shown at; the value itself when absent. */
  readonly field?: readonly string[];
  /** Fields of the value that the rule looks at; while one of them has a problem of its own, the rule waits. */
  readonly reads?: readonly string[];
  readonly reason?: RuleReason;
}

/** OpenAPI keywords, Kubernetes' own included, as they stand in a CRD. */
export type Keywords = Readonly<Record<string, unknown>>;

/** What one zod check becomes in a CRD. */
export type Carried = { readonly rule: Rule<never> } | { readonly keywords: Keywords };

/** Marks of a schema beside its description. */
export interface Marks {
  readonly description?: string;
  /** Set by {@link immutable}. */
  readonly immutable?: boolean;
}

/** Where {@link carriedBy} finds what a check carries, among the free parameters of a zod check. */
const CARRIED = "crd";

/**
 * Adds rules between the fields of an object, or on a value.
 *
 * @param schema what the rules look at, as `self`
 * @param rules in the order in which their problems are listed
 */
export function withRules<S extends z.ZodType>(schema: S, ...rules: readonly Rule<z.output<S>>[]): S {
  return rules.reduce((ruled, rule) => {
    const path = [...(rule.field ?? [])];
    const params = { [CARRIED]: { rule } };
    return ruled.refine((value) => rule.holds(value), {
      message: rule.message,
      path,
      params,
      when: whenReadable(rule),
    });
  }, schema);
}

/**
 * The condition of a check that nothing it reads has a problem: neither the value itself nor the fields named. Without
 * it zod would search a text that is too long, of any length, and not run a rule while an unrelated field is wrong.
 */
function whenReadable(rule: Pick<Rule<never>, "reads">): (payload: z.core.ParsePayload) => boolean {
  const reads = new Set<PropertyKey>(rule.reads ?? []);
  return ({ issues }) => issues.every(({ path }) => path !== undefined && path.length > 0 && !reads.has(path[0]!));
}

/** A check that OpenAPI has keywords for and zod has not, or means differently. */
export interface KeywordCheck<T> {
  readonly keywords: Keywords;
  /** Where the value breaks the keywords: paths below it, `[]` for the value itself. */
  readonly broken: (value: T) => PropertyKey[][];
  readonly message: string;
}

/** Adds a {@link KeywordCheck}. */
export function withKeywords<S extends z.ZodType>(schema: S, check: KeywordCheck<z.output<S>>): S {
  // zod keeps `params` with every check, its type knows them for refine() only.
  const options = { params: { [CARRIED]: { keywords: check.keywords } }, when: whenReadable({}) };
  return schema.superRefine((value, context) => {
    for (const path of check.broken(value)) context.addIssue({ code: "custom", path, message: check.message });
  }, options);
}

/**
 * Marks a field that keeps the value, or the absence of one, that it had at creation.
 *
 * @param schema the whole schema of a property of an object, `optional()` included
 */
export function immutable<S extends z.ZodType>(schema: S): S {
  return schema.meta({ immutable: true });
}

/** What an immutable field says when it is changed. */
export function immutableMessage(field: string): string {
  return `Field "${field}" is immutable: delete the object and create it anew`;
}

/** CEL's own words, which cannot name a field as they stand. */
const CEL_WORDS: ReadonlySet<string> = new Set(
  "true false null in as break const continue else for function if import let loop package namespace return var void while"
    .split(" "),
);

/** The name of a field as CEL in a CRD spells it: `namespace` is `__namespace__`, a dash is `__dash__`. */
export function celField(name: string): string {
  if (CEL_WORDS.has(name)) return `__${name}__`;
  const escaped = name.replaceAll("__", "__underscores__").replaceAll(".", "__dot__");
  return escaped.replaceAll("-", "__dash__").replaceAll("/", "__slash__");
}

/** What a zod check becomes in a CRD; undefined for zod's own checks and for those that carry nothing. */
export function carriedBy(check: z.core.$ZodCheck): Carried | undefined {
  const { params } = check._zod.def as { params?: { [CARRIED]?: Carried } };
  return params?.[CARRIED];
}
