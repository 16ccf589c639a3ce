/**
 * Where Pods are described in rendered objects. Pure.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";

/** A container, read field by field. */
export interface Container {
  name?: string;
  image?: string;
  env?: { name: string; [field: string]: unknown }[];
  // deno-lint-ignore no-explicit-any
  [field: string]: any;
}

/** `spec` of a Pod. */
export interface PodSpec {
  containers?: Container[];
  initContainers?: Container[];
  // deno-lint-ignore no-explicit-any
  [field: string]: any;
}

/** Kinds that have Pods, by group; of each the path to the Pod's `spec`. */
const PATHS: Readonly<Record<string, readonly string[]>> = {
  "/Pod": ["spec"],
  "/ReplicationController": ["spec", "template", "spec"],
  "apps/DaemonSet": ["spec", "template", "spec"],
  "apps/Deployment": ["spec", "template", "spec"],
  "apps/ReplicaSet": ["spec", "template", "spec"],
  "apps/StatefulSet": ["spec", "template", "spec"],
  "batch/CronJob": ["spec", "jobTemplate", "spec", "template", "spec"],
  "batch/Job": ["spec", "template", "spec"],
};

/** API group of an object; `""` for the core group. */
export function groupOf({ apiVersion }: Pick<KubeObject, "apiVersion">): string {
  const slash = apiVersion.indexOf("/");
  return slash < 0 ? "" : apiVersion.slice(0, slash);
}

/** `Deployment/web`: what messages call an object. */
export function titleOf({ kind, metadata }: Pick<KubeObject, "kind" | "metadata">): string {
  return `${kind}/${metadata.name}`;
}

/** The Pod's `spec` in an object of a built-in kind; `undefined` where there is none. */
export function podSpecOf(object: KubeObject): PodSpec | undefined {
  let found: unknown = object;
  for (const key of PATHS[`${groupOf(object)}/${object.kind}`] ?? [undefined]) {
    found = key !== undefined && isRecord(found) ? found[key] : undefined;
  }
  return isRecord(found) ? found : undefined;
}

/** All containers of a Pod, those that only start it first. What is no container is left out. */
export function containersOf(spec: PodSpec): Container[] {
  return [spec.initContainers, spec.containers].flatMap((list) => Array.isArray(list) ? list.filter(isRecord) : []);
}

/** Whether a value has fields. Rendered objects may have anything anywhere. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
