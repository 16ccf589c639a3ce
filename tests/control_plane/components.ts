import { join } from "node:path";
import type { Binaries } from "./build.ts";

/** The loopback ports of one control plane. */
export interface Ports {
  etcd: number;
  api: number;
  kubelet: number;
}

/** What the command lines are made of. */
export interface Layout {
  folder: string;
  binaries: Binaries;
  ports: Ports;
}

/** The processes of a control plane, each the key of its command line and of its log file. */
export type Component =
  | "etcd"
  | "kube-apiserver"
  | "kube-controller-manager"
  | "kube-scheduler"
  | "kwok"
  | "kubelet-logs";

/** Every request is written down, without bodies; a watch when it starts, and again when it ends. */
export const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: Metadata
`;

/** The command line of each component. Everything listens on 127.0.0.1 only. */
export function commands(layout: Layout): Record<Component, string[]> {
  const { paths } = layout.binaries;
  return {
    etcd: [paths.etcd, ...etcd(layout)],
    "kube-apiserver": [paths["kube-apiserver"], ...apiServer(layout)],
    "kube-controller-manager": [paths["kube-controller-manager"], ...controllerManager(layout)],
    "kube-scheduler": [paths["kube-scheduler"], ...scheduler(layout)],
    kwok: [paths.kwok, ...kwok(layout)],
    "kubelet-logs": [paths["kubelet-logs"], ...kubeletLogs(layout)],
  };
}

/** Where the API server listens. */
export function apiUrl(ports: Ports): string {
  return `https://127.0.0.1:${ports.api}`;
}

function etcd({ folder, ports }: Layout): string[] {
  const client = `http://127.0.0.1:${ports.etcd}`;
  // There is one member only, which never talks to a peer: any port does.
  const peer = "http://127.0.0.1:0";
  return flags({
    "data-dir": join(folder, "etcd"),
    "unsafe-no-fsync": true,
    "listen-client-urls": client,
    "advertise-client-urls": client,
    "listen-peer-urls": peer,
    "initial-advertise-peer-urls": peer,
    "initial-cluster": `default=${peer}`,
    "quota-backend-bytes": 4 * 2 ** 30,
    "log-level": "warn",
  });
}

function apiServer({ folder, ports }: Layout): string[] {
  const file = (name: string) => join(folder, "pki", name);
  return flags({
    "etcd-servers": `http://127.0.0.1:${ports.etcd}`,
    "bind-address": "127.0.0.1",
    "advertise-address": "127.0.0.1",
    // Endpoints must not be on loopback, so nothing may try to write those of the Service "kubernetes".
    "endpoint-reconciler-type": "none",
    "secure-port": ports.api,
    "cert-dir": join(folder, "pki"),
    "tls-cert-file": file("kube-apiserver.crt"),
    "tls-private-key-file": file("kube-apiserver.key"),
    "client-ca-file": file("ca.crt"),
    "kubelet-certificate-authority": file("ca.crt"),
    "kubelet-client-certificate": file("kube-apiserver-kubelet-client.crt"),
    "kubelet-client-key": file("kube-apiserver-kubelet-client.key"),
    "kubelet-preferred-address-types": "InternalIP",
    "authorization-mode": "Node,RBAC",
    "service-account-key-file": file("service-accounts.pub"),
    "service-account-signing-key-file": file("service-accounts.key"),
    "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
    "service-cluster-ip-range": "10.96.0.0/16",
    "allow-privileged": true,
    "audit-policy-file": join(folder, "audit-policy.yaml"),
    "audit-log-path": join(folder, "audit.log"),
    "max-requests-inflight": 2000,
    "max-mutating-requests-inflight": 1000,
  });
}

function controllerManager({ folder }: Layout): string[] {
  const file = (name: string) => join(folder, "pki", name);
  const busy = ["deployment", "replicaset", "endpoint", "service-endpoint", "namespace", "serviceaccount-token", "gc"];
  const few = ["job", "statefulset", "daemonset", "resource-quota", "horizontal-pod-autoscaler", "ttl-after-finished"];
  return flags({
    kubeconfig: join(folder, "kubeconfig", "kube-controller-manager"),
    "use-service-account-credentials": true,
    "service-account-private-key-file": file("service-accounts.key"),
    "root-ca-file": file("ca.crt"),
    "cluster-signing-cert-file": file("ca.crt"),
    "cluster-signing-key-file": file("ca.key"),
    "leader-elect": false,
    "secure-port": 0,
    // Simulated kubelets never make Pods Ready again whose node was called away while the API server was.
    "node-monitor-grace-period": "1h",
    // The default of 20 requests a second would be what a test of many environments measures.
    "kube-api-qps": 1000,
    "kube-api-burst": 2000,
    ...Object.fromEntries(busy.map((name) => [`concurrent-${name}-syncs`, 40])),
    ...Object.fromEntries(few.map((name) => [`concurrent-${name}-syncs`, 20])),
  });
}

function scheduler({ folder }: Layout): string[] {
  return flags({ config: join(folder, "kube-scheduler.yaml"), "secure-port": 0 });
}

/** The scheduler's configuration file: its limits have no flags any more. */
export function schedulerConfiguration(folder: string): string {
  return `apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
leaderElection: { leaderElect: false }
clientConnection: { kubeconfig: ${join(folder, "kubeconfig", "kube-scheduler")}, qps: 1000, burst: 2000 }
`;
}

function kwok({ folder }: Layout): string[] {
  return flags({
    kubeconfig: join(folder, "kubeconfig", "kwok"),
    config: join(folder, "kwok.yaml"),
  });
}

function kubeletLogs({ folder, ports }: Layout): string[] {
  return flags({
    address: `127.0.0.1:${ports.kubelet}`,
    server: apiUrl(ports),
    ca: join(folder, "pki", "ca.crt"),
    cert: join(folder, "pki", "kubelet-logs.crt"),
    key: join(folder, "pki", "kubelet-logs.key"),
  });
}

function flags(values: Record<string, string | number | boolean>): string[] {
  return Object.entries(values).map(([name, value]) => `--${name}=${value}`);
}
