/**
 * Gives the Ingress that a chart brings the environment's host. Pure.
 *
 * No other host is left: it could be one that serves people elsewhere. Neither is a backend for all hosts.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";
import { copied, type Injected } from "./injection.ts";
import { groupOf, isRecord, titleOf } from "./pod_templates.ts";

/** An Ingress had several hosts, which are one now. */
export const HOSTS_JOINED = "HostsJoined";
/** Two backends of an Ingress wanted the same path, now that they have one host. */
export const PATH_TAKEN = "PathTaken";

/** What the Ingress is to be. */
export interface IngressWish {
  host: string;
  /** Secret with the certificate; absent: no TLS in the Ingress. */
  tlsSecret?: string;
  ingressClass?: string;
  /** Over the chart's own. */
  annotations?: Readonly<Record<string, string>>;
}

interface Path {
  path?: string;
  pathType?: string;
  backend?: unknown;
}

interface Rule {
  host?: string;
  http?: { paths?: Path[] };
}

/** Whether an object is an Ingress, whose host is to be replaced. */
export function isIngress(object: KubeObject): boolean {
  return object.kind === "Ingress" && ["networking.k8s.io", "extensions"].includes(groupOf(object));
}

/** Replaces hosts and TLS of every Ingress. With none, nothing is reported: one can be made beside the chart's objects. */
export function injectHost<T extends { object: KubeObject }>(items: readonly T[], wish: IngressWish): Injected<T> {
  const result: Injected<T> = { items: copied(items), injected: [], warnings: [] };
  for (const { object } of result.items.filter((item) => isIngress(item.object))) {
    const warn = (reason: string, message: string): void => {
      result.warnings.push({ reason, message: `${titleOf(object)}: ${message}` });
    };
    object.spec = ingressSpec(isRecord(object.spec) ? object.spec : {}, wish, warn);
    if (wish.annotations) object.metadata.annotations = { ...object.metadata.annotations, ...wish.annotations };
    result.injected.push({ what: "host", where: titleOf(object), value: wish.host });
  }
  return result;
}

function ingressSpec(
  { defaultBackend, rules: given, tls: _tls, ...rest }: Record<string, unknown>,
  { host, tlsSecret, ingressClass }: IngressWish,
  warn: (reason: string, message: string) => void,
): Record<string, unknown> {
  const rules: Rule[] = Array.isArray(given) ? given.filter(isRecord) : [];
  const hosts = [...new Set(rules.map((rule) => rule.host ?? "*"))];
  if (hosts.length > 1) warn(HOSTS_JOINED, `Hosts ${hosts.join(", ")} are all ${host} now`);
  const paths = rules.flatMap((rule) => Array.isArray(rule.http?.paths) ? rule.http.paths : []);
  if (defaultBackend !== undefined) paths.push({ path: "/", pathType: "Prefix", backend: defaultBackend });
  return {
    ...rest,
    ...(ingressClass ? { ingressClassName: ingressClass } : {}),
    rules: [{ host, http: { paths: distinct(paths, warn) } }],
    ...(tlsSecret ? { tls: [{ hosts: [host], secretName: tlsSecret }] } : {}),
  };
}

/** The first of those that are for the same path; that others had another backend is said. */
function distinct(paths: readonly Path[], warn: (reason: string, message: string) => void): Path[] {
  const kept = new Map<string, Path>();
  for (const path of paths) {
    const key = `${path.pathType ?? ""} ${path.path ?? "/"}`;
    const first = kept.get(key);
    if (first === undefined) kept.set(key, path);
    else if (JSON.stringify(first.backend) !== JSON.stringify(path.backend)) {
      warn(PATH_TAKEN, `Path ${path.path ?? "/"} has several backends, the first one is used`);
    }
  }
  return [...kept.values()];
}
