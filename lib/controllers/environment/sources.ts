/**
 * Secrets that are copied into an environment and kept in step: those that the Project names, and the wildcard
 * certificate; and which of them are not for what is deployed. Pure.
 *
 * @module
 */
import type { Project } from "../../api/project.ts";
import type { KeptApart } from "../../render/kept_apart.ts";
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

/** Copies that are there for builds and for the way in. What `secrets` of the Project lists is the application's, too. */
export function secretsApart({ spec }: Project, { tls }: EnvironmentSettings): KeptApart {
  const logins = spec.build ? [spec.build.pushSecretRef?.name, spec.source.secretRef?.name] : [];
  const forBuilds = "list it in `secrets` of the Project if the application is to have it";
  const wildcard = tls.mode === "wildcard" ? [[tls.secret, "TLS ends at the Ingress"]] as const : [];
  const all = [...logins.map((name) => [name, forBuilds] as const), ...wildcard];
  return new Map(
    all.filter(([name]) => name !== undefined && !spec.secrets?.includes(name))
      .map(([name, instead]) => [`Secret/${name}`, instead]),
  );
}
