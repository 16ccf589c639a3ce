/**
 * Finds rendered objects that use what stands in the environment's namespace for Maquette alone: the account that deploys,
 * logins of builds, a certificate that others share. Pure.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";
import { groupOf, isRecord, podSpecOf } from "./pod_templates.ts";

/** `kind/name` of what nothing that is deployed may use, and what to do instead. */
export type KeptApart = ReadonlyMap<string, string>;

/** Fields of which each holds the name of a Secret, or an object with it. */
const SECRET_FIELDS: ReadonlySet<string> = new Set([
  ...["secret", "secretName", "secretRef", "secretKeyRef", "nodePublishSecretRef"],
]);
const TOKEN_TYPE = "kubernetes.io/service-account-token";
const TOKEN_OF = "kubernetes.io/service-account.name";

/** What is wrong with an object, in words. */
export function usesOf(object: KubeObject, apart: KeptApart): string[] {
  return [...accountsOf(object), ...secretsOf(object)].flatMap((title) => {
    const instead = apart.get(title);
    const [kind, name] = title.split("/");
    return instead === undefined ? [] : [`it uses ${kind} "${name}", which is there for Maquette alone: ${instead}`];
  });
}

/** Whom its Pods run as, and whose token it would hold. */
function accountsOf(object: KubeObject): Set<string> {
  const { serviceAccountName, serviceAccount } = podSpecOf(object) ?? {};
  const isToken = isCore(object, "Secret") && object.type === TOKEN_TYPE;
  const tokenOf = isToken ? object.metadata.annotations?.[TOKEN_OF] : undefined;
  return titles("ServiceAccount", [serviceAccountName, serviceAccount, tokenOf]);
}

/** Secrets that its Pods, or those of the account that it is, see or are pulled with. */
function secretsOf(object: KubeObject): Set<string> {
  const names = isCore(object, "ServiceAccount")
    ? [object.secrets, object.imagePullSecrets].flatMap(named)
    : secretsIn(podSpecOf(object));
  return titles("Secret", names);
}

/** At any depth: kinds of volumes differ in where they name one. */
function secretsIn(value: unknown): unknown[] {
  if (Array.isArray(value)) return value.flatMap(secretsIn);
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([field, member]) => [
    ...(SECRET_FIELDS.has(field) ? [isRecord(member) ? member.name : member] : []),
    ...(field === "imagePullSecrets" ? named(member) : []),
    ...secretsIn(member),
  ]);
}

function isCore(object: KubeObject, kind: string): boolean {
  return object.kind === kind && groupOf(object) === "";
}

function named(list: unknown): unknown[] {
  return Array.isArray(list) ? list.filter(isRecord).map(({ name }) => name) : [];
}

function titles(kind: string, names: readonly unknown[]): Set<string> {
  return new Set(names.filter((name) => typeof name === "string").map((name) => `${kind}/${name}`));
}
