/**
 * The built-in API resources that Maquette reads or writes, as data.
 *
 * @module
 */
import type { Resource } from "./object.ts";

function builtin(apiVersion: string, kind: string, plural: string, namespaced = true): Resource {
  const slash = apiVersion.indexOf("/");
  const group = slash < 0 ? "" : apiVersion.slice(0, slash);
  return Object.freeze({ group, version: apiVersion.slice(slash + 1), kind, plural, namespaced });
}

export const NAMESPACE = builtin("v1", "Namespace", "namespaces", false);
export const POD = builtin("v1", "Pod", "pods");
export const SERVICE = builtin("v1", "Service", "services");
export const SECRET = builtin("v1", "Secret", "secrets");
export const CONFIG_MAP = builtin("v1", "ConfigMap", "configmaps");
export const RESOURCE_QUOTA = builtin("v1", "ResourceQuota", "resourcequotas");
export const LIMIT_RANGE = builtin("v1", "LimitRange", "limitranges");
export const SERVICE_ACCOUNT = builtin("v1", "ServiceAccount", "serviceaccounts");
export const ROLE_BINDING = builtin("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings");
export const DEPLOYMENT = builtin("apps/v1", "Deployment", "deployments");
export const JOB = builtin("batch/v1", "Job", "jobs");
export const CRON_JOB = builtin("batch/v1", "CronJob", "cronjobs");
export const CLAIM = builtin("v1", "PersistentVolumeClaim", "persistentvolumeclaims");
export const AUTOSCALER = builtin("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers");
export const DISRUPTION_BUDGET = builtin("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets");
export const INGRESS = builtin("networking.k8s.io/v1", "Ingress", "ingresses");
export const NETWORK_POLICY = builtin("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies");
export const ENDPOINT_SLICE = builtin("discovery.k8s.io/v1", "EndpointSlice", "endpointslices");
export const EVENT = builtin("events.k8s.io/v1", "Event", "events");
export const LEASE = builtin("coordination.k8s.io/v1", "Lease", "leases");
export const VALIDATING_WEBHOOKS = builtin(
  "admissionregistration.k8s.io/v1",
  "ValidatingWebhookConfiguration",
  "validatingwebhookconfigurations",
  false,
);
export const MUTATING_WEBHOOKS = builtin(
  "admissionregistration.k8s.io/v1",
  "MutatingWebhookConfiguration",
  "mutatingwebhookconfigurations",
  false,
);
