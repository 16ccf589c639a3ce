/**
 * PreviewEnvironments and what the API server shows of their children, for tests.
 *
 * @module
 */
import type { KubeObject } from "../../api/object.ts";
import { PREVIEW_ENVIRONMENT, type PreviewEnvironment } from "../../api/preview_environment.ts";
import { withDefaults } from "../../api/validate.ts";
import { targetNamespace } from "../../preview_names.ts";
import { ownerLabels } from "../../runtime/ownership.ts";
import { desiredObjects, podTemplate } from "./desired.ts";
import type { Seen } from "./gather.ts";
import type { PreviewSettings } from "./settings.ts";

/** When {@link preview} was created. */
export const CREATED = Date.UTC(2026, 0, 1);

/** As an operator without special wishes has them. */
export const SETTINGS: PreviewSettings = {
  domain: "preview.test",
  ingressClass: "nginx",
  ingressNamespace: "ingress-nginx",
  tls: { mode: "cert-manager", clusterIssuer: "letsencrypt" },
  reservedNamespaces: ["reserved-*"],
  operatorNamespace: "maquette-system",
  clusterRanges: ["10.0.0.0/8", "fc00::/7"],
  maxTtlSeconds: 604_800,
  progressDeadlineSeconds: 120,
};

/** A PreviewEnvironment as the API server stores it. @param parts.metadata Over name, namespace, uid, times. */
export function preview(
  spec: Record<string, unknown> = {},
  parts: { metadata?: Partial<KubeObject["metadata"]>; status?: Record<string, unknown> } = {},
): PreviewEnvironment {
  const { resource } = PREVIEW_ENVIRONMENT;
  const object = {
    apiVersion: `${resource.group}/${resource.version}`,
    kind: resource.kind,
    metadata: {
      ...{ name: "shop-7", namespace: "team-a", uid: "uid-of-shop-7", generation: 1 },
      creationTimestamp: new Date(CREATED).toISOString(),
      ...parts.metadata,
    },
    spec: { pr_number: 7, branch_name: "feature/7", image: "ghcr.io/acme/shop:v1", ...spec },
    ...(parts.status ? { status: parts.status } : {}),
  };
  return withDefaults(PREVIEW_ENVIRONMENT, object) as PreviewEnvironment;
}

/** A Deployment as the API server shows it. @param state Over generation 1, observed, and no Pod. */
export function deployment(
  owner: PreviewEnvironment,
  state: { metadata?: Partial<KubeObject["metadata"]>; status?: Record<string, unknown> } = {},
): KubeObject {
  const desired = child(owner, "Deployment");
  const metadata = { ...desired.metadata, uid: "uid-of-deployment", generation: 1, labels: ownerLabels(owner) };
  return {
    ...desired,
    metadata: { ...metadata, ...state.metadata },
    status: { observedGeneration: 1, ...state.status },
  };
}

/** The only desired child of a kind. */
export function child(owner: PreviewEnvironment, kind: string, settings: PreviewSettings = SETTINGS): KubeObject {
  return desiredObjects(owner, settings, { sources: [] }).find((object) => object.kind === kind)!;
}

/** A Pod of the owner's present template. @param parts.status Over a Pod that is being created. */
export function pod(
  owner: PreviewEnvironment,
  parts: { name?: string; status?: Record<string, unknown>; metadata?: Partial<KubeObject["metadata"]> } = {},
): KubeObject {
  const { name = "pr-7-app-1", status = {}, metadata = {} } = parts;
  const template = podTemplate(owner);
  const namespace = targetNamespace(owner.spec);
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace, uid: `uid-of-${name}`, labels: template.metadata.labels, ...metadata },
    spec: { restartPolicy: "Always", ...template.spec },
    status: { phase: "Pending", containerStatuses: [appStatus({})], ...status },
  };
}

/** Status of the container `app`. @param status Over one that is being created. */
export function appStatus(status: Record<string, unknown>): Record<string, unknown> {
  return { name: "app", ready: false, restartCount: 0, state: { waiting: { reason: "ContainerCreating" } }, ...status };
}

/** Status of a Pod that runs and is ready. */
export function readyStatus(): Record<string, unknown> {
  return { phase: "Running", containerStatuses: [appStatus({ ready: true, state: { running: {} } })] };
}

/** An EndpointSlice of the Service: each Pod with whether it takes traffic. */
export function slice(owner: PreviewEnvironment, ...endpoints: [pod: KubeObject, ready: boolean][]): KubeObject {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: "pr-7-svc-abc", namespace: targetNamespace(owner.spec), labels: ownerLabels(owner) },
    endpoints: endpoints.map(([{ metadata }, ready]) => ({
      conditions: { ready, serving: ready, terminating: metadata.deletionTimestamp !== undefined },
      targetRef: { kind: "Pod", name: metadata.name, uid: metadata.uid },
    })),
  };
}

/** What a decision rests on. @param parts Over an environment of which nothing is there yet. */
export function seen(owner: PreviewEnvironment, parts: Partial<Seen> = {}): Seen {
  const nothing = { rivals: [], ingresses: [], endpointSlices: [], pods: [], log: "", sources: new Map() };
  return { owner, settings: SETTINGS, template: podTemplate(owner), ...nothing, ...parts };
}

/** A rollout of one Pod that is complete, its endpoint ready. */
export function rolledOut(owner: PreviewEnvironment): Pick<Seen, "deployment" | "pods" | "endpointSlices"> {
  const only = pod(owner, { status: readyStatus() });
  const status = { replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 };
  return { deployment: deployment(owner, { status }), pods: [only], endpointSlices: [slice(owner, [only, true])] };
}
