import "reflect-metadata";
import * as x509 from "@peculiar/x509";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const dayMs = 86_400_000;

/** A key and what proves it, both PEM. */
export interface KeyPair {
  certificate: string;
  key: string;
}

/** What a certificate says. */
export interface Subject {
  /** User name, for clients. */
  commonName: string;
  /** Groups, for clients. */
  organizations?: string[];
  /** Addresses and names, for servers. */
  hosts?: string[];
}

/** A certificate authority that lives as long as one control plane. */
export class Authority {
  /** The authority's certificate and key, PEM. */
  readonly pair: KeyPair;
  readonly #certificate: x509.X509Certificate;
  readonly #keys: CryptoKeyPair;
  readonly #now: Date;

  private constructor(certificate: x509.X509Certificate, keys: CryptoKeyPair, pair: KeyPair, now: Date) {
    this.#certificate = certificate;
    this.#keys = keys;
    this.pair = pair;
    this.#now = now;
  }

  /** Makes a new authority whose certificates are valid from an hour before `now` for a year. */
  static async create(now: Date): Promise<Authority> {
    x509.cryptoProvider.set(crypto);
    const keys = await generateKeys();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      ...validity(now),
      serialNumber: "01",
      name: "CN=maquette-control-plane",
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    const pair = { certificate: certificate.toString("pem"), key: await privatePem(keys) };
    return new Authority(certificate, keys, pair, now);
  }

  /** Issues a certificate that serves as client and, for the given hosts, as server. */
  async issue(subject: Subject): Promise<KeyPair> {
    const keys = await generateKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      ...validity(this.#now),
      serialNumber: `1${crypto.randomUUID().replaceAll("-", "").slice(0, 15)}`,
      subject: [...(subject.organizations ?? []).map((name) => ({ O: [name] })), { CN: [subject.commonName] }],
      issuer: this.#certificate.subject,
      signingAlgorithm: algorithm,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      extensions: [
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
        ...alternativeNames(subject.hosts ?? []),
      ],
    });
    return { certificate: certificate.toString("pem"), key: await privatePem(keys) };
  }
}

/** Makes a key pair for signing service-account tokens: private and public PEM. */
export async function signingKeys(): Promise<{ privateKey: string; publicKey: string }> {
  const keys = await generateKeys();
  const publicKey = pem("PUBLIC KEY", await crypto.subtle.exportKey("spki", keys.publicKey));
  return { privateKey: await privatePem(keys), publicKey };
}

function alternativeNames(hosts: string[]): x509.Extension[] {
  if (!hosts.length) return [];
  const names = hosts.map((value) => ({ type: /^[\d.]+$/.test(value) ? "ip" as const : "dns" as const, value }));
  return [new x509.SubjectAlternativeNameExtension(names)];
}

function validity(now: Date): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(now.getTime() - dayMs / 24), notAfter: new Date(now.getTime() + 365 * dayMs) };
}

async function generateKeys(): Promise<CryptoKeyPair> {
  return await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]) as CryptoKeyPair;
}

async function privatePem(keys: CryptoKeyPair): Promise<string> {
  return pem("PRIVATE KEY", await crypto.subtle.exportKey("pkcs8", keys.privateKey));
}

function pem(label: string, bytes: ArrayBuffer): string {
  const lines = btoa(String.fromCharCode(...new Uint8Array(bytes))).match(/.{1,64}/g)!;
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
