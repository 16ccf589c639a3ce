/**
 * What the operator's configuration says about previews.
 *
 * @module
 */
import type { ExposureSettings, TlsSettings } from "../../workload/exposure.ts";
import type { NetworkSettings } from "../../workload/network_policy.ts";

export type { TlsSettings };

/** See the module. */
export interface PreviewSettings extends ExposureSettings, NetworkSettings {
  /** Previews are `pr-N.<domain>`. */
  domain: string;
  operatorNamespace: string;
  /** Namespaces that are never made, beside the cluster's and the operator's own; a `*` ends a prefix. */
  reservedNamespaces: readonly string[];
  /** Longest life in seconds that an extension can reach; 0 is no limit. */
  maxTtlSeconds: number;
  /** Seconds without progress after which a rollout is called stuck. */
  progressDeadlineSeconds: number;
}
