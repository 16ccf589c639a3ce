/**
 * Rules on the host that an object of ours is to be reached at. Pure.
 *
 * @module
 */
import { keyOf } from "../../lib/api/object.ts";
import type { Problem } from "../../lib/api/validate.ts";
import type { AdmissionContext, Change } from "./admission_rules.ts";

/**
 * A host belongs to whoever had it first, of whatever kind: what is wrong where none is left.
 *
 * @param hosts.names Those that the object could have, the preferred one first. @param hosts.field Where they come from.
 */
export function hostProblems(
  { names, field }: { names: readonly string[]; field: string },
  { object }: Change,
  context: AdmissionContext,
): Problem[] {
  const holders = names.map((name) => context.holderOf(name))
    .filter((holder) => holder && !(holder.kind === object.kind && holder.key === keyOf(object)));
  const last = holders.at(-1);
  if (!last || holders.length < names.length) return [];
  return [{ field, message: `Host "${names.at(-1)}" belongs to another ${last.kind} already: "${last.key}"` }];
}
