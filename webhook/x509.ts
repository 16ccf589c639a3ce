/**
 * X.509 certificates for the webhook: made and read. ECDSA on P-256, which every TLS client knows.
 *
 * Built on `@peculiar/x509`, because WebCrypto makes keys and signatures but no certificates. Its container of
 * dependencies wants `reflect-metadata` loaded first.
 *
 * @module
 */
import { createPublicKey } from "node:crypto";
import "reflect-metadata";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  IP,
  type JsonGeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";

/** A certificate with its private key, both as PEM (PKCS #8 for the key). */
export interface CertifiedKey {
  cert: string;
  key: string;
}

/** From when until when, in milliseconds since the Unix epoch; X.509 counts in seconds. */
export interface Validity {
  notBefore: number;
  notAfter: number;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const CERTIFICATE_PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const NAME = "maquette-webhook";

/** Makes an authority that can sign leaves and nothing below them. */
export async function createAuthority(validity: Validity): Promise<CertifiedKey> {
  const keys = await createKeys();
  const serialNumber = randomSerial();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber,
    // Two authorities are trusted at once during a rotation: their names tell them apart.
    name: `CN=${NAME}-ca-${serialNumber.slice(-8)}`,
    ...dates(validity),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { cert: pemOf(certificate), key: await keyPem(keys.privateKey) };
}

/**
 * Makes a server's certificate.
 *
 * @param names DNS names and IP addresses that clients reach it by
 */
export async function issueLeaf(
  authority: CertifiedKey,
  { names, ...validity }: Validity & { names: readonly string[] },
): Promise<CertifiedKey> {
  const issuer = new X509Certificate(authority.cert);
  const keys = await createKeys();
  const certificate = await X509CertificateGenerator.create({
    serialNumber: randomSerial(),
    subject: `CN=${NAME}`,
    issuer: issuer.subject,
    ...dates(validity),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: await readKey(authority.key),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      alternativeNames(names),
      await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { cert: pemOf(certificate), key: await keyPem(keys.privateKey) };
}

/** The certificates in a PEM text; what is no certificate is passed over. */
export function readCertificates(pem: string): X509Certificate[] {
  return (pem.match(CERTIFICATE_PEM) ?? []).flatMap((text) => {
    try {
      return [new X509Certificate(text)];
    } catch {
      return [];
    }
  });
}

/** A certificate as PEM, with a line end. */
export function pemOf(certificate: X509Certificate): string {
  return `${certificate.toString("pem")}\n`;
}

/** Whether a private key that we could have made belongs to a certificate; false for what is no such key. */
export async function isKeyOf(key: string, certificate: X509Certificate): Promise<boolean> {
  try {
    const probe = crypto.getRandomValues(new Uint8Array(32));
    const signature = await crypto.subtle.sign(ALGORITHM, await readKey(key), probe);
    return await crypto.subtle.verify(ALGORITHM, await certificate.publicKey.export(), signature, probe);
  } catch {
    return false;
  }
}

/** Whether a private key of any kind that TLS knows belongs to a certificate; false for what is no key. */
export function isPair(certificate: X509Certificate, key: string): boolean {
  try {
    const own = createPublicKey(key).export({ type: "spki", format: "der" });
    return own.equals(new Uint8Array(certificate.publicKey.rawData));
  } catch {
    return false;
  }
}

/** Serial number of the first certificate in a PEM text, in hexadecimal digits as openssl prints it. */
export function serialOf(pem: string): string | undefined {
  return readCertificates(pem)[0]?.serialNumber.toUpperCase();
}

/** Whether the authority signed the certificate; its dates are not looked at. */
export async function isIssuedBy(certificate: X509Certificate, authority: X509Certificate): Promise<boolean> {
  try {
    return certificate.issuer === authority.subject &&
      await certificate.verify({ publicKey: authority.publicKey, signatureOnly: true });
  } catch {
    return false;
  }
}

/** Whether a certificate may sign others. */
export function isAuthority(certificate: X509Certificate): boolean {
  return certificate.getExtension(BasicConstraintsExtension)?.ca === true;
}

/** DNS names and IP addresses of a certificate, sorted. */
export function namesOf(certificate: X509Certificate): string[] {
  const names = certificate.getExtension(SubjectAlternativeNameExtension)?.names.items ?? [];
  return names.map(({ value }) => value).sort();
}

/** Names as {@link namesOf} would give them back: an IPv6 address has many spellings, and a certificate keeps none. */
export function canonicalNames(names: readonly string[]): string[] {
  const written = alternativeNames(names);
  return new SubjectAlternativeNameExtension(written.rawData).names.items.map(({ value }) => value).sort();
}

function alternativeNames(names: readonly string[]): SubjectAlternativeNameExtension {
  return new SubjectAlternativeNameExtension([...new Set(names)].map(generalName));
}

function generalName(value: string): JsonGeneralName {
  return { type: isAddress(value) ? IP : "dns", value };
}

/** Whether a name is an IP address and no DNS name. */
export function isAddress(name: string): boolean {
  return name.includes(":") || /^\d{1,3}(\.\d{1,3}){3}$/.test(name);
}

/** Outwards to whole seconds, so that a short life does not become shorter. */
function dates({ notBefore, notAfter }: Validity): { notBefore: Date; notAfter: Date } {
  return {
    notBefore: new Date(Math.floor(notBefore / 1000) * 1000),
    notAfter: new Date(Math.ceil(notAfter / 1000) * 1000),
  };
}

async function createKeys(): Promise<CryptoKeyPair> {
  return await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]) as CryptoKeyPair;
}

async function keyPem(key: CryptoKey): Promise<string> {
  return `${PemConverter.encode(await crypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY")}\n`;
}

/** @throws Error for what is no P-256 key in PKCS #8 */
async function readKey(pem: string): Promise<CryptoKey> {
  return await crypto.subtle.importKey("pkcs8", PemConverter.decodeFirst(pem), ALGORITHM, false, ["sign"]);
}

/** 16 random bytes, the first of which makes the number positive and of full length. */
function randomSerial(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
