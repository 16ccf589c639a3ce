/**
 * PortfolioApps and what the API server shows of their children, for tests.
 *
 * @module
 */
import type { KubeObject } from "../../api/object.ts";
import { PORTFOLIO_APP, type PortfolioApp } from "../../api/portfolio_app.ts";
import { withDefaults } from "../../api/validate.ts";
import { ownerLabels } from "../../runtime/ownership.ts";
import { scaleOf } from "./autoscaler.ts";
import { deployment as desiredDeployment } from "./desired.ts";
import type { Seen } from "./gather.ts";
import { podTemplate } from "./pod.ts";
import type { AppSettings } from "./settings.ts";
import { ATTEMPT_LABEL, type SeenTask, TASK_DIGEST_LABEL, TASK_LABEL, TASK_SUBJECT_LABEL } from "./tasks.ts";

/** When {@link app} was created. */
export const CREATED = Date.UTC(2026, 0, 1);

/** As an operator without special wishes has them. */
export const SETTINGS: AppSettings = {
  domain: "apps.test",
  ingressClass: "nginx",
  tls: { mode: "cert-manager", clusterIssuer: "letsencrypt" },
  operatorNamespace: "maquette-system",
  progressDeadlineSeconds: 120,
  backupImage: "postgres:18",
  backupStoreImage: "curl:8",
  migrations: {
    group: "portfolio.example.com",
    version: "v1alpha1",
    kind: "DatabaseMigration",
    plural: "databasemigrations",
    namespaced: true,
  },
};

/** A PortfolioApp as the API server stores it. */
export function app(
  spec: Record<string, unknown> = {},
  parts: { metadata?: Partial<KubeObject["metadata"]>; status?: Record<string, unknown> } = {},
): PortfolioApp {
  const { resource } = PORTFOLIO_APP;
  const object = {
    apiVersion: `${resource.group}/${resource.version}`,
    kind: resource.kind,
    metadata: {
      ...{ name: "shop", namespace: "team", uid: "uid-of-shop", generation: 1 },
      creationTimestamp: new Date(CREATED).toISOString(),
      ...parts.metadata,
    },
    spec: { image: "ghcr.io/acme/shop", version: "v1", ...spec },
    ...(parts.status ? { status: parts.status } : {}),
  };
  return withDefaults(PORTFOLIO_APP, object) as PortfolioApp;
}

/** What a decision rests on. @param parts Over an application of which nothing is there yet. */
export function seen(owner: PortfolioApp, parts: Partial<Seen> = {}): Seen {
  const nothing = {
    rivals: [],
    frontage: [],
    others: [],
    otherClaims: [],
    endpointSlices: [],
    pods: [],
    allPods: [],
    log: "",
    peers: [],
  };
  return { owner, settings: SETTINGS, template: podTemplate(owner), ...nothing, tasks: [], secrets: [], ...parts };
}

/** The Deployment as the API server shows it. */
export function deployment(
  owner: PortfolioApp,
  parts: {
    metadata?: Partial<KubeObject["metadata"]>;
    status?: Record<string, unknown>;
    spec?: Record<string, unknown>;
  } = {},
): KubeObject {
  const desired = desiredDeployment(owner, SETTINGS, { scale: scaleOf(owner, undefined) });
  const annotations = { ...desired.metadata.annotations, ...parts.metadata?.annotations };
  const metadata = { ...desired.metadata, uid: "uid-of-deployment", generation: 1, labels: ownerLabels(owner) };
  return {
    ...desired,
    metadata: { ...metadata, ...parts.metadata, annotations },
    spec: { ...desired.spec, ...parts.spec },
    status: { observedGeneration: 1, ...parts.status },
  };
}

/** A Pod of the owner's present template. */
export function pod(owner: PortfolioApp, name = "shop-1", metadata: Partial<KubeObject["metadata"]> = {}): KubeObject {
  const { labels } = podTemplate(owner).metadata;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "team", uid: `uid-of-${name}`, labels, ...metadata },
  };
}

/** A rollout of one Pod that is complete, its endpoint ready. */
export function rolledOut(owner: PortfolioApp): Pick<Seen, "deployment" | "pods" | "allPods" | "endpointSlices"> {
  const only = pod(owner);
  const status = { replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 };
  const endpoints = [{
    conditions: { ready: true },
    targetRef: { kind: "Pod", name: "shop-1", uid: only.metadata.uid },
  }];
  const slice = { apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", metadata: { name: "s" }, endpoints };
  return { deployment: deployment(owner, { status }), pods: [only], allPods: [only], endpointSlices: [slice] };
}

/** Any child of the owner, by kind and name. */
export function child(kind: string, name: string, rest: Record<string, unknown> = {}): KubeObject {
  return { apiVersion: "v1", kind, metadata: { name, namespace: "team", uid: `uid-of-${name}` }, ...rest };
}

/** A Job of ours, as it is seen. */
export function task(parts: Partial<SeenTask> & Pick<SeenTask, "kind">): SeenTask {
  const { kind, digest = "digest", subject = "subject", attempt = 1 } = parts;
  const which = { [TASK_DIGEST_LABEL]: digest, [TASK_SUBJECT_LABEL]: subject };
  const labels = { [TASK_LABEL]: kind, ...which, [ATTEMPT_LABEL]: String(attempt) };
  const job = {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      ...{ name: `${kind}-${attempt}`, namespace: "team", labels },
      creationTimestamp: new Date(CREATED).toISOString(),
    },
  };
  return { job, digest, subject, attempt, log: "", ...parts };
}
