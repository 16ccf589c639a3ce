/**
 * How much an environment may use: a quota that binds, and defaults so that Pods without requests still start. Pure.
 *
 * @module
 */
import type { KubeObject } from "../../api/object.ts";
import type { PreviewEnvironment } from "../../api/preview_environment.ts";
import { multiplyQuantity } from "../../api/quantity.ts";
import {
  type Amounts,
  atLeast,
  containerResources,
  DEFAULT_LIMITS,
  DEFAULT_REQUESTS,
  limitRange as limitRangeObject,
} from "../../workload/amounts.ts";
import type { TlsSettings } from "./settings.ts";

export { type Amounts, containerResources };

/** Room for a Pod that somebody starts to look around, and for the one by which cert-manager proves the host. */
const SPARE_PODS = 2;

/**
 * Room for a rollout and little else: while all Pods of the old template still end, all new ones and one for the surge
 * are there. What costs money or opens ports outside the ingress is not allowed at all.
 *
 * @param options.held The amounts of the present quota while Pods of an older spec may be there: a quota that shrinks
 * below what they use would refuse the very Pods that are to take their place.
 */
export function resourceQuota(
  namespace: string,
  spec: PreviewEnvironment["spec"],
  options: { tls: TlsSettings; held?: Amounts },
): KubeObject {
  // cert-manager's solver has a Service of type NodePort unless its issuer says otherwise.
  const nodePorts = options.tls.mode === "cert-manager" ? "1" : "0";
  return {
    apiVersion: "v1",
    kind: "ResourceQuota",
    metadata: { name: "preview", namespace },
    spec: {
      hard: {
        ...atLeast(rolloutRoom(spec), options.held ?? {}),
        "services.loadbalancers": "0",
        "services.nodeports": nodePorts,
        persistentvolumeclaims: "0",
      },
    },
  };
}

/** Every Pod counts as one with default amounts at least: the spare ones have those. */
function rolloutRoom(spec: PreviewEnvironment["spec"]): Amounts {
  const pods = 2 * spec.replicas + 1 + SPARE_PODS;
  const { requests, limits } = containerResources(spec.resources);
  const least = { requests: atLeast(DEFAULT_REQUESTS, requests), limits: atLeast(DEFAULT_LIMITS, limits) };
  return {
    pods: String(pods),
    "requests.cpu": multiplyQuantity(least.requests.cpu!, pods),
    "requests.memory": multiplyQuantity(least.requests.memory!, pods),
    "limits.cpu": multiplyQuantity(least.limits.cpu!, pods),
    "limits.memory": multiplyQuantity(least.limits.memory!, pods),
  };
}

/** Defaults for Pods that name no amounts. */
export function limitRange(namespace: string): KubeObject {
  const filled = { limits: DEFAULT_LIMITS, requests: DEFAULT_REQUESTS };
  return limitRangeObject({ name: "preview", namespace }, filled);
}
