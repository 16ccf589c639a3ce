/**
 * Finds Maquette's own marks on rendered objects. By them it knows what is whose child, which Job is a build and which
 * one a hook: a chart that sets them could pass for any of these. Pure.
 *
 * @module
 */
import { ANNOTATION_PRUNE, LABEL_MANAGED_BY, MANAGED_BY, OWN_PREFIX } from "../api/names.ts";
import type { KubeObject } from "../api/object.ts";
import { isRecord } from "./pod_templates.ts";

/** Whether a key is a mark, by the field that it is in. */
const MARKS: Readonly<Record<string, (key: string, value: unknown) => boolean>> = {
  labels: (key, value) => key.startsWith(OWN_PREFIX) || (key === LABEL_MANAGED_BY && value === MANAGED_BY),
  annotations: (key) => key.startsWith(OWN_PREFIX) && key !== ANNOTATION_PRUNE,
};

/**
 * @returns Paths such as `metadata.labels[maquette.dev/owner-uid]`, at any depth: what is made after a template (Pods,
 * Jobs, claims, and whatever other controllers make) gets its labels.
 */
export function ownMarksOf(object: KubeObject): string[] {
  return marksIn(object, "");
}

function marksIn(value: unknown, path: string): string[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => marksIn(item, `${path}[${index}]`));
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const at = path === "" ? name : `${path}.${name}`;
    return [...marksAmong(name, member, at), ...marksIn(member, at)];
  });
}

function marksAmong(name: string, member: unknown, path: string): string[] {
  const isMark = Object.hasOwn(MARKS, name) ? MARKS[name] : undefined;
  if (!isMark || !isRecord(member)) return [];
  return Object.entries(member).filter(([key, value]) => isMark(key, value)).map(([key]) => `${path}[${key}]`);
}
