/**
 * What the operator may do: the sum of what each controller declares and of what the runtime needs, and nothing else.
 * Pure.
 *
 * @module
 */
import type { KubeObject } from "../../lib/api/object.ts";
import { KINDS } from "../../lib/api/registry.ts";
import type { Config } from "../../lib/config.ts";
import type { Permission } from "../../lib/runtime/definition.ts";
import { CONFIGURATION_NAME } from "../../webhook/configuration.ts";
import { certificateSecret } from "./certificates.ts";

/** Name of the ServiceAccount, the roles and their bindings. */
export const ACCOUNT = "maquette";

const RBAC = "rbac.authorization.k8s.io/v1";
const VERBS = ["get", "list", "watch", "create", "update", "patch", "delete", "bind", "impersonate"];

interface Rule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
  resourceNames?: string[];
}

/** Rules with the verbs of equal resources united, and resources of equal verbs together. */
export function mergedRules(permissions: readonly Permission[]): Rule[] {
  const verbsOf = new Map<string, Set<string>>();
  for (const { groups, resources, verbs, resourceNames = [] } of permissions) {
    for (const group of groups) {
      for (const resource of resources) {
        const key = `${group}/${resource} ${resourceNames.join(" ")}`.trim();
        verbsOf.set(key, (verbsOf.get(key) ?? new Set()).union(new Set(verbs)));
      }
    }
  }
  const rules = new Map<string, Rule>();
  for (const [key, verbs] of [...verbsOf].sort(([a], [b]) => a < b ? -1 : 1)) {
    const slash = key.indexOf("/");
    const group = key.slice(0, slash);
    const [resource = "", ...resourceNames] = key.slice(slash + 1).split(" ");
    const ordered = VERBS.filter((verb) => verbs.has(verb));
    const id = `${group}:${ordered}:${resourceNames}`;
    const named = resourceNames.length > 0 ? { resourceNames } : {};
    const rule = rules.get(id) ?? { apiGroups: [group], resources: [], ...named, verbs: ordered };
    rule.resources.push(resource);
    rules.set(id, rule);
  }
  return [...rules.values()];
}

/** ServiceAccount, roles and bindings of the operator, and roles for people. */
export function rbacObjects(config: Config, permissions: readonly Permission[]): KubeObject[] {
  const { namespace } = config;
  const [own, everywhere] = [true, false].map((isOwn) =>
    permissions.filter(({ isOwnNamespace = false }) => isOwnNamespace === isOwn)
  );
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: ACCOUNT, namespace } },
    { apiVersion: RBAC, kind: "ClusterRole", metadata: { name: ACCOUNT }, rules: clusterRules(config, everywhere!) },
    bound("ClusterRole", namespace),
    { apiVersion: RBAC, kind: "Role", metadata: { name: ACCOUNT, namespace }, rules: ownNamespaceRules(config, own!) },
    bound("Role", namespace),
    peopleRole("view", ["view", "edit", "admin"], ["get", "list", "watch"]),
    peopleRole("edit", ["edit", "admin"], ["create", "update", "patch", "delete"]),
  ];
}

function clusterRules(config: Config, permissions: readonly Permission[]): Rule[] {
  const merged = mergedRules([
    ...permissions,
    { groups: ["events.k8s.io"], resources: ["events"], verbs: ["create", "patch"] },
  ]);
  if (!makesCertificates(config)) return merged;
  return [
    ...merged,
    {
      apiGroups: ["admissionregistration.k8s.io"],
      resources: ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"],
      resourceNames: [CONFIGURATION_NAME],
      verbs: ["get", "list", "watch", "patch"],
    },
  ];
}

/** Creation cannot be limited to a name; everything else is. */
function ownNamespaceRules(config: Config, permissions: readonly Permission[]): Rule[] {
  const leases = { apiGroups: ["coordination.k8s.io"], resources: ["leases"] };
  return [
    { ...leases, verbs: ["create"] },
    { ...leases, resourceNames: [ACCOUNT], verbs: ["get", "list", "watch", "update"] },
    ...(config.leaderElection ? [fenceRule(config)] : []),
    ...(config.webhook ? certificateRules(config) : []),
    ...mergedRules(permissions),
  ];
}

/** To say who leads. */
function fenceRule({ namespace }: Config): Rule {
  return { apiGroups: [""], resources: ["namespaces"], resourceNames: [namespace], verbs: ["get", "patch"] };
}

function certificateRules(config: Config): Rule[] {
  const secrets = { apiGroups: [""], resources: ["secrets"] };
  const one = { ...secrets, resourceNames: [certificateSecret(config)] };
  if (!makesCertificates(config)) return [{ ...one, verbs: ["get", "list", "watch"] }];
  return [{ ...secrets, verbs: ["create"] }, { ...one, verbs: ["get", "list", "watch", "update"] }];
}

/** Whoever makes them also writes `caBundle`. */
function makesCertificates({ webhook, webhookCertificates }: Config): boolean {
  return webhook && webhookCertificates === "own";
}

function bound(kind: "ClusterRole" | "Role", namespace: string): KubeObject {
  return {
    apiVersion: RBAC,
    kind: `${kind}Binding`,
    metadata: kind === "Role" ? { name: ACCOUNT, namespace } : { name: ACCOUNT },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind, name: ACCOUNT },
    subjects: [{ kind: "ServiceAccount", name: ACCOUNT, namespace }],
  };
}

/** Joins the cluster's own roles of the same meaning. */
function peopleRole(name: string, aggregatedTo: string[], verbs: string[]): KubeObject {
  const groups = [...new Set(KINDS.map(({ resource }) => resource.group))];
  return {
    apiVersion: RBAC,
    kind: "ClusterRole",
    metadata: {
      name: `${ACCOUNT}-${name}`,
      labels: Object.fromEntries(
        aggregatedTo.map((role) => [`rbac.authorization.k8s.io/aggregate-to-${role}`, "true"]),
      ),
    },
    rules: groups.map((group) => ({
      apiGroups: [group],
      resources: KINDS.filter(({ resource }) => resource.group === group).map(({ resource }) => resource.plural),
      verbs,
    })),
  };
}
