/**
 * Marks Pod templates with the content of the Secrets that their Pods use, so that another content rolls them: variables
 * are read when a container starts, and never again. Pure.
 *
 * Jobs and CronJobs are left alone: what has run would run again, and what is to run reads what there is then. So are
 * Pods, which cannot be changed, and Secrets that only pull images.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { ANNOTATION_SECRETS } from "../api/names.ts";
import type { KubeObject } from "../api/object.ts";
import { containersOf, groupOf, isRecord, type PodSpec, podSpecOf } from "./pod_templates.ts";

const ROLLED = new Set(["apps/Deployment", "apps/StatefulSet", "apps/DaemonSet"]);
const DIGEST_LENGTH = 16;

/**
 * @param marks By names of Secrets, what changes with their content and may be shown to anybody. Others do not count.
 * @returns The object with the annotation, where it is one that is rolled and uses any of them; else as it is.
 */
export function withSecretsDigest(object: KubeObject, marks: ReadonlyMap<string, string>): KubeObject {
  const spec = ROLLED.has(`${groupOf(object)}/${object.kind}`) ? podSpecOf(object) : undefined;
  const used = spec ? secretsOf(spec).filter((name) => marks.has(name)) : [];
  if (used.length === 0) return object;
  const copy = structuredClone(object);
  const { template } = copy.spec;
  const metadata = isRecord(template.metadata) ? template.metadata : {};
  const annotations = isRecord(metadata.annotations) ? metadata.annotations : {};
  const digest = digestOf(used.map((name) => [name, marks.get(name)!]));
  template.metadata = { ...metadata, annotations: { ...annotations, [ANNOTATION_SECRETS]: digest } };
  return copy;
}

function digestOf(content: unknown): string {
  return createHash("sha256").update(JSON.stringify(content)).digest("hex").slice(0, DIGEST_LENGTH);
}

/** Names of the Secrets that variables and volumes come from, in order, each once. Rendered Pods may have anything. */
function secretsOf(spec: PodSpec): string[] {
  const names = [
    ...containersOf(spec).flatMap(({ env, envFrom }) => [
      ...records(env).map((variable) => at(variable, "valueFrom", "secretKeyRef", "name")),
      ...records(envFrom).map((source) => at(source, "secretRef", "name")),
    ]),
    ...records(spec.volumes).flatMap((volume) => [
      at(volume, "secret", "secretName"),
      ...records(at(volume, "projected", "sources")).map((source) => at(source, "secret", "name")),
    ]),
  ];
  return [...new Set(names.filter((name) => typeof name === "string"))].sort();
}

function records(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function at(value: unknown, ...path: string[]): unknown {
  return path.reduce((place, name) => isRecord(place) ? place[name] : undefined, value);
}
