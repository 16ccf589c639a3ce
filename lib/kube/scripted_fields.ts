/**
 * Fields of objects and who owns them, for the {@link ScriptedStore}: server-side apply as far as tests need it. Lists
 * are one value; members of objects have an owner each.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";

/** A write's author, as in `managedFields`. */
export interface Author {
  manager: string;
  operation: "Apply" | "Update";
  subresource?: string;
}

/** What an author owns: values by path. */
export interface Ownership extends Author {
  paths: Set<string>;
}

type Json = Record<string, unknown>;
const SEPARATOR = "\n";
/** What identifies an object and belongs to no author. */
const IDENTITY = [
  "apiVersion",
  "kind",
  ...["name", "namespace", "uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"].map((field) =>
    `metadata${SEPARATOR}${field}`
  ),
];

/** Values by path; an empty object is a value. */
export function leavesOf(object: unknown): Map<string, unknown> {
  const leaves = new Map<string, unknown>();
  collect(object as Json, "", leaves);
  for (const path of IDENTITY) leaves.delete(path);
  return leaves;
}

function collect(object: Json, prefix: string, leaves: Map<string, unknown>): void {
  for (const [name, value] of Object.entries(object)) {
    const path = prefix ? prefix + SEPARATOR + name : name;
    if (isMap(value) && Object.keys(value).length > 0) collect(value, path, leaves);
    else if (value !== undefined) leaves.set(path, value);
  }
}

function isMap(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether two authors are the same one. */
export function sameAuthor(a: Author, b: Author): boolean {
  return a.manager === b.manager && a.operation === b.operation && a.subresource === b.subresource;
}

/** Whether two JSON values are written the same way but for the order of members. */
export function sameValue(a: unknown, b: unknown): boolean {
  return JSON.stringify(ordered(a)) === JSON.stringify(ordered(b));
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (!isMap(value)) return value;
  return Object.fromEntries(Object.keys(value).sort().map((name) => [name, ordered(value[name])]));
}

/** Sets one value, making the objects above it. */
export function setLeaf(object: KubeObject, path: string, value: unknown): void {
  const names = path.split(SEPARATOR);
  let place: Json = object;
  for (const name of names.slice(0, -1)) {
    if (!isMap(place[name])) place[name] = {};
    place = place[name] as Json;
  }
  place[names.at(-1)!] = value;
}

/** Takes one value away, with the objects above it that become empty. */
export function deleteLeaf(object: KubeObject, path: string): void {
  const names = path.split(SEPARATOR);
  const places: Json[] = [object];
  for (const name of names.slice(0, -1)) {
    const next = places.at(-1)![name];
    if (!isMap(next)) return;
    places.push(next);
  }
  for (let depth = names.length - 1; depth >= 0; depth--) {
    delete places[depth]![names[depth]!];
    if (Object.keys(places[depth]!).length > 0) return;
  }
}

/** A path as messages of the API server write it: `.spec.replicas` */
export function pathText(path: string): string {
  return `.${path.split(SEPARATOR).join(".")}`;
}

/** The object as it is stored: authors are kept beside it. */
export function bare(object: KubeObject): KubeObject {
  const { managedFields: _fields, ...metadata } = object.metadata as KubeObject["metadata"] & {
    managedFields?: unknown;
  };
  return structuredClone({ ...object, metadata });
}

/** What a generation counts. */
export function withoutMeta({ metadata: _metadata, status: _status, ...rest }: KubeObject): unknown {
  return rest;
}

/** Paths of values that one object has otherwise than the other. */
export function changedPaths(before: KubeObject, after: KubeObject): Set<string> {
  const [old, present] = [leavesOf(before), leavesOf(after)];
  const all = new Set([...old.keys(), ...present.keys()]);
  return new Set([...all].filter((path) => !sameValue(old.get(path), present.get(path))));
}
