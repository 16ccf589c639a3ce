/**
 * What the operator's configuration says about previews.
 *
 * @module
 */

/** Where the certificate of an Ingress comes from. */
export type TlsSettings =
  /** cert-manager issues one for each host. */
  | { mode: "cert-manager"; clusterIssuer: string }
  /** One wildcard certificate: a Secret in the operator's namespace, copied into each preview. */
  | { mode: "wildcard"; secret: string }
  /** Plain HTTP, or TLS ends before the ingress controller. */
  | { mode: "none" };

export interface PreviewSettings {
  /** Previews are `pr-N.<domain>`. */
  domain: string;
  ingressClass: string;
  /** Namespace of the ingress controller: the only place from where a preview is reached. */
  ingressNamespace: string;
  tls: TlsSettings;
  operatorNamespace: string;
  /** Namespaces that are never made, beside the cluster's and the operator's own; a `*` ends a prefix. */
  reservedNamespaces: readonly string[];
  /** CIDRs that previews must not reach: the cluster's own networks. */
  clusterRanges: readonly string[];
  /** Longest life in seconds that an extension can reach; 0 is no limit. */
  maxTtlSeconds: number;
  /** Seconds without progress after which a rollout is called stuck. */
  progressDeadlineSeconds: number;
}
