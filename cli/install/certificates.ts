/**
 * The certificate of admission: the Secret that holds it, and what cert-manager is asked for where it makes it. Pure.
 *
 * cert-manager gets an authority of its own that lives long and keeps its key, so that a renewal of the leaf changes
 * nothing in what is trusted, and one of the authority still fits all leaves that it has signed.
 *
 * @module
 */
import type { KubeObject } from "../../lib/api/object.ts";
import type { Config } from "../../lib/config.ts";
import { isAddress } from "../../webhook/x509.ts";

/** The shared Secret of our own certificates, with the authority's key. */
const OWN_SECRET = "maquette-webhook-certificates";
/** The Secret that cert-manager writes. */
const CERT_MANAGER_SECRET = "maquette-webhook-tls";
const GROUP = "cert-manager.io";
const LEAF = "maquette-webhook";
const AUTHORITY = "maquette-webhook-ca";
const BOOTSTRAP = "maquette-webhook-selfsigned";
const AUTHORITY_LIFE = "87600h";
const AUTHORITY_RENEWAL = "29200h";
const PRIVATE_KEY = { algorithm: "ECDSA", size: 256 };
const LABELS = { "app.kubernetes.io/name": "maquette", "app.kubernetes.io/component": "webhook" };

type CertificateChoice = Pick<Config, "namespace" | "webhookCertificates">;
interface IssuerReference {
  group: string;
  kind: string;
  name: string;
}

/** Name of the Secret in the operator's namespace that replicas serve from. */
export function certificateSecret({ webhookCertificates }: Pick<Config, "webhookCertificates">): string {
  return webhookCertificates === "own" ? OWN_SECRET : CERT_MANAGER_SECRET;
}

/** What makes cert-manager write `caBundle`; nothing where we do. */
export function injectionAnnotations({ namespace, webhookCertificates }: CertificateChoice): Record<string, string> {
  return webhookCertificates === "own" ? {} : { [`${GROUP}/inject-ca-from`]: `${namespace}/${LEAF}` };
}

/**
 * What cert-manager makes the certificate from; nothing where we make it.
 *
 * @param names DNS names and IP addresses that the API server reaches admission by
 */
export function certificateObjects(config: Config, names: readonly string[]): KubeObject[] {
  if (config.webhookCertificates === "own") return [];
  const [kind, name] = config.webhookIssuer.split("/");
  if (kind && name) return [leaf(config, names, { group: GROUP, kind, name })];
  return [...authority(config.namespace), leaf(config, names, issuerNamed(AUTHORITY))];
}

function authority(namespace: string): KubeObject[] {
  return [
    object("Issuer", BOOTSTRAP, namespace, { selfSigned: {} }),
    object("Certificate", AUTHORITY, namespace, {
      isCA: true,
      commonName: AUTHORITY,
      secretName: AUTHORITY,
      duration: AUTHORITY_LIFE,
      renewBefore: AUTHORITY_RENEWAL,
      privateKey: { ...PRIVATE_KEY, rotationPolicy: "Never" },
      issuerRef: issuerNamed(BOOTSTRAP),
    }),
    object("Issuer", AUTHORITY, namespace, { ca: { secretName: AUTHORITY } }),
  ];
}

function leaf(config: Config, names: readonly string[], issuerRef: IssuerReference): KubeObject {
  const { namespace, webhookCertificateSeconds: seconds } = config;
  const [addresses, dnsNames] = [names.filter(isAddress), names.filter((name) => !isAddress(name))];
  return object("Certificate", LEAF, namespace, {
    secretName: certificateSecret(config),
    ...(dnsNames.length > 0 ? { dnsNames } : {}),
    ...(addresses.length > 0 ? { ipAddresses: addresses } : {}),
    duration: `${seconds}s`,
    renewBefore: `${Math.floor(seconds / 3)}s`,
    usages: ["digital signature", "server auth"],
    privateKey: { ...PRIVATE_KEY, rotationPolicy: "Always" },
    issuerRef,
  });
}

function issuerNamed(name: string): IssuerReference {
  return { group: GROUP, kind: "Issuer", name };
}

function object(kind: string, name: string, namespace: string, spec: Record<string, unknown>): KubeObject {
  return { apiVersion: `${GROUP}/v1`, kind, metadata: { name, namespace, labels: { ...LABELS } }, spec };
}
