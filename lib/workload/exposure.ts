/**
 * How something is reached from outside: its Ingress, its certificate, its URL. Pure.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";

/** Where the certificate of an Ingress comes from. */
export type TlsSettings =
  /** cert-manager issues one for each host. */
  | { mode: "cert-manager"; clusterIssuer: string }
  /** One wildcard certificate: a Secret in the operator's namespace, copied to where it is used. */
  | { mode: "wildcard"; secret: string }
  /** Plain HTTP, or TLS ends before the ingress controller. */
  | { mode: "none" };

/** What the configuration says about the way in. */
export interface ExposureSettings {
  ingressClass: string;
  tls: TlsSettings;
}

/** A port of a Service, by number or by name. */
export interface Backend {
  service: string;
  port: number | string;
}

/** The Ingress of one host. */
export function ingressObject(
  target: { name: string; namespace: string },
  to: { host: string; backend: Backend },
  { ingressClass, tls }: ExposureSettings,
): KubeObject {
  const { host, backend: { service, port } } = to;
  const backend = { service: { name: service, port: typeof port === "number" ? { number: port } : { name: port } } };
  const secretName = certificateSecret(host, tls);
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { ...target, annotations: issuerAnnotation(tls) },
    spec: {
      ingressClassName: ingressClass,
      rules: [{ host, http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }],
      ...(secretName ? { tls: [{ hosts: [host], secretName }] } : {}),
    },
  };
}

/** Name of the Secret that holds the key of the host's certificate, beside the Ingress. */
export function certificateSecret(host: string, tls: TlsSettings): string | undefined {
  if (tls.mode === "none") return undefined;
  return tls.mode === "wildcard" ? tls.secret : `${host}-tls`;
}

/** What makes cert-manager issue the certificate of an Ingress. */
export function issuerAnnotation(tls: TlsSettings): Record<string, string> {
  return tls.mode === "cert-manager" ? { "cert-manager.io/cluster-issuer": tls.clusterIssuer } : {};
}

/** Where a host is reached. */
export function urlOf(host: string, tls: TlsSettings): string {
  return `${tls.mode === "none" ? "http" : "https"}://${host}`;
}
