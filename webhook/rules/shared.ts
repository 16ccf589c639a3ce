/**
 * Rules on metadata and fields that several kinds have. Pure.
 *
 * @module
 */
import { ANNOTATION_PAUSED, FINALIZER } from "../../lib/api/names.ts";
import type { KubeObject } from "../../lib/api/object.ts";
import { fieldPath } from "../../lib/api/schema.ts";
import { type Change, isFieldChanged, newAnnotation, specOf } from "./admission_rules.ts";

/** Below it only root may listen, in most container runtimes. */
const FIRST_UNPRIVILEGED_PORT = 1024;

/**
 * The object with our finalizer, so that the operator need not add it with a write of its own.
 *
 * For creation only: on an update it could bring back a finalizer that the operator is about to take away.
 */
export function withFinalizer(object: KubeObject): KubeObject {
  const finalizers = object.metadata.finalizers ?? [];
  if (finalizers.includes(FINALIZER)) return object;
  return { ...object, metadata: { ...object.metadata, finalizers: [...finalizers, FINALIZER] } };
}

/** The object with these labels where it has none of the name; what is written stays. */
export function withLabels(object: KubeObject, labels: Readonly<Record<string, string>>): KubeObject {
  const written = object.metadata.labels ?? {};
  const missing = Object.entries(labels).filter(([name]) => !written[name]);
  if (missing.length === 0) return object;
  const all = { ...written, ...Object.fromEntries(missing) };
  return { ...object, metadata: { ...object.metadata, labels: all } };
}

/** Path of an annotation, as Kubernetes writes it. */
export function annotationPath(name: string): string {
  return fieldPath(["metadata", "annotations", name]);
}

/** `maquette.dev/paused` has two values; any other reads as if it paused, and does not. */
export function pauseWarnings(change: Change): string[] {
  const value = newAnnotation(change, ANNOTATION_PAUSED);
  if (value === undefined || value === "true" || value === "false") return [];
  const shown = JSON.stringify(value.slice(0, 40));
  return [`${annotationPath(ANNOTATION_PAUSED)}: ${shown} is neither "true" nor "false": nothing is paused`];
}

/** `spec.port` is one that few images can listen on. */
export function portWarnings(change: Change): string[] {
  const { port } = specOf(change.object);
  if (typeof port !== "number" || port >= FIRST_UNPRIVILEGED_PORT || !isFieldChanged(change, "port")) return [];
  return [`spec.port: An image that does not run as root cannot listen on ports below 1024: ${port}`];
}
