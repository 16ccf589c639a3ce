/**
 * The objects of a scripted API server: resource versions, generations, ownership of fields, finalizers and what
 * watches must be told. Only as much as the runtime relies on, checked against a real API server.
 *
 * @module
 */
import { apiVersionOf, keyOf, type KubeObject, type Resource } from "../api/object.ts";
import { NAMESPACE } from "../api/resources.ts";
import { KubeError } from "./errors.ts";
import type { JsonPatch } from "./paths.ts";
import {
  type Author,
  bare,
  changedPaths,
  deleteLeaf,
  leavesOf,
  type Ownership,
  pathText,
  sameAuthor,
  sameValue,
  setLeaf,
  withoutMeta,
} from "./scripted_fields.ts";
import { patched } from "./scripted_patch.ts";
import { checkPreconditions, type Preconditions, uidMismatch } from "./scripted_preconditions.ts";

/** One change: an object that was made has no `before`, one that is gone no `after`. */
export interface StoreEvent {
  version: number;
  /** `plural.group` */
  resource: string;
  before?: KubeObject;
  after?: KubeObject;
}

/** `plural.group`: what one table of the store is called. */
export function tableOf({ plural, group }: Pick<Resource, "plural" | "group">): string {
  return `${plural}.${group}`;
}

const NAMESPACES = tableOf(NAMESPACE);
const HAND: Author = { manager: "kubectl", operation: "Update" };

/** See the module. */
export class ScriptedStore {
  readonly #now: () => number;
  readonly #tables = new Map<string, Map<string, KubeObject>>();
  readonly #owners = new Map<string, Ownership[]>();
  readonly #listeners = new Set<(event: StoreEvent) => void>();
  /** Soon has a digit more: versions are no texts to be compared as such. */
  #version = 9_990;
  #uids = 0;
  #history: StoreEvent[] = [];
  #oldest = 0;

  /** @param now Milliseconds since the epoch. */
  constructor(now: () => number) {
    this.#now = now;
    this.create(NAMESPACE, { apiVersion: "v1", kind: "Namespace", metadata: { name: "default" } });
  }

  get version(): number {
    return this.#version;
  }

