/**
 * The difference between two JSON values as RFC 6902 operations.
 *
 * Own, because it is small and the libraries are not kept (fast-json-patch) or do more than is
 * wanted (moves, list alignment): a list that differs is replaced as a whole, which is right for a patch that is applied
 * to exactly the object that it was made from.
 *
 * @module
 */
import { isDeepStrictEqual } from "node:util";
import { isObject } from "../lib/api/schema.ts";

/** One operation of a JSON Patch. */
export type PatchOperation =
  | { op: "add" | "replace"; path: string; value: unknown }
  | { op: "remove"; path: string };

/**
 * Operations that turn `before` into `after`; none when they are equal.
 *
 * @param before a JSON value
 * @param after a JSON value; a field that is undefined counts as absent
 * @param path JSON Pointer of both values
 * @example
 * ```ts
 * patchBetween({ spec: {} }, { spec: { "a/b": 1 } }); // [{ op: "add", path: "/spec/a~1b", value: 1 }]
 * ```
 */
export function patchBetween(before: unknown, after: unknown, path = ""): PatchOperation[] {
  if (before === after) return [];
  if (!isObject(before) || !isObject(after)) {
    return isDeepStrictEqual(before, after) ? [] : [{ op: "replace", path, value: after }];
  }
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].flatMap((name) => fieldPatch(own(before, name), own(after, name), `${path}/${escaped(name)}`));
}

function fieldPatch(before: unknown, after: unknown, path: string): PatchOperation[] {
  if (after === undefined) return before === undefined ? [] : [{ op: "remove", path }];
  return before === undefined ? [{ op: "add", path, value: after }] : patchBetween(before, after, path);
}

/** The field itself: what is inherited (`constructor`, `__proto__`) is no field of a JSON value. */
function own(value: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

function escaped(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}
