/**
 * Who may talk with the Pods of a namespace that is kept apart: the parts of its NetworkPolicies. Pure.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";

const LINK_LOCAL_V4 = "169.254.0.0/16";
const LINK_LOCAL_V6 = "fe80::/10";
/** The metadata services of clouds on IPv6, which are not link-local: AWS, Google. */
const METADATA_V6 = ["fd00:ec2::254/128", "fd20:ce::254/128"];

/** `spec` of a NetworkPolicy, or a part of it. */
type Part = Record<string, unknown>;

/** What the configuration says about networks. */
export interface NetworkSettings {
  /** Namespace of the ingress controller: the only place from where environments are reached. */
  ingressNamespace: string;
  /** CIDRs that environments must not reach: the cluster's own networks. */
  clusterRanges: readonly string[];
}

/** A NetworkPolicy. */
export function networkPolicy(namespace: string, name: string, spec: Part): KubeObject {
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name, namespace }, spec };
}

/** Nothing in, nothing out, but for what other policies allow. */
export function defaultDeny(): Part {
  // The empty lists are said, so that a rule that somebody adds is a difference.
  return { podSelector: {}, policyTypes: ["Ingress", "Egress"], ingress: [], egress: [] };
}

/** All Pods of a namespace, as a peer. */
export function inNamespace(name: string): Part {
  return { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } } };
}

/** Out to the cluster's DNS. */
export function dns(): Part {
  const peer = { ...inNamespace("kube-system"), podSelector: { matchLabels: { "k8s-app": "kube-dns" } } };
  return { to: [peer], ports: [{ protocol: "UDP", port: 53 }, { protocol: "TCP", port: 53 }] };
}

/** Out to the internet without the metadata address of clouds and without the cluster's own networks. */
export function internet(clusterRanges: readonly string[]): Part {
  const v4 = clusterRanges.filter((range) => !range.includes(":"));
  const v6 = clusterRanges.filter((range) => range.includes(":"));
  const blocks = [
    { cidr: "0.0.0.0/0", except: [LINK_LOCAL_V4, ...v4] },
    { cidr: "::/0", except: [LINK_LOCAL_V6, ...METADATA_V6, ...v6] },
  ];
  return { to: blocks.map((ipBlock) => ({ ipBlock })) };
}
