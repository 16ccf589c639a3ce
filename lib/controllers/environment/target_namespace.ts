/**
 * The namespace of an environment as one unit: the namespace itself, what it may use, who may talk to it, and who
 * deploys into it. Pure: the same specs give the same objects.
 *
 * @module
 */
import type { Environment } from "../../api/environment.ts";
import { ANNOTATION_HOST } from "../../api/names.ts";
import type { KubeObject } from "../../api/object.ts";
import type { Project } from "../../api/project.ts";
import { environmentNamespace, namespaceLabels } from "../../environment_names.ts";
import { copyOf } from "../../runtime/copies.ts";
import { type Amounts, atMost, DEFAULT_REQUESTS, limitRange } from "../../workload/amounts.ts";
import { defaultDeny, dns, inNamespace, internet, networkPolicy } from "../../workload/network_policy.ts";
import type { EnvironmentSettings } from "./settings.ts";

/** The ServiceAccount that deployments are applied as. */
export const DEPLOYER = "maquette-deployer";
/** The cluster's own role for those who run a namespace: what is deployed can do nothing that it does not allow. */
export const DEPLOYER_ROLE = "admin";

/** Of containers that name no limit of memory. Processor time has none: it is shared by what was asked for. */
const DEFAULT_MEMORY_LIMIT = "512Mi";
/**
 * What Pods with a deadline (builds) may use together, beside the Project's quota: an environment that uses all of its
 * quota could never build what replaces it.
 */
export const BUILD_ROOM: Amounts = Object.freeze({
  pods: "4",
  "requests.cpu": "2",
  "requests.memory": "4Gi",
  "limits.memory": "8Gi",
});
const ALL_PODS = {};

/**
 * Everything of the namespace, itself first.
 *
 * @param given.host With its domain. @param given.secrets What is to be copied into it.
 */
export function targetNamespaceObjects(
  owner: Environment,
  project: Project,
  given: { settings: EnvironmentSettings; host: string; secrets: Iterable<KubeObject> },
): KubeObject[] {
  const namespace = environmentNamespace(owner);
  return [
    namespaceObject(owner, namespace, given.host),
    ...quotas(namespace, project, given.settings),
    limits(namespace, project),
    ...networkPolicies(namespace, given.settings),
    ...deployer(namespace),
    ...[...given.secrets].map((secret) => copyOf(secret, { namespace, name: secret.metadata.name })),
  ];
}

/**
 * Namespaces that may be the environment's: what its deletion looks at, and deletes where they are its own. The one that
 * it was made in comes first, because labels may be gone or others by now.
 */
export function possibleNamespaces(owner: Environment): string[] {
  const made = owner.status?.namespace;
  return [...new Set([...(made ? [made] : []), environmentNamespace(owner)])];
}

/** The host is what the API server holds every Ingress in it to. */
function namespaceObject(owner: Environment, name: string, host: string): KubeObject {
  const labels = {
    ...namespaceLabels(owner),
    "pod-security.kubernetes.io/enforce": "baseline",
    "pod-security.kubernetes.io/warn": "restricted",
  };
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, labels, annotations: { [ANNOTATION_HOST]: host } } };
}

/**
 * What the Project allows, and no way in beside the Ingress. Memory binds by limits, because what is used is gone;
 * processor time by requests, because it is shared by them.
 */
function quotas(namespace: string, project: Project, { tls }: EnvironmentSettings): KubeObject[] {
  // cert-manager's solver has a Service of type NodePort unless its issuer says otherwise.
  const nodePorts = tls.mode === "cert-manager" ? "1" : "0";
  const ways = quota(namespace, "maquette-services", {
    "services.loadbalancers": "0",
    "services.nodeports": nodePorts,
  });
  const hard = quotaOf(project);
  if (Object.keys(hard).length === 0) return [ways];
  // The scopes of a quota cannot change: with and without builds it has another name.
  if (!project.spec.build) return [ways, quota(namespace, "maquette-compute", hard)];
  return [
    ways,
    quota(namespace, "maquette-serving", hard, ["NotTerminating"]),
    quota(namespace, "maquette-builds", BUILD_ROOM, ["Terminating"]),
  ];
}

function quota(namespace: string, name: string, hard: Amounts, scopes?: string[]): KubeObject {
  const spec = { hard, ...(scopes ? { scopes } : {}) };
  return { apiVersion: "v1", kind: "ResourceQuota", metadata: { name, namespace }, spec };
}

function quotaOf({ spec }: Project): Amounts {
  const { cpu, memory } = spec.resources?.defaultQuota ?? {};
  return {
    ...(cpu === undefined ? {} : { "requests.cpu": cpu }),
    ...(memory === undefined ? {} : { "requests.memory": memory, "limits.memory": memory }),
  };
}

/** So that Pods that name nothing start, and one of them always fits the quota. */
function limits(namespace: string, { spec }: Project): KubeObject {
  const { cpu, memory } = spec.resources?.defaultQuota ?? {};
  const ceiling: Amounts = { ...(cpu === undefined ? {} : { cpu }), ...(memory === undefined ? {} : { memory }) };
  const requests = atMost(DEFAULT_REQUESTS, ceiling);
  const bound = memory === undefined ? {} : atMost({ memory: DEFAULT_MEMORY_LIMIT }, ceiling);
  return limitRange({ name: "maquette", namespace }, { requests, limits: bound });
}

/** Apart from everything, but for its own Pods, the ingress controller, DNS and the internet. */
function networkPolicies(namespace: string, settings: EnvironmentSettings): KubeObject[] {
  const inside = [{ podSelector: ALL_PODS }];
  const reachable = settings.reachableRanges.map((cidr) => ({ ipBlock: { cidr } }));
  return [
    networkPolicy(namespace, "maquette-default-deny", defaultDeny()),
    networkPolicy(namespace, "maquette-allow-inside", {
      podSelector: ALL_PODS,
      policyTypes: ["Ingress", "Egress"],
      ingress: [{ from: inside }],
      egress: [{ to: inside }],
    }),
    // On every port: which of them serves is for what is deployed to say.
    networkPolicy(namespace, "maquette-allow-ingress", {
      podSelector: ALL_PODS,
      policyTypes: ["Ingress"],
      ingress: [{ from: [inNamespace(settings.ingressNamespace)] }],
    }),
    networkPolicy(namespace, "maquette-allow-egress", {
      podSelector: ALL_PODS,
      policyTypes: ["Egress"],
      egress: [dns(), internet(settings.clusterRanges), ...(reachable.length > 0 ? [{ to: reachable }] : [])],
    }),
  ];
}

/** Who deploys. No Pod may run as it, and nobody gets its token: the operator impersonates it. */
function deployer(namespace: string): KubeObject[] {
  const metadata = { name: DEPLOYER, namespace };
  const rbac = "rbac.authorization.k8s.io";
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata, automountServiceAccountToken: false },
    {
      apiVersion: `${rbac}/v1`,
      kind: "RoleBinding",
      metadata,
      roleRef: { apiGroup: rbac, kind: "ClusterRole", name: DEPLOYER_ROLE },
      subjects: [{ kind: "ServiceAccount", name: DEPLOYER, namespace }],
    },
  ];
}
