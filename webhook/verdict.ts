/**
 * What admission says to one change of an object: everything that is wrong with it, in one stable order. Pure.
 *
 * An update is judged by what it changes. An object on its way out always passes, because nothing may keep a finalizer
 * from being taken away. Where the spec stays as it is, only annotations and labels that are written anew are judged:
 * rules that became stricter never lock an old object, finalizers stay editable. Where the spec changes, all of it is
 * judged, but for what the schema already found in the stored one (the API server itself ratchets so).
 *
 * @module
 */
import type { KubeObject } from "../lib/api/object.ts";
import { immutabilityProblems, type Problem, schemaProblems } from "../lib/api/validate.ts";
import { type AdmissionContext, type AdmissionRules, type Change, isSpecChanged } from "./rules/admission_rules.ts";

/** What is said to an object as it stands. */
export interface Judgement {
  /** By field path, those of one field in the order of its rules. Empty: the object passes. */
  problems: Problem[];
  /** What is legal but unwise, and what was changed, each with its field path. */
  warnings: string[];
  /** Whether the schema is among those that refuse. */
  isSchemaBroken: boolean;
}

/** What is said to an object as it was sent, with what is made of it. */
export interface Verdict extends Judgement {
  object: KubeObject;
  /** Those of the warnings that say what was changed in the object. */
  changes: string[];
}

const NOTHING: Judgement = Object.freeze({ problems: [], warnings: [], isSchemaBroken: false });

/**
 * What mutating and validating admission, with the CRD's schema between them, make of an object. `maquette check` says
 * this without a cluster.
 *
 * @param object as it was sent; `metadata` must have its Kubernetes shape, the rest may be anything
 * @param old the stored object for an update, undefined for a creation
 */
export function verdict(
  rules: AdmissionRules,
  object: KubeObject,
  old: KubeObject | undefined,
  context: AdmissionContext,
): Verdict {
  const isKept = isLeaving(old) || !isSpecChanged({ object, old });
  const mutation = isKept ? { object, warnings: [] } : rules.mutate({ object, old }, context);
  const judgement = judge(rules, { object: mutation.object, old }, context);
  const { object: made, warnings: changes } = mutation;
  return { ...judgement, object: made, changes, warnings: [...changes, ...judgement.warnings] };
}

/** What validating admission says to an object as it stands. */
export function judge(rules: AdmissionRules, change: Change, context: AdmissionContext): Judgement {
  if (isLeaving(change.old)) return NOTHING;
  const isChanged = isSpecChanged(change);
  const schema = isChanged ? newSchemaProblems(rules, change) : [];
  const known = new Set(schema.map(({ field }) => field));
  const beyond = [
    ...(isChanged && change.old ? immutabilityProblems(rules.kind, change.object, change.old) : []),
    ...(isChanged ? rules.specProblems(change, context) : []),
    ...rules.metadataProblems(change, context),
  ];
  // A rule that reads a field which the schema refuses would only say the same in other words.
  const problems = [...schema, ...beyond.filter(({ field }) => !known.has(field))];
  return {
    problems: problems.sort((a, b) => a.field.localeCompare(b.field, "en", { numeric: true })),
    warnings: rules.warnings(change, context),
    isSchemaBroken: schema.length > 0,
  };
}

function newSchemaProblems({ kind }: AdmissionRules, { object, old }: Change): Problem[] {
  const problems = schemaProblems(kind, object);
  if (old === undefined || problems.length === 0) return problems;
  const before = new Set(schemaProblems(kind, old).map(({ field, message }) => `${field}\n${message}`));
  return problems.filter(({ field, message }) => !before.has(`${field}\n${message}`));
}

/**
 * Asked of the stored object: at creation anybody can write a deletion time into the manifest, which the API server
 * drops only after mutating admission.
 */
function isLeaving(old: KubeObject | undefined): boolean {
  return Boolean(old?.metadata.deletionTimestamp);
}
