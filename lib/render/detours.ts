/**
 * Finds rendered objects that would have others carry traffic to addresses of the chart's choice. An ingress controller
 * is not bound by the environment's NetworkPolicies: what it sends, it sends past them. Pure.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";
import { groupOf } from "./pod_templates.ts";

const WHY = "an ingress controller would carry traffic there, past the environment's NetworkPolicies";
const OWN_ADDRESSES = "leave it out; Kubernetes makes it for a Service with a selector";

/** Kinds that are nothing but addresses. */
const ADDRESSES: ReadonlySet<string> = new Set(["/Endpoints", "discovery.k8s.io/EndpointSlice"]);

/** Why an object is a detour and what to do instead; `undefined` where it is none. */
export function detourOf(object: KubeObject): string | undefined {
  const title = `${groupOf(object)}/${object.kind}`;
  if (ADDRESSES.has(title)) return `it leads to addresses of its own, and ${WHY}: ${OWN_ADDRESSES}`;
  if (title !== "/Service") return undefined;
  const { type, externalName, externalIPs } = object.spec ?? {};
  if (type === "ExternalName") {
    const instead = "give the application that name itself, in a variable or a value";
    return `type ExternalName leads to "${externalName ?? ""}", and ${WHY}: ${instead}`;
  }
  if (!Array.isArray(externalIPs) || externalIPs.length === 0) return undefined;
  return `externalIPs ${externalIPs.join(", ")} would have nodes take traffic for these addresses, past the ` +
    "environment's NetworkPolicies: leave them out; the environment is reached by its Ingress";
}
