/**
 * Secrets that are copied into an environment and kept in step: those that the Project names, and the wildcard
 * certificate. Pure.
 *
 * @module
 */
import type { Project } from "../../api/project.ts";
import type { EnvironmentSettings } from "./settings.ts";

/** A Secret to copy, and where the Project names it. */
export interface SecretSource {
  namespace: string;
  name: string;
  /** For people: `secrets`, `build.pushSecretRef`, or the option that names the wildcard certificate. */
  namedBy: string;
}

/** `<namespace>/<name>`: how a cache names it. */
export function sourceKey({ namespace, name }: Pick<SecretSource, "namespace" | "name">): string {
  return `${namespace}/${name}`;
}

/** Everything that is copied, each name once: two Secrets of one name cannot be in one namespace. */
export function secretSources(project: Project, { tls, operatorNamespace }: EnvironmentSettings): SecretSource[] {
  const wildcard = tls.mode === "wildcard"
    ? [{ namespace: operatorNamespace, name: tls.secret, namedBy: "--wildcard-secret" }]
    : [];
  const byName = new Map<string, SecretSource>();
  for (const source of [...wildcard, ...projectSecrets(project)]) {
    if (!byName.has(source.name)) byName.set(source.name, source);
  }
  return [...byName.values()];
}

/** What the Project names, as it names it. */
export function projectSecrets({ metadata, spec }: Project): SecretSource[] {
  const { namespace = "default" } = metadata;
  const push = spec.build?.pushSecretRef;
  return [
    ...(spec.secrets ?? []).map((name) => ({ namespace, name, namedBy: "secrets" })),
    ...(push ? [{ namespace, name: push.name, namedBy: "build.pushSecretRef" }] : []),
  ];
}

/** {@link sourceKey} of all Secrets that matter, those that only the operator reads among them; each once. */
export function secretKeys(project: Project, settings: EnvironmentSettings): string[] {
  const { namespace = "default" } = project.metadata;
  const login = project.spec.source.secretRef;
  const keys = secretSources(project, settings).map(sourceKey);
  return [...new Set([...keys, ...(login ? [sourceKey({ namespace, name: login.name })] : [])])];
}
