/**
 * Who may talk to a preview, and with whom it may talk. Pure.
 *
 * @module
 */
import type { KubeObject } from "../../api/object.ts";
import type { PreviewSettings } from "./settings.ts";

const ALL_PODS = {};
const LINK_LOCAL_V4 = "169.254.0.0/16";
const LINK_LOCAL_V6 = "fe80::/10";
/** The metadata services of clouds on IPv6, which are not link-local: AWS, Google. */
const METADATA_V6 = ["fd00:ec2::254/128", "fd20:ce::254/128"];
/** How cert-manager marks the Pod that answers an HTTP-01 challenge, and where that Pod listens. */
const SOLVER = { labels: { "acme.cert-manager.io/http01-solver": "true" }, port: 8089 };

/** Deny everything; then in from the ingress controller on the port, and out to DNS and to the internet. */
export function networkPolicies(namespace: string, port: number, settings: PreviewSettings): KubeObject[] {
  return [
    // The empty lists are said, so that a rule that somebody adds is a difference.
    policy(namespace, "default-deny", {
      podSelector: ALL_PODS,
      policyTypes: ["Ingress", "Egress"],
      ingress: [],
      egress: [],
    }),
    policy(namespace, "allow-ingress", fromController(ALL_PODS, port, settings)),
    policy(namespace, "allow-egress", {
      podSelector: ALL_PODS,
      policyTypes: ["Egress"],
      egress: [dns(), internet(settings.clusterRanges)],
    }),
    ...(settings.tls.mode === "cert-manager" ? [solverPolicy(namespace, settings)] : []),
  ];
}

/** Without it no certificate is issued by HTTP-01: the challenge comes in through the ingress controller. */
function solverPolicy(namespace: string, settings: PreviewSettings): KubeObject {
  return policy(namespace, "allow-acme", fromController({ matchLabels: SOLVER.labels }, SOLVER.port, settings));
}

function fromController(
  podSelector: Record<string, unknown>,
  port: number,
  settings: PreviewSettings,
): Record<string, unknown> {
  const from = [inNamespace(settings.ingressNamespace)];
  return { podSelector, policyTypes: ["Ingress"], ingress: [{ from, ports: [{ protocol: "TCP", port }] }] };
}

function policy(namespace: string, name: string, spec: Record<string, unknown>): KubeObject {
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name, namespace }, spec };
}

function inNamespace(name: string): Record<string, unknown> {
  return { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } } };
}

function dns(): Record<string, unknown> {
  const peer = { ...inNamespace("kube-system"), podSelector: { matchLabels: { "k8s-app": "kube-dns" } } };
  return { to: [peer], ports: [{ protocol: "UDP", port: 53 }, { protocol: "TCP", port: 53 }] };
}

/** The internet without the metadata address of clouds and without the cluster's own networks. */
function internet(clusterRanges: readonly string[]): Record<string, unknown> {
  const v4 = clusterRanges.filter((range) => !range.includes(":"));
  const v6 = clusterRanges.filter((range) => range.includes(":"));
  const blocks = [
    { cidr: "0.0.0.0/0", except: [LINK_LOCAL_V4, ...v4] },
    { cidr: "::/0", except: [LINK_LOCAL_V6, ...METADATA_V6, ...v6] },
  ];
  return { to: blocks.map((ipBlock) => ({ ipBlock })) };
}
