/**
 * What runs the operator inside a cluster. Pure.
 *
 * @module
 */
import type { KubeObject } from "../../lib/api/object.ts";
import { type Config, flagsOf } from "../../lib/config.ts";
import { DISK_MEBIBYTES, MEMORY_MEBIBYTES } from "../../lib/render/bounds.ts";
import { ACCOUNT } from "./rbac.ts";

export interface WorkloadOptions {
  config: Config;
  image: string;
  replicas: number;
}

const SELECTOR = { "app.kubernetes.io/name": "maquette", "app.kubernetes.io/component": "operator" };
const HTTP_PORT = 8080;
const WEBHOOK_PORT = 9443;
/** Of the operator itself: 200 with 500 environments (docs/benchmarks.md), 64 of renderings, and those that are read. */
const OWN_MEBIBYTES = 512;

/** Of the cluster's owner: authorities that `--registry-ca-file` may name, `<path>/<key>`. */
const AUTHORITIES = { configMap: "maquette-authorities", path: "/etc/maquette/authorities" } as const;

/** The operator's namespace. */
export function namespaceObject(name: string): KubeObject {
  const labels = {
    "app.kubernetes.io/name": "maquette",
    "pod-security.kubernetes.io/enforce": "restricted",
  };
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } };
}

/** Deployment, its disruption budget, and the Services of admission and metrics. */
export function workloadObjects(options: WorkloadOptions): KubeObject[] {
  const { config } = options;
  const { namespace } = config;
  const service = (name: string, ports: Record<string, unknown>[]): KubeObject => ({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace, labels: SELECTOR },
    spec: { type: "ClusterIP", selector: SELECTOR, ports },
  });
  return [
    deployment(options),
    {
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: { name: ACCOUNT, namespace },
      spec: { maxUnavailable: 1, selector: { matchLabels: SELECTOR } },
    },
    service(config.webhookService, [{ name: "https", port: 443, protocol: "TCP", targetPort: "webhook" }]),
    service("maquette-metrics", [{ name: "http", port: HTTP_PORT, protocol: "TCP", targetPort: "http" }]),
  ];
}

function deployment({ config, image, replicas }: WorkloadOptions): KubeObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: ACCOUNT, namespace: config.namespace, labels: SELECTOR },
    spec: {
      replicas,
      selector: { matchLabels: SELECTOR },
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: { metadata: { labels: SELECTOR }, spec: podSpec(config, image) },
    },
  };
}

function podSpec(config: Config, image: string): Record<string, unknown> {
  return {
    serviceAccountName: ACCOUNT,
    // The kubelet's variables for Services would read as our own: MAQUETTE_WEBHOOK_PORT=tcp://…
    enableServiceLinks: false,
    // 25 s for what is under way, at most 15 s until clients have gone elsewhere, and some for each part of the end.
    terminationGracePeriodSeconds: 60,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
    topologySpreadConstraints: [{
      maxSkew: 1,
      topologyKey: "kubernetes.io/hostname",
      whenUnsatisfiable: "ScheduleAnyway",
      labelSelector: { matchLabels: SELECTOR },
    }],
    containers: [container(config, image)],
    // The only place that the program may write to: checkouts, and what is on its way there.
    volumes: [
      { name: "sources", emptyDir: { sizeLimit: `${config.sourceCacheMebibytes + DISK_MEBIBYTES}Mi` } },
      { name: "authorities", configMap: { name: AUTHORITIES.configMap, optional: true } },
    ],
  };
}

function container(config: Config, image: string): Record<string, unknown> {
  const probe = (path: string): Record<string, unknown> => ({ httpGet: { path, port: "http" }, timeoutSeconds: 5 });
  return {
    name: "maquette",
    image,
    args: ["run", ...flagsOf(config)],
    env: [{ name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }],
    ports: [
      { name: "http", containerPort: HTTP_PORT, protocol: "TCP" },
      { name: "webhook", containerPort: WEBHOOK_PORT, protocol: "TCP" },
    ],
    livenessProbe: { ...probe("/healthz"), periodSeconds: 20, failureThreshold: 3 },
    readinessProbe: { ...probe("/readyz"), periodSeconds: 5 },
    startupProbe: { ...probe("/healthz"), periodSeconds: 2, failureThreshold: 30 },
    volumeMounts: [
      { name: "sources", mountPath: config.sourceCache },
      { name: "authorities", mountPath: AUTHORITIES.path, readOnly: true },
    ],
    // Renderings and fetches are processes beside, each with a limit of its own: 512 + 1,280.
    resources: {
      requests: { cpu: "100m", memory: "128Mi" },
      limits: { memory: `${OWN_MEBIBYTES + MEMORY_MEBIBYTES}Mi` },
    },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
  };
}
