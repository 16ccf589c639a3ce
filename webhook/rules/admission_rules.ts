/**
 * What a kind's admission rules are: pure functions over one change, with everything they look up handed in.
 *
 * @module
 */
import { isDeepStrictEqual } from "node:util";
import type { KindDefinition } from "../../lib/api/kind.ts";
import type { KubeObject } from "../../lib/api/object.ts";
import type { Project } from "../../lib/api/project.ts";
import { isObject } from "../../lib/api/schema.ts";
import type { Problem } from "../../lib/api/validate.ts";
import type { ImagePolicy } from "../../lib/image/policy.ts";
import type { ImageReference } from "../../lib/image/reference.ts";

/** What the operator's configuration says about admission. */
export interface AdmissionConfig extends ImagePolicy {
  /** TTL of an environment that names none, in seconds; 0 is none. */
  defaultTtlSeconds: number;
  /** Longest TTL, in seconds; 0 is no limit. */
  maxTtlSeconds: number;
  /** Namespaces that no object may claim, beyond `default`, `kube-*` and the operator's own; `*` ends a prefix. */
  reservedNamespaces: readonly string[];
  /** Where the operator itself runs. */
  operatorNamespace: string;
  /** What the hosts of all kinds end with, unless a person wrote another one. */
  domain: string;
}

/** The object that holds a namespace or a host. */
export interface NamespaceOwner {
  kind: string;
  /** `namespace/name`. */
  key: string;
  uid: string;
}

/** Projects and Environments, as far as they are known: a cache may be a moment behind. */
export interface Tenants {
  /** The Project of this key (`namespace/name`); undefined when none is known. */
  project(key: string): Project | undefined;
  /** Whether an Environment lives in a namespace that was made for an environment. */
  isNested(environment: KubeObject): boolean;
  /** Environments that may use the Project of this key, mean it, and are not on their way out, the oldest first. */
  environmentsOf(key: string): readonly KubeObject[];
}

/** Where nothing is known of other objects. */
export const NO_TENANTS: Tenants = Object.freeze({
  project: () => undefined,
  isNested: () => false,
  environmentsOf: () => [],
});

/** What rules look up. */
export interface AdmissionContext {
  config: AdmissionConfig;
  tenants: Tenants;
  /** The first object whose target is this namespace. It may be the one that is judged. */
  ownerOf(namespace: string): NamespaceOwner | undefined;
  /** The first object that has this host. It may be the one that is judged. */
  holderOf(host: string): NamespaceOwner | undefined;
  /** Milliseconds since the Unix epoch. */
  now(): number;
}

/** An object as it is to be, and as it is. Of any shape where the schema has not been asked. */
export interface Change {
  object: KubeObject;
  /** Undefined at creation. */
  old?: KubeObject;
}

/** A changed object, and what the person who sent it should know of the change. */
export interface Mutation {
  object: KubeObject;
  warnings: string[];
}

/** An image that is to run, and the field that it stands in. */
export interface ImageUse {
  field: string;
  reference: ImageReference;
  /** Whether the object names credentials that the operator does not have. */
  isPrivate: boolean;
}

/** The rules of one kind. None of them throws, whatever shape the object has. */
export interface AdmissionRules {
  readonly kind: KindDefinition;
  /** Fills in and caps. Asked only where the spec is new or changed; repeating it changes nothing. */
  mutate(change: Change, context: AdmissionContext): Mutation;
  /** What the spec breaks beyond the schema. Asked only where the spec is new or changed. */
  specProblems(change: Change, context: AdmissionContext): Problem[];
  /** What annotations and labels break, where they are written anew. */
  metadataProblems(change: Change, context: AdmissionContext): Problem[];
  /** What is legal but unwise, where it is written anew. */
  warnings(change: Change, context: AdmissionContext): string[];
  /** Images that are written anew and break no rule: an optional look at the registry follows. */
  newImages(change: Change, context: AdmissionContext): ImageUse[];
}

/** `spec` of an object of any shape; empty when it has none. */
export function specOf(object: KubeObject | undefined): Readonly<Record<string, unknown>> {
  return isObject(object?.spec) ? object.spec : {};
}

/** Whether the spec is new or differs from what is stored. */
export function isSpecChanged({ object, old }: Change): boolean {
  return old === undefined || !isDeepStrictEqual(object.spec, old.spec);
}

/** Whether one of these fields of the spec is new or differs from what is stored. */
export function isFieldChanged({ object, old }: Change, ...fields: string[]): boolean {
  const [spec, before] = [specOf(object), specOf(old)];
  return old === undefined || fields.some((field) => !isDeepStrictEqual(spec[field], before[field]));
}

/** The value of an annotation that this change writes; undefined when it is absent or was there before. */
export function newAnnotation({ object, old }: Change, name: string): string | undefined {
  const value = object.metadata.annotations?.[name];
  return value === old?.metadata.annotations?.[name] ? undefined : value;
}
