/**
 * The kinds that applications are usually made of, as data: the operator watches them by label, whoever made them, so
 * that drift is repaired at once and a look costs nothing. All others are looked at as the environment's ServiceAccount
 * (see observer.ts). A kind belongs here when many applications have it and its permission harms nobody.
 *
 * @module
 */
import type { Resource } from "../api/object.ts";
import {
  AUTOSCALER,
  CLAIM,
  CONFIG_MAP,
  CRON_JOB,
  DEPLOYMENT,
  DISRUPTION_BUDGET,
  INGRESS,
  JOB,
  LIMIT_RANGE,
  NETWORK_POLICY,
  RESOURCE_QUOTA,
  SECRET,
  SERVICE,
} from "../api/resources.ts";
import { withoutContent } from "../runtime/copies.ts";
import type { Permission, WatchNeed } from "../runtime/definition.ts";

function builtin(group: string, kind: string, plural: string): Resource {
  return Object.freeze({ group, version: "v1", kind, plural, namespaced: true });
}

const KINDS: readonly Resource[] = [
  ...[CONFIG_MAP, SECRET, SERVICE, RESOURCE_QUOTA, LIMIT_RANGE],
  builtin("", "ServiceAccount", "serviceaccounts"),
  CLAIM,
  DEPLOYMENT,
  builtin("apps", "StatefulSet", "statefulsets"),
  builtin("apps", "DaemonSet", "daemonsets"),
  JOB,
  CRON_JOB,
  ...[INGRESS, NETWORK_POLICY],
  AUTOSCALER,
  DISRUPTION_BUDGET,
  builtin("rbac.authorization.k8s.io", "Role", "roles"),
  builtin("rbac.authorization.k8s.io", "RoleBinding", "rolebindings"),
];

/** What to watch: among `owns` of the kind that deploys, or `watches`. */
export const DEPLOYED_NEEDS: readonly WatchNeed[] = KINDS.map((resource) => ({
  resource,
  scope: "children",
  ...(resource === SECRET || resource === CONFIG_MAP ? { shape: withoutContent } : {}),
}));

/**
 * What the operator itself needs of the objects of applications: to see them. What it writes it writes as the
 * environment's ServiceAccount, which it must be allowed to `impersonate` by name.
 */
export const DEPLOYED_PERMISSIONS: readonly Permission[] = KINDS.map(({ group, plural }) => ({
  groups: [group],
  resources: [plural],
  verbs: ["list", "watch"],
}));
