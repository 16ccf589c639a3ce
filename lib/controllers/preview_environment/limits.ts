/**
 * How much an environment may use: a quota that binds, and defaults so that Pods without requests still start. Pure.
 *
 * @module
 */
import type { KubeObject } from "../../api/object.ts";
import type { PreviewEnvironment } from "../../api/preview_environment.ts";
import { compareQuantities, multiplyQuantity } from "../../api/quantity.ts";

type Amounts = Record<string, string | number>;
type Resources = PreviewEnvironment["spec"]["resources"];

const DEFAULT_REQUESTS = { cpu: "100m", memory: "128Mi" };
const DEFAULT_LIMITS = { cpu: "250m", memory: "256Mi" };
/** Room for a Pod that somebody starts to look around. */
const SPARE_PODS = 1;

/** Requests and limits of the application's container: what the spec says, else the defaults, never request > limit. */
export function containerResources(resources: Resources): { requests: Amounts; limits: Amounts } {
  const given = { requests: defined(resources?.requests), limits: defined(resources?.limits) };
  const limits: Amounts = { ...DEFAULT_LIMITS, ...given.limits };
  for (const [name, request] of Object.entries(given.requests)) {
    const limit = limits[name];
    if (limit !== undefined && !(name in given.limits) && compareQuantities(request, limit) > 0) limits[name] = request;
  }
  const requests: Amounts = { ...DEFAULT_REQUESTS, ...given.requests };
  for (const [name, request] of Object.entries(requests)) {
    const limit = limits[name];
    if (limit !== undefined && compareQuantities(request, limit) > 0) requests[name] = limit;
  }
  return { requests, limits };
}

function defined(amounts: Record<string, string | number | undefined> | undefined): Amounts {
  return Object.fromEntries(
    Object.entries(amounts ?? {}).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/**
 * Room for a rollout and nothing else: while all Pods of the old template still end, all new ones and one for the surge
 * are there. What costs money or opens ports outside the ingress is not allowed at all.
 */
export function resourceQuota(namespace: string, spec: PreviewEnvironment["spec"]): KubeObject {
  const pods = 2 * spec.replicas + 1 + SPARE_PODS;
  const { requests, limits } = containerResources(spec.resources);
  return {
    apiVersion: "v1",
    kind: "ResourceQuota",
    metadata: { name: "preview", namespace },
    spec: {
      hard: {
        pods: String(pods),
        "requests.cpu": multiplyQuantity(requests.cpu!, pods),
        "requests.memory": multiplyQuantity(requests.memory!, pods),
        "limits.cpu": multiplyQuantity(limits.cpu!, pods),
        "limits.memory": multiplyQuantity(limits.memory!, pods),
        "services.loadbalancers": "0",
        "services.nodeports": "0",
        persistentvolumeclaims: "0",
      },
    },
  };
}

/** A quota on requests and limits refuses Pods that name none: these are filled in. */
export function limitRange(namespace: string): KubeObject {
  return {
    apiVersion: "v1",
    kind: "LimitRange",
    metadata: { name: "preview", namespace },
    spec: { limits: [{ type: "Container", default: DEFAULT_LIMITS, defaultRequest: DEFAULT_REQUESTS }] },
  };
}
