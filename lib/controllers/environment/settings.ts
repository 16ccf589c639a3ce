/**
 * What the operator's configuration says about environments.
 *
 * @module
 */
import type { ExposureSettings } from "../../workload/exposure.ts";
import type { NetworkSettings } from "../../workload/network_policy.ts";

/** See the module. */
export interface EnvironmentSettings extends ExposureSettings, NetworkSettings {
  /** Environments are `<environment>.<domain>`. */
  domain: string;
  operatorNamespace: string;
  /** Namespaces that are never made, beside the cluster's and the operator's own; a `*` ends a prefix. */
  reservedNamespaces: readonly string[];
  /** CIDRs of the cluster's networks that environments may reach nevertheless: a registry, a git server. */
  reachableRanges: readonly string[];
  /** Longest life in seconds that an extension can reach; 0 is no limit. */
  maxTtlSeconds: number;
}
