/**
 * Secrets and ConfigMaps that an environment uses. They live beside the PreviewEnvironment (or, the wildcard
 * certificate, beside the operator) and are copied into the environment's namespace and kept in step. Pure.
 *
 * @module
 */
import type { PreviewEnvironment } from "../../api/preview_environment.ts";
import type { PreviewSettings } from "./settings.ts";

/** Something to copy. */
export interface SourceRef {
  kind: "Secret" | "ConfigMap";
  namespace: string;
  name: string;
  /** The environment can do without. */
  isOptional: boolean;
}

/** `<Kind> <namespace>/<name>` */
export function sourceKey({ kind, namespace, name }: Pick<SourceRef, "kind" | "namespace" | "name">): string {
  return `${kind} ${namespace}/${name}`;
}

/** Everything that is copied for an environment, each once. */
export function sourcesOf(owner: PreviewEnvironment, settings: PreviewSettings): SourceRef[] {
  const { tls, operatorNamespace: namespace } = settings;
  const wildcard: SourceRef[] = tls.mode === "wildcard"
    ? [{ kind: "Secret", namespace, name: tls.secret, isOptional: false }]
    : [];
  return [...wildcard, ...usedSources(owner)];
}

/** What the spec names, each once; needed by one use is needed. */
export function usedSources(owner: PreviewEnvironment): SourceRef[] {
  const { env = [], env_from: envFrom = [], image_pull_secrets: pullSecrets = [] } = owner.spec;
  const namespace = owner.metadata.namespace ?? "default";
  const byKey = new Map<string, SourceRef>();
  const add = (kind: SourceRef["kind"], ref: { name: string; optional?: boolean } | undefined): void => {
    if (!ref) return;
    const source = { kind, namespace, name: ref.name, isOptional: ref.optional ?? false };
    const known = byKey.get(sourceKey(source));
    byKey.set(sourceKey(source), { ...source, isOptional: source.isOptional && (known?.isOptional ?? true) });
  };
  for (const { valueFrom } of env) {
    add("Secret", valueFrom?.secretKeyRef);
    add("ConfigMap", valueFrom?.configMapKeyRef);
  }
  for (const { secretRef, configMapRef } of envFrom) {
    add("Secret", secretRef);
    add("ConfigMap", configMapRef);
  }
  for (const ref of pullSecrets) add("Secret", ref);
  return [...byKey.values()];
}
