/**
 * What the Pods of all applications have in common: what they may do, how their health is asked for, and how the Pods of
 * one template are told from those of another. Pure.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";

/** Tells the Pods of the present template from those of older ones. */
export const TEMPLATE_LABEL = "maquette.dev/template";

/** A Pod template, marked with its own digest. */
export interface PodTemplate {
  metadata: { labels: Record<string, string> };
  spec: Record<string, unknown>;
}

/** Those of the Pods that the template has made and that are not being deleted. */
export function podsOfTemplate(pods: readonly KubeObject[], { metadata: { labels } }: PodTemplate): KubeObject[] {
  return pods.filter(({ metadata }) =>
    metadata.labels?.[TEMPLATE_LABEL] === labels[TEMPLATE_LABEL] && !metadata.deletionTimestamp
  );
}

/** One unavailable Pod is one too many: a new one must be ready before an old one goes. */
export const ROLLING = Object.freeze({
  type: "RollingUpdate",
  rollingUpdate: Object.freeze({ maxSurge: 1, maxUnavailable: 0 }),
});

/** Of a Pod's spec: no token of the API server, no variables of Services, no system calls beyond the usual. */
export const GUARDED_POD = Object.freeze({
  automountServiceAccountToken: false,
  enableServiceLinks: false,
  securityContext: Object.freeze({ seccompProfile: Object.freeze({ type: "RuntimeDefault" }) }),
});

/** Of a container: whatever its image is, it gains no rights. */
export const GUARDED_CONTAINER = Object.freeze({ allowPrivilegeEscalation: false });

/** Of a container where Pod Security's level is "restricted": its image must name another user than root, by number. */
export const RESTRICTED_CONTAINER = Object.freeze({
  ...GUARDED_CONTAINER,
  runAsNonRoot: true,
  capabilities: Object.freeze({ drop: Object.freeze(["ALL"]) }),
});

/** Starting may take two minutes; once started, a dead application is restarted after half of one. */
const TIMES = {
  startup: { periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 60 },
  liveness: { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 },
  readiness: { periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 2 },
};

/** The three probes of an application. @param handler `httpGet` or `tcpSocket`. */
export function probesOf(handler: Record<string, unknown>): Record<string, Record<string, unknown>> {
  return {
    startupProbe: { ...handler, ...TIMES.startup },
    livenessProbe: { ...handler, ...TIMES.liveness },
    readinessProbe: { ...handler, ...TIMES.readiness },
  };
}

/** The API server drops an empty value: kept, a Deployment would never be as it is desired. */
export function withoutEmptyValue<V extends { name: string; value?: string }>(variable: V): V | { name: string } {
  return variable.value === "" ? { name: variable.name } : variable;
}
