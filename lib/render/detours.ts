/**
 * Finds rendered objects that would have others carry traffic to addresses of the chart's choice. An ingress controller
 * is not bound by the environment's NetworkPolicies: what it sends, it sends past them. Pure.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";
import { isIngress } from "./inject_host.ts";
import { groupOf, isRecord } from "./pod_templates.ts";
import { AUTH_URL, OWN_AUTH_URL, PLAIN_PATH } from "./route_rules.ts";

const PLAIN = new RegExp(PLAIN_PATH);
const WHY = "an ingress controller would carry traffic there, past the environment's NetworkPolicies";
const OWN_ADDRESSES = "leave it out; Kubernetes makes it for a Service with a selector";

/** Kinds that are nothing but addresses. */
const ADDRESSES: ReadonlySet<string> = new Set(["/Endpoints", "discovery.k8s.io/EndpointSlice"]);
const MIDDLEWARES: ReadonlySet<string> = new Set(["traefik.io/Middleware", "traefik.containo.us/Middleware"]);
const [AUTH, OWN_AUTH] = [AUTH_URL, OWN_AUTH_URL].map((pattern) => new RegExp(pattern, "i")) as [RegExp, RegExp];

/** Why an object is a detour and what to do instead; `undefined` where it is none. */
export function detourOf(object: KubeObject): string | undefined {
  const title = `${groupOf(object)}/${object.kind}`;
  if (ADDRESSES.has(title)) return `it leads to addresses of its own, and ${WHY}: ${OWN_ADDRESSES}`;
  if (isIngress(object)) return authDetour(object) ?? pathDetour(object);
  if (MIDDLEWARES.has(title)) return forwardDetour(object);
  return title === "/Service" ? serviceDetour(object) : undefined;
}

function pathDetour({ spec }: KubeObject): string | undefined {
  const paths = records(spec?.rules).flatMap(({ http }) => isRecord(http) ? records(http.paths) : []);
  const odd = paths.map(({ path }) => path).find((path) => typeof path === "string" && !PLAIN.test(path));
  if (odd === undefined) return undefined;
  return `an ingress controller may read path ${JSON.stringify(odd)} as configuration of its own: leave out spaces, ` +
    "quotes, semicolons and braces";
}

function records(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

/** To leave it out would open what it protects. */
function authDetour({ metadata }: KubeObject): string | undefined {
  const found = Object.entries(metadata.annotations ?? {}).find(([name, url]) =>
    AUTH.test(name) && !OWN_AUTH.test(url)
  );
  if (!found) return undefined;
  const [name, url] = found;
  const instead = "ask at a path of the environment's own host (https://$host/...), or in the application";
  return `annotation ${name} leads to "${url}", and ${WHY}: ${instead}`;
}

function forwardDetour({ spec }: KubeObject): string | undefined {
  const address = spec?.forwardAuth?.address;
  return address === undefined
    ? undefined
    : `forwardAuth leads to "${address}", and ${WHY}: use a middleware of those who run the ingress controller`;
}

function serviceDetour(object: KubeObject): string | undefined {
  const { type, externalName, externalIPs } = object.spec ?? {};
  if (type === "ExternalName") {
    const instead = "give the application that name itself, in a variable or a value";
    return `type ExternalName leads to "${externalName ?? ""}", and ${WHY}: ${instead}`;
  }
  if (!Array.isArray(externalIPs) || externalIPs.length === 0) return undefined;
  return `externalIPs ${externalIPs.join(", ")} would have nodes take traffic for these addresses, past the ` +
    "environment's NetworkPolicies: leave them out; the environment is reached by its Ingress";
}
