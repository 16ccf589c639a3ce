/**
 * An application as charts render it: written the way people write, not the way the API server gives it back.
 *
 * @module
 */
import type { KubeObject } from "../../lib/api/object.ts";

const LABELS = { "app.kubernetes.io/name": "shop", "app.kubernetes.io/instance": "shop" };
const PODS = { metadata: { labels: LABELS } };

function object(name: string, apiVersion: string, kind: string, rest: Record<string, unknown>): KubeObject {
  const labels = { ...LABELS, "app.kubernetes.io/managed-by": "Helm" };
  return { apiVersion, kind, metadata: { name, labels }, ...rest };
}

function pods(command: string[] = []): Record<string, unknown> {
  return {
    ...PODS,
    spec: {
      hostNetwork: false,
      containers: [{
        name: "app",
        image: "shop:v1",
        ...(command.length > 0 ? { command } : {}),
        tty: false,
        env: [{ name: "EMPTY", value: "" }, {
          name: "PASSWORD",
          valueFrom: { secretKeyRef: { name: "shop", key: "p" } },
        }],
        ports: [{ containerPort: 8080 }],
        resources: { requests: { cpu: "0.1", memory: "1024Mi" } },
        volumeMounts: [{ name: "scratch", mountPath: "/tmp", readOnly: false }],
      }],
      volumes: [{ name: "scratch", emptyDir: { sizeLimit: "1024Mi" } }],
      affinity: null,
    },
  };
}

/** A Job. @param text Changes its template. */
export function migration(text: string): KubeObject {
  const template = { spec: { restartPolicy: "Never", containers: [{ name: "m", image: "shop:v1", args: [text] }] } };
  return object("migrate", "batch/v1", "Job", { spec: { backoffLimit: 0, ttlSecondsAfterFinished: 1, template } });
}

/** A Deployment. */
export function deployment(name = "shop", rest: Record<string, unknown> = {}): KubeObject {
  const spec = { replicas: 2, minReadySeconds: 0, selector: { matchLabels: LABELS }, template: pods(), ...rest };
  return object(name, "apps/v1", "Deployment", { spec });
}

/** Seventeen objects of fifteen kinds, in an order in which they could not be made. */
export function application(): KubeObject[] {
  const port = { name: "http", port: 80, targetPort: "http" };
  const cron = {
    spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "shop:v1" }] } } },
  };
  const subject = { kind: "ServiceAccount", name: "shop" };
  const role = { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "reader" };
  const metric = { type: "Resource", resource: { name: "cpu", target: { type: "AverageValue", averageValue: "0.5" } } };
  const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name: "shop" };
  const backend = { service: { name: "shop", port: { number: 80 } } };
  const rule = { host: "shop.example.com", http: { paths: [{ path: "/", pathType: "Prefix", backend }] } };
  const claim = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
  return [
    object("w", "example.com/v1", "Widget", { spec: { size: 1, off: false, text: "" } }),
    object("shop", "networking.k8s.io/v1", "Ingress", { spec: { rules: [rule] } }),
    object("shop", "autoscaling/v2", "HorizontalPodAutoscaler", {
      spec: { scaleTargetRef, minReplicas: 1, maxReplicas: 3, metrics: [metric] },
    }),
    object("shop", "policy/v1", "PodDisruptionBudget", {
      spec: { maxUnavailable: 1, selector: { matchLabels: LABELS } },
    }),
    deployment(),
    object("db", "apps/v1", "StatefulSet", {
      spec: {
        serviceName: "db",
        selector: { matchLabels: { app: "db" } },
        template: { metadata: { labels: { app: "db" } }, spec: { containers: [{ name: "db", image: "db:v1" }] } },
        volumeClaimTemplates: [{ metadata: { name: "data", creationTimestamp: null }, spec: claim }],
      },
    }),
    object("clean", "batch/v1", "CronJob", { spec: { schedule: "0 0 * * *", suspend: false, jobTemplate: cron } }),
    migration("1"),
    object("shop", "v1", "Service", { spec: { type: "ClusterIP", selector: LABELS, ports: [port] } }),
    object("db", "v1", "Service", { spec: { clusterIP: "None", selector: { app: "db" }, ports: [{ port: 5432 }] } }),
    object("reads", "rbac.authorization.k8s.io/v1", "RoleBinding", { roleRef: role, subjects: [subject] }),
    object("reader", "rbac.authorization.k8s.io/v1", "Role", {
      rules: [{ apiGroups: [""], resources: ["configmaps"], verbs: ["get"] }],
    }),
    object("shop", "v1", "ServiceAccount", { automountServiceAccountToken: false }),
    object("shop", "v1", "Secret", { type: "Opaque", stringData: { p: "hunter2" }, data: { q: "QUFB\n" } }),
    object("shop", "v1", "ConfigMap", { data: { "app.conf": "a=1\n" } }),
    object("lean", "networking.k8s.io/v1", "NetworkPolicy", { spec: { podSelector: {}, policyTypes: ["Ingress"] } }),
    object("uploads", "v1", "PersistentVolumeClaim", { spec: claim }),
  ];
}
