/**
 * What the API server would say to an object of ours by its CRD alone, without an API server: for `maquette check`, and
 * for the webhook, which lists these problems together with its own.
 *
 * @module
 */
import { isDeepStrictEqual } from "node:util";
import type { z } from "zod";
import type { KindDefinition } from "./kind.ts";
import type { KubeObject } from "./object.ts";
import { immutableMessage } from "./rules.ts";
import {
  type AnySchema,
  bare,
  fieldPath,
  isObject,
  marksOf,
  type Part,
  partsOf,
  unknownProperties,
  withoutNulls,
} from "./schema.ts";

/** One thing that is wrong with an object. */
export interface Problem {
  /** As Kubernetes writes it: `spec.env[0].name`. */
  readonly field: string;
  /** What must hold, with a capital and without a full stop. */
  readonly message: string;
}

const ROOT_FIELDS: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata", "spec", "status"]);

/**
 * Everything that the kind's schema and rules refuse in an object that is to be created.
 *
 * `metadata` is the API server's to judge and `status` is dropped at creation: neither is looked at. Unknown fields are
 * no problem here, {@link unknownFields} lists them.
 *
 * @param object as it came, of any shape
 * @returns all problems in the order of the schema, those of an object's rules after those of its fields; those of the
 * kind's rules on the whole object only where its spec has none
 */
export function schemaProblems(kind: KindDefinition, object: unknown): Problem[] {
  if (!isObject(object)) return [{ field: "", message: "Must be an object" }];
  const { error } = parseSpec(kind, object);
  return error === undefined ? rootProblems(kind, object as KubeObject) : specProblems(error);
}

function rootProblems(kind: KindDefinition, object: KubeObject): Problem[] {
  const broken = (kind.rules ?? []).filter((rule) => !rule.holds(object));
  return broken.map((rule) => ({ field: fieldPath(rule.field ?? []), message: rule.message }));
}

/**
 * Fields that the kind does not know: the API server drops them, and `kubectl` refuses them.
 *
 * @returns their paths in the order of the object
 */
export function unknownFields(kind: KindDefinition, object: unknown): string[] {
  if (!isObject(object)) return [];
  const atRoot = Object.keys(object).filter((name) => !ROOT_FIELDS.has(name));
  const spec: Part = { path: ["spec"], schema: kind.spec, value: object.spec };
  const status: Part = { path: ["status"], schema: kind.status, value: object.status };
  return [...atRoot.map((name) => fieldPath([name])), ...unknownBelow(spec), ...unknownBelow(status)];
}

function unknownBelow(part: Part): string[] {
  const here = unknownProperties(part).map((name) => fieldPath([...part.path, name]));
  return [...here, ...partsOf(part).flatMap(unknownBelow)];
}

/**
 * Immutable fields that an update changes, sets or takes away.
 *
 * @param object the object as it is to be
 * @param old the object as it is
 */
export function immutabilityProblems(kind: KindDefinition, object: KubeObject, old: KubeObject): Problem[] {
  return changedBelow({ path: ["spec"], schema: kind.spec, value: object.spec }, old.spec);
}

/** Looks into objects only: items of a list have no identity that a change could be told by. */
function changedBelow({ path, schema, value }: Part, old: unknown): Problem[] {
  const { def } = bare(schema)._zod;
  if (def.type !== "object" || !isObject(value) || !isObject(old)) return [];
  return Object.entries(def.shape).flatMap(([name, property]) => {
    const [now, before] = [value[name] ?? undefined, old[name] ?? undefined];
    const part = { path: [...path, name], schema: property as AnySchema, value: now };
    const isChanged = marksOf(part.schema).immutable === true && !isDeepStrictEqual(now, before);
    return isChanged ? [{ field: fieldPath(part.path), message: immutableMessage(name) }] : changedBelow(part, before);
  });
}

/**
 * The object as the API server would store it: defaults filled in, unknown fields of the spec dropped.
 *
 * @throws TypeError when the object has a problem; ask {@link schemaProblems} first
 */
export function withDefaults(kind: KindDefinition, object: KubeObject): KubeObject {
  const { data, error } = parseSpec(kind, object);
  if (error === undefined) return { ...object, spec: data };
  const problems = specProblems(error).map(({ field, message }) => `${field}: ${message}`);
  const owner = `${kind.resource.kind} "${object.metadata.name}"`;
  throw new TypeError(`Cannot fill in defaults of ${owner}: ${problems.join("; ")}`);
}

function specProblems(error: z.ZodError): Problem[] {
  return error.issues.map(({ path, message }) => ({ field: fieldPath(["spec", ...path]), message }));
}

function parseSpec(kind: KindDefinition, object: Record<string, unknown>): z.ZodSafeParseResult<unknown> {
  return kind.spec.safeParse(withoutNulls(kind.spec, object.spec ?? undefined), { error: messageOf });
}

/** Says in the words of the schemas' own messages what zod would say in its own. */
function messageOf(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined ? "Is required" : `Must be of type ${issue.expected}`;
    case "invalid_value":
      return issue.input === undefined ? "Is required" : `Must be one of ${issue.values.map(quoted).join(", ")}`;
    case "too_small":
      return `Must be at least ${issue.minimum}`;
    case "too_big":
      return `Must be at most ${issue.maximum}`;
  }
}

function quoted(value: unknown): string {
  return JSON.stringify(value);
}
