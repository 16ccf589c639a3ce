/**
 * Rules on the namespace that an object of ours is to make. Pure.
 *
 * @module
 */
import { keyOf } from "../../lib/api/object.ts";
import type { Problem } from "../../lib/api/validate.ts";
import { isReservedNamespace } from "../../lib/naming.ts";
import type { AdmissionContext, Change } from "./admission_rules.ts";

/** Where the namespace comes from, and what it is. */
export interface Target {
  name: string;
  field: string;
}

/** What is wrong with the namespace. Its grammar, for an explicit one, is the schema's to judge. */
export function targetProblems({ name, field }: Target, { object, old }: Change, context: AdmissionContext): Problem[] {
  const { operatorNamespace, reservedNamespaces } = context.config;
  const shown = JSON.stringify(name);
  if (isReservedNamespace(name, [operatorNamespace, ...reservedNamespaces])) {
    return [{ field, message: `Namespace ${shown} is reserved` }];
  }
  if (name === object.metadata.namespace) {
    return [{ field, message: `Namespace ${shown} is the one that this object lives in: name one that is to be made` }];
  }
  const owner = old === undefined ? context.ownerOf(name) : undefined;
  // The same key: an earlier object of this name, on its way out. The new one waits for its namespace to be gone.
  if (owner === undefined || (owner.kind === object.kind && owner.key === keyOf(object))) return [];
  return [{ field, message: `Namespace ${shown} belongs to another ${owner.kind} already: "${owner.key}"` }];
}
