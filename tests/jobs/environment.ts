/**
 * The environment, command and arguments of a container, as a kubelet puts them together.
 *
 * @module
 */
import type { KubeObject } from "../../lib/api/object.ts";
import { contentOf, MissingSource, type VolumeSources } from "./volumes.ts";

/** A container as it stands in a Pod's spec; the fields that are played. */
export interface Container {
  name: string;
  image: string;
  command?: string[];
  args?: string[];
  workingDir?: string;
  env?: Variable[];
  envFrom?: VariableSource[];
  volumeMounts?: { name: string; mountPath: string; subPath?: string; readOnly?: boolean }[];
  securityContext?: { runAsUser?: number; runAsGroup?: number };
  terminationMessagePath?: string;
  terminationMessagePolicy?: string;
}

interface KeyRef {
  name: string;
  key: string;
  optional?: boolean;
}

interface Variable {
  name: string;
  value?: string;
  valueFrom?: { secretKeyRef?: KeyRef; configMapKeyRef?: KeyRef; fieldRef?: { fieldPath: string } };
}

interface VariableSource {
  prefix?: string;
  secretRef?: { name: string; optional?: boolean };
  configMapRef?: { name: string; optional?: boolean };
}

/** Resolves the variables. @throws {MissingSource} */
export async function environmentOf(
  container: Container,
  pod: KubeObject,
  kube: VolumeSources["kube"],
): Promise<Record<string, string>> {
  const { namespace = "default" } = pod.metadata;
  const env: Record<string, string> = {};
  for (const { prefix = "", secretRef, configMapRef } of container.envFrom ?? []) {
    const content = await contentOf(secretRef ? "Secret" : "ConfigMap", {
      ...(secretRef ?? configMapRef)!,
      namespace,
    }, kube);
    for (const [key, bytes] of Object.entries(content ?? {})) env[prefix + key] = new TextDecoder().decode(bytes);
  }
  for (const { name, value = "", valueFrom } of container.env ?? []) {
    const found = valueFrom ? await valueOf(valueFrom, pod, kube) : expanded(value, env);
    if (found !== undefined) env[name] = found;
  }
  return env;
}

async function valueOf(
  { secretKeyRef, configMapKeyRef, fieldRef }: NonNullable<Variable["valueFrom"]>,
  pod: KubeObject,
  kube: VolumeSources["kube"],
): Promise<string | undefined> {
  if (fieldRef) return fieldOf(pod, fieldRef.fieldPath);
  const { namespace = "default" } = pod.metadata;
  const [kind, ref] = secretKeyRef ? ["Secret" as const, secretKeyRef] : ["ConfigMap" as const, configMapKeyRef!];
  const content = await contentOf(kind, { namespace, name: ref.name, optional: ref.optional }, kube);
  const bytes = content?.[ref.key];
  if (!bytes && !ref.optional) {
    throw new MissingSource(`couldn't find key ${ref.key} in ${kind} ${namespace}/${ref.name}`);
  }
  return bytes && new TextDecoder().decode(bytes);
}

/** `metadata.name`, or one label or annotation. */
function fieldOf(pod: KubeObject, path: string): string {
  const [, group, key] = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path) ?? [];
  if (group) return (pod.metadata as unknown as Record<string, Record<string, string>>)[group]?.[key!] ?? "";
  // deno-lint-ignore no-explicit-any
  return String(path.split(".").reduce((value: any, name) => value?.[name], pod) ?? "");
}

/** `$(NAME)` becomes the variable's value where there is one, `$$` a dollar. */
export function expanded(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(/\$(?:\$|\(([-._a-zA-Z][-._a-zA-Z0-9]*)\))/g, (found, name?: string) => {
    if (name === undefined) return "$";
    return Object.hasOwn(env, name) ? env[name]! : found;
  });
}