  /** Calls back on every change. @returns Ends it. */
  follow(listener: (event: StoreEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Changes after a version. @throws {KubeError} 410 when they are forgotten. */
  since(version: number): StoreEvent[] {
    if (version < this.#oldest) {
      throw new KubeError(410, "Expired", `too old resource version: ${version} (${this.#oldest})`);
    }
    return this.#history.filter((event) => event.version > version);
  }

  /** Forgets the past, as etcd does every few minutes. */
  compact(): void {
    this.#oldest = this.#version;
    this.#history = [];
  }

  /** All objects of a resource, in the order of their keys. */
  list(resource: Pick<Resource, "plural" | "group">): KubeObject[] {
    const table = this.#table(tableOf(resource));
    return [...table.keys()].sort().map((key) => this.#shown(table.get(key)!));
  }

  /** @throws {KubeError} 404 */
  get(resource: Pick<Resource, "plural" | "group">, key: string): KubeObject {
    const object = this.find(resource, key);
    if (!object) throw new KubeError(404, "NotFound", `${resource.plural} "${key}" not found`);
    return object;
  }

  find(resource: Pick<Resource, "plural" | "group">, key: string): KubeObject | undefined {
    const object = this.#table(tableOf(resource)).get(key);
    return object && this.#shown(object);
  }

  /** @throws {KubeError} 409 when it exists, 404 or 403 when its namespace is missing or leaves. */
  create(resource: Resource, object: KubeObject, author: Author = HAND): KubeObject {
    const key = keyOf(object);
    if (this.find(resource, key)) {
      throw new KubeError(409, "AlreadyExists", `${resource.plural} "${key}" already exists`);
    }
    this.#checkNamespace(object.metadata.namespace);
    const { status: _status, ...rest } = structuredClone(object);
    const made: KubeObject = { ...rest, apiVersion: apiVersionOf(resource), kind: resource.kind };
    const creationTimestamp = this.#time();
    made.metadata = { ...made.metadata, uid: `uid-${++this.#uids}`, generation: 1, creationTimestamp };
    this.#own(made, author, new Set(leavesOf(made).keys()));
    return this.#store(tableOf(resource), undefined, made);
  }

  /** Changes an object as somebody with kubectl would. @param change Works on a copy; its status counts, too. */
  edit(
    resource: Pick<Resource, "plural" | "group">,
    key: string,
    change: (object: KubeObject) => void,
    author: Author = HAND,
  ): KubeObject {
    const before = this.get(resource, key);
    const after = structuredClone(before);
    change(after);
    const touched = changedPaths(before, after);
    for (const other of this.#ownersOf(before)) for (const path of touched) other.paths.delete(path);
    this.#own(before, author, touched);
    return this.#store(tableOf(resource), before, after);
  }

  /** PUT. @throws {KubeError} 409 when `metadata.resourceVersion` is not the present one. */
  replace(resource: Resource, object: KubeObject, author: Author): KubeObject {
    const key = keyOf(object);
    checkPreconditions(this.get(resource, key), { resourceVersion: object.metadata.resourceVersion });
    return this.edit(resource, key, (live) => {
      const { status } = live;
      for (const field of Object.keys(live)) if (field !== "metadata") delete live[field];
      Object.assign(live, structuredClone({ ...object, status }));
    }, author);
  }

  /** JSON Patch. @throws {KubeError} 422 when a test fails. */
  patch(resource: Resource, key: string, patch: JsonPatch, author: Author): KubeObject {
    const { managedFields: _fields, ...metadata } = this.get(resource, key).metadata as KubeObject["metadata"] & {
      managedFields?: unknown;
    };
    const after = patched({ ...this.get(resource, key), metadata }, patch);
    return this.edit(resource, key, (live) => void Object.assign(live, after), author);
  }

  /** Server-side apply. @returns The object, and whether it was made. @throws {KubeError} 409 on a clash or another uid. */
  apply(
    resource: Resource,
    object: KubeObject,
    { force, author }: { force: boolean; author: Author },
  ): { object: KubeObject; isNew: boolean } {
    const key = keyOf(object);
    const live = this.find(resource, key);
    const { resourceVersion } = object.metadata;
    // The status of a custom resource takes any uid (seen on a real server).
    const uid = author.subresource && resource.group.includes(".") ? undefined : object.metadata.uid;
    if (live) checkPreconditions(live, { resourceVersion });
    if (uid !== undefined && live?.metadata.uid !== uid) throw uidMismatch(resource, key, { uid, isThere: !!live });
    if (!live) {
      if (author.subresource) throw new KubeError(404, "NotFound", `${resource.plural} "${key}" not found`);
      return { object: this.create(resource, object, author), isNew: true };
    }
    const { status, ...rest } = object;
    const leaves = leavesOf(author.subresource ? { status } : rest);
    const others = this.#ownersOf(live).filter((other) => !sameAuthor(other, author));
    const present = leavesOf(live);
    for (const [path, value] of leaves) {
      const clash = others.find((other) => other.paths.has(path) && !sameValue(present.get(path), value));
      if (!clash) continue;
      if (!force) throw new KubeError(409, "Conflict", `conflict with "${clash.manager}": ${pathText(path)}`);
      for (const other of others) other.paths.delete(path);
    }
    return { object: this.#merge(resource, live, { leaves, others, author }), isNew: false };
  }

  #merge(
    resource: Resource,
    live: KubeObject,
    { leaves, others, author }: { leaves: Map<string, unknown>; others: Ownership[]; author: Author },
  ): KubeObject {
    const after = structuredClone(live);
    const mine = this.#ownersOf(live).find((other) => sameAuthor(other, author));
    for (const path of mine?.paths ?? []) {
      if (!leaves.has(path) && !others.some((other) => other.paths.has(path))) deleteLeaf(after, path);
    }
    for (const [path, value] of leaves) setLeaf(after, path, structuredClone(value));
    const left = others.filter((other) => other.paths.size > 0);
    const own = leaves.size > 0 ? [{ ...author, paths: new Set(leaves.keys()) }] : [];
    this.#owners.set(live.metadata.uid!, [...left, ...own]);
    return this.#store(tableOf(resource), live, after);
  }

  /** @throws {KubeError} 404, or 409 when it is another object or was changed. */
  remove(resource: Pick<Resource, "plural" | "group">, key: string, seen: Preconditions = {}): KubeObject {
    const before = this.get(resource, key);
    checkPreconditions(before, seen);
    if (before.metadata.deletionTimestamp) return before;
    const isNamespace = tableOf(resource) === NAMESPACES;
    if (!isNamespace && !before.metadata.finalizers?.length) return this.#drop(tableOf(resource), before);
    return this.edit(resource, key, (object) => {
      object.metadata.deletionTimestamp = this.#time();
      object.metadata.generation! += 1;
      if (isNamespace) object.status = { ...object.status, phase: "Terminating" };
    });
  }

  /** Every object, with what {@link remove} wants to know of its resource. */
  everything(): { resource: Pick<Resource, "plural" | "group">; object: KubeObject }[] {
    return [...this.#tables].flatMap(([table, objects]) =>
      [...objects.values()].map((object) => ({ resource: splitTable(table), object: this.#shown(object) }))
    );
  }

  /** Takes an object away, whatever it waits for. */
  drop(resource: Pick<Resource, "plural" | "group">, object: KubeObject): void {
    this.#drop(tableOf(resource), object);
  }

  #table(name: string): Map<string, KubeObject> {
    const table = this.#tables.get(name) ?? new Map<string, KubeObject>();
    this.#tables.set(name, table);
    return table;
  }

  /** A copy, with the authors of its fields. */
  #shown(object: KubeObject): KubeObject {
    const managedFields = this.#ownersOf(object).map(({ paths: _paths, ...author }) => author);
    return structuredClone({ ...object, metadata: { ...object.metadata, managedFields } });
  }

  #ownersOf(object: KubeObject): Ownership[] {
    return this.#owners.get(object.metadata.uid!) ?? [];
  }

  #own(object: KubeObject, author: Author, paths: Set<string>): void {
    if (paths.size === 0) return;
    const owners = this.#ownersOf(object);
    const known = owners.find((owner) => sameAuthor(owner, author));
    if (known) { for (const path of paths) known.paths.add(path); }
    else this.#owners.set(object.metadata.uid!, [...owners, { ...author, paths }]);
  }

  #store(table: string, before: KubeObject | undefined, wanted: KubeObject): KubeObject {
    const after = bare(wanted);
    const stored = before && bare(before);
    if (stored && sameValue(stored, after)) return this.#shown(stored);
    if (stored && !sameValue(withoutMeta(stored), withoutMeta(after))) after.metadata.generation! += 1;
    const isReleased = after.metadata.deletionTimestamp && !after.metadata.finalizers?.length && table !== NAMESPACES;
    if (isReleased) return this.#drop(table, after);
    after.metadata.resourceVersion = String(++this.#version);
    this.#table(table).set(keyOf(after), after);
    this.#tell({ version: this.#version, resource: table, before: stored, after });
    return this.#shown(after);
  }

  #drop(table: string, object: KubeObject): KubeObject {
    const last = bare(object);
    this.#table(table).delete(keyOf(last));
    this.#tell({ version: ++this.#version, resource: table, before: last });
    return last;
  }

  #tell(event: StoreEvent): void {
    this.#history.push(structuredClone(event));
    for (const listener of [...this.#listeners]) listener(structuredClone(event));
  }

  #checkNamespace(name: string | undefined): void {
    if (name === undefined) return;
    const namespace = this.get(NAMESPACE, name);
    if (!namespace.metadata.deletionTimestamp) return;
    throw new KubeError(403, "Forbidden", `namespace ${name} is being terminated`);
  }

  #time(): string {
    return new Date(Math.floor(this.#now() / 1000) * 1000).toISOString().replace(".000Z", "Z");
  }
}

function splitTable(table: string): { plural: string; group: string } {
  const dot = table.indexOf(".");
  return { plural: table.slice(0, dot), group: table.slice(dot + 1) };
}
