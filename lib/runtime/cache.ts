/**
 * What a watch has shown of one resource, with look-ups by owner and by indexes of the user's own.
 *
 * Guarantees: an object never goes back to an older version; an object that is gone does not come back by a late answer
 * to our own write; what we wrote is seen by the next look.
 *
 * @module
 */
import { LABEL_OWNER_UID } from "../api/names.ts";
import { keyOf, type KubeObject } from "../api/object.ts";
import { sameJson } from "./status.ts";
import { isNewer } from "./version.ts";

/** What changed; `old` is what the cache held before. */
export interface Change {
  type: "ADDED" | "MODIFIED" | "DELETED";
  object: KubeObject;
  old?: KubeObject;
  /** A write of this process, known from its answer. */
  isOwn?: boolean;
}

/** Whether another version has come with nothing new in it. @param reads What of an object counts. */
export function isNoNews({ object, old }: Change, reads = (whole: KubeObject): KubeObject => whole): boolean {
  if (!old || object === old) return false;
  const [now, before] = [reads(object), reads(old)].map((
    { metadata: { resourceVersion: _, ...metadata }, ...rest },
  ) => ({
    ...rest,
    metadata,
  }));
  return sameJson(now, before);
}

/** The reading side of a {@link Cache}: what controllers and the webhook get. */
export interface Lister {
  get(key: string): KubeObject | undefined;
  values(): Iterable<KubeObject>;
  readonly size: number;
  /** Objects that carry this uid in the label `maquette.dev/owner-uid`. */
  ownedBy(uid: string): KubeObject[];
  /** Objects of one value of an index made by {@link Cache.addIndex}. */
  indexed(index: string, value: string): KubeObject[];
}

/** Gives the values under which an object is found. */
export type IndexFunction = (object: KubeObject) => string[];

const BY_OWNER = "owner-uid";
/** Deletions that are remembered, so that a late answer to a write does not bring the object back. */
const TOMBSTONES = 10_000;

/** Objects by {@link keyOf}. */
export class Cache implements Lister {
  readonly #objects = new Map<string, KubeObject>();
  readonly #indexes = new Map<string, { of: IndexFunction; entries: Map<string, Set<string>> }>();
  readonly #tombstones = new Map<string, string>();

  constructor() {
    this.addIndex(BY_OWNER, (object) => {
      const uid = object.metadata.labels?.[LABEL_OWNER_UID];
      return uid ? [uid] : [];
    });
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): KubeObject | undefined {
    return this.#objects.get(key);
  }

  keys(): Iterable<string> {
    return this.#objects.keys();
  }

  values(): Iterable<KubeObject> {
    return this.#objects.values();
  }

  ownedBy(uid: string): KubeObject[] {
    return this.indexed(BY_OWNER, uid);
  }

  indexed(index: string, value: string): KubeObject[] {
    const keys = this.#indexes.get(index)?.entries.get(value);
    return keys ? [...keys].map((key) => this.#objects.get(key)!) : [];
  }

  /** Adds an index; objects that are there already are taken in. */
  addIndex(name: string, of: IndexFunction): void {
    const entries = new Map<string, Set<string>>();
    this.#indexes.set(name, { of, entries });
    for (const [key, object] of this.#objects) enter(entries, of(object), key);
  }

  /**
   * Takes in an object that the API server showed.
   *
   * @returns The change, or nothing when it is no newer than what is known.
   * @throws What an index throws; then nothing has changed.
   */
  put(object: KubeObject): Change | undefined {
    const key = keyOf(object);
    const old = this.#objects.get(key);
    const known = old?.metadata.resourceVersion ?? this.#tombstones.get(key);
    if (known !== undefined && !isNewer(object.metadata.resourceVersion, known)) return undefined;
    // Asked first: an index that throws must not leave the object half in.
    const values = [...this.#indexes.values()].map(({ of, entries }) => ({ entries, values: of(object) }));
    this.#tombstones.delete(key);
    if (old) this.#leave(key, old);
    this.#objects.set(key, object);
    for (const index of values) enter(index.entries, index.values, key);
    return { type: old ? "MODIFIED" : "ADDED", object, old };
  }

  /**
   * Takes out an object.
   *
   * @param version Resource version of its deletion.
   * @returns The change, or nothing when it was not there or is newer than the deletion.
   */
  remove(key: string, version: string | undefined): Change | undefined {
    const old = this.#objects.get(key);
    if (old && isNewer(old.metadata.resourceVersion, version)) return undefined;
    if (version) this.#remember(key, version);
    if (!old) return undefined;
    this.#leave(key, old);
    this.#objects.delete(key);
    return { type: "DELETED", object: old, old };
  }

  #remember(key: string, version: string): void {
    this.#tombstones.delete(key);
    this.#tombstones.set(key, version);
    if (this.#tombstones.size > TOMBSTONES) this.#tombstones.delete(this.#tombstones.keys().next().value!);
  }

  #leave(key: string, object: KubeObject): void {
    for (const { of, entries } of this.#indexes.values()) {
      for (const value of of(object)) {
        const keys = entries.get(value);
        keys?.delete(key);
        if (keys?.size === 0) entries.delete(value);
      }
    }
  }
}

function enter(entries: Map<string, Set<string>>, values: string[], key: string): void {
  for (const value of values) {
    const keys = entries.get(value);
    if (keys) keys.add(key);
    else entries.set(value, new Set([key]));
  }
}
