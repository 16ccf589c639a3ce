/**
 * Whether an object on the API server still is as we want it (promise 4).
 *
 * @module
 */
import { createHash } from "node:crypto";
import { ANNOTATION_APPLIED } from "../api/names.ts";
import type { KubeObject } from "../api/object.ts";
import { compareQuantities, isQuantity } from "../api/quantity.ts";

/** Lists that the API server merges by keys (`x-kubernetes-list-map-keys` of the built-in types that we apply). */
const LIST_KEYS: Record<string, readonly string[]> = {
  containers: ["name"],
  initContainers: ["name"],
  env: ["name"],
  volumes: ["name"],
  volumeMounts: ["mountPath"],
  imagePullSecrets: ["name"],
  ownerReferences: ["uid"],
};
/** Maps that the API server replaces as a whole (`x-kubernetes-map-type: atomic`): a member that somebody added counts. */
const ATOMIC = new Set(["selector", "podSelector", "namespaceSelector", "matchLabels", "nodeSelector"]);
/** Fields whose members are quantities, which the API server rewrites (`1000m` becomes `1`). */
const QUANTITY_MAPS = new Set(["requests", "limits", "hard", "default", "defaultRequest", "max", "min"]);
/** Fields that are a quantity themselves. */
const QUANTITIES = new Set(["sizeLimit", "averageValue", "divisor"]);

/**
 * Digest of a desired object. Kept in an annotation, it tells what a comparison of leaves cannot: that something we
 * wanted before is not wanted any more.
 */
export function digestOf(desired: unknown): string {
  return createHash("sha256").update(JSON.stringify(desired)).digest("hex").slice(0, 16);
}

/** The object with the annotation that {@link difference} compares first. */
export function withDigest(desired: KubeObject): KubeObject {
  const annotations = { ...desired.metadata.annotations, [ANNOTATION_APPLIED]: digestOf(desired) };
  return { ...desired, metadata: { ...desired.metadata, annotations } };
}

/**
 * Compares every leaf of `desired` with `observed`. What only `observed` has is the server's default or another
 * manager's field, and does not count, but in selectors and in lists without keys, which have one author. An empty text
 * is an absent one: the API server drops it.
 *
 * @returns Path of the first difference (`spec.replicas`), or nothing when there is none.
 */
export function difference(desired: unknown, observed: unknown, path = ""): string | undefined {
  if (desired === undefined) return undefined;
  if (isEmpty(desired) && isEmpty(observed)) return undefined;
  if (Array.isArray(desired)) return listDifference(desired, observed, path);
  if (typeof desired === "object" && desired !== null) {
    if (typeof observed !== "object" || observed === null) return path;
    if (ATOMIC.has(lastOf(path)) && Object.keys(observed).some((name) => !Object.hasOwn(desired, name))) return path;
    for (const [name, value] of Object.entries(desired)) {
      const found = difference(value, (observed as Record<string, unknown>)[name], path ? `${path}.${name}` : name);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  return desired === observed || sameQuantity(desired, observed, path) ? undefined : path;
}

/** The server drops what says nothing: no value, no members, no text. */
function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === "" ||
    (typeof value === "object" && Object.keys(value as object).length === 0);
}

function listDifference(desired: unknown[], observed: unknown, path: string): string | undefined {
  if (!Array.isArray(observed)) return path;
  const keys = LIST_KEYS[lastOf(path)];
  if (!keys && desired.length !== observed.length) return path;
  for (const [index, item] of desired.entries()) {
    const twin = keys
      ? observed.find((other) => keys.every((key) => other?.[key] === field(item, key)))
      : observed[index];
    const found = twin === undefined ? `${path}[${index}]` : difference(item, twin, `${path}[${index}]`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function lastOf(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1);
}

function field(item: unknown, key: string): unknown {
  return (item as Record<string, unknown>)[key];
}

function sameQuantity(a: unknown, b: unknown, path: string): boolean {
  const [parent = "", name = ""] = path.split(".").slice(-2);
  // `value` is a quantity in the target of a metric, and a text nearly everywhere else.
  const isTyped = QUANTITY_MAPS.has(parent) || QUANTITIES.has(name) || (parent === "target" && name === "value");
  if (!isTyped || !isQuantity(a) || !isQuantity(b)) return false;
  return compareQuantities(a, b) === 0;
}
