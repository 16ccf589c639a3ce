/**
 * JSON Patch (RFC 6902) as the API server applies it: `add`, `remove`, `replace` and `test`, where a test of an absent
 * path for `null` holds.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";
import { KubeError } from "./errors.ts";
import type { JsonPatch } from "./paths.ts";
import { sameValue } from "./scripted_fields.ts";

/** A patched copy. @throws {KubeError} 422 when a test fails or a path does not exist. */
export function patched(object: KubeObject, patch: JsonPatch): KubeObject {
  const copy = structuredClone(object);
  for (const operation of patch) step(copy, operation);
  return copy;
}

function step(object: KubeObject, { op, path, value }: JsonPatch[number]): void {
  const names = path.slice(1).split("/").map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
  const last = names.pop()!;
  const place = names.reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], object);
  if (typeof place !== "object" || place === null) throw refused();
  const target = place as Record<string, unknown>;
  if (op === "test") {
    if (!sameValue(target[last] ?? null, value ?? null)) throw refused();
    return;
  }
  if (Array.isArray(target)) return void spliced(target, last, { op, value });
  if (op !== "add" && !Object.hasOwn(target, last)) throw refused();
  if (op === "remove") delete target[last];
  else target[last] = structuredClone(value);
}

function spliced(list: unknown[], place: string, { op, value }: Pick<JsonPatch[number], "op" | "value">): void {
  const index = place === "-" ? list.length : Number(place);
  if (!(index <= list.length)) throw refused();
  list.splice(index, op === "add" ? 0 : 1, ...(op === "remove" ? [] : [structuredClone(value)]));
}

function refused(): KubeError {
  return new KubeError(422, "Invalid", "the server rejected our request due to an error in our request");
}
