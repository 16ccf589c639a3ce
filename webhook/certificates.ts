/**
 * When the webhook's certificates are made anew, and how. `decide` is pure.
 *
 * One Secret, shared by all replicas, holds everything: `ca.crt` is a bundle of authorities, the newest first; `ca.key`
 * is the key of the first; `tls.crt` and `tls.key` are what replicas serve. What clients trust is the bundle, as
 * `caBundle` in the webhook configurations. No request is lost, because at every step what is served is signed by an
 * authority that is trusted already:
 *
 * ```
 *  nothing readable ── create ──▶ bundle [A], leaf by A
 *                                   │  ▲
 *        leaf past 2/3 of its life, │  │ issue: a new leaf by A
 *        or names changed           └──┘
 *                                   │
 *   A past 2/3, or its key is lost  │ extend: a new authority B in front, the leaf stays
 *                                   ▼
 *                           bundle [B, A], leaf by A ── spread: both configurations carry B, for a while
 *                                   │
 *                                   │ issue: a new leaf by B
 *                                   ▼
 *                           bundle [B, A], leaf by B ── the grace is over, or A is expired
 *                                   │
 *                                   │ retire: A leaves the bundle
 *                                   ▼
 *                           bundle [B], leaf by B
 * ```
 *
 * A leaf that is missing or expired serves nobody: it is issued at once, spread or not.
 *
 * @module
 */
import {
  canonicalNames,
  type CertifiedKey,
  createAuthority,
  isAuthority,
  isIssuedBy,
  isKeyOf,
  issueLeaf,
  namesOf,
  pemOf,
  readCertificates,
  type Validity,
} from "./x509.ts";

/** Keys of the Secret, which is of type `kubernetes.io/tls`. All values are PEM. */
export interface CertificateData {
  "ca.crt": string;
  "ca.key": string;
  "tls.crt": string;
  "tls.key": string;
}

/** How long things last, in milliseconds, and what the leaf is for. */
export interface CertificateOptions {
  /** DNS names and IP addresses that the API server reaches the webhook by. */
  names: readonly string[];
  /** Life of an authority; at least three times that of a leaf, or leaves end early. */
  authorityLifeMs: number;
  leafLifeMs: number;
  /** How long an authority stays trusted after the leaf of its successor: replicas may still serve the old one. */
  graceMs: number;
  /** How long a new authority must be seen in the configurations: API servers read them a little later than we do. */
  settleMs: number;
  /** How far the validity starts in the past: clocks differ. At most half of the leaf's life. */
  skewMs: number;
}

const HOUR_MS = 3_600_000;
const LONGEST_SETTLE_MS = 10_000;

/**
 * What a cluster runs with, from how long a leaf lives.
 *
 * @param leafLifeMs at least a minute
 */
export function livesOf(leafLifeMs: number): Omit<CertificateOptions, "names"> {
  return {
    leafLifeMs,
    authorityLifeMs: 12 * leafLifeMs,
    graceMs: Math.min(HOUR_MS, leafLifeMs / 20),
    settleMs: Math.min(LONGEST_SETTLE_MS, leafLifeMs / 60),
    skewMs: Math.min(HOUR_MS, leafLifeMs / 12),
  };
}

/** An authority of the bundle. */
export interface AuthorityFacts extends Validity {
  pem: string;
}

/** The leaf. */
export interface LeafFacts extends Validity {
  names: readonly string[];
  /** Which authority of the bundle signed it. */
  issuer: number;
}

/** What a Secret holds, as far as it can be used. */
export interface CertificateFacts {
  authorities: readonly AuthorityFacts[];
  /** Whether `ca.key` is the key of the first authority. */
  canSign: boolean;
  /** Undefined when certificate or key cannot be read, do not belong together, or no authority signed it. */
  leaf?: LeafFacts;
}

/** What is to be done. `why` is for the log. */
export type Decision =
  | { step: "create" | "extend" | "issue" | "retire"; why: string }
  | { step: "nothing"; lookAgainAt: number };

/** What {@link decide} looks at beside the Secret. */
export interface DecideOptions extends CertificateOptions {
  /** Since when all configurations were seen to carry the first authority, in milliseconds since the epoch. */
  spreadSince?: number;
}

/** Reads a Secret; whatever is in it. */
export async function readFacts(data: Partial<CertificateData> | undefined): Promise<CertificateFacts> {
  const authorities = readCertificates(data?.["ca.crt"] ?? "").filter(isAuthority);
  const [first] = authorities;
  const [leaf] = readCertificates(data?.["tls.crt"] ?? "");
  const facts: CertificateFacts = {
    authorities: authorities.map((certificate) => ({ pem: pemOf(certificate), ...validityOf(certificate) })),
    canSign: first !== undefined && await isKeyOf(data?.["ca.key"] ?? "", first),
  };
  if (leaf === undefined || !await isKeyOf(data?.["tls.key"] ?? "", leaf)) return facts;
  const signed = await Promise.all(authorities.map((authority) => isIssuedBy(leaf, authority)));
  const issuer = signed.indexOf(true);
  return issuer < 0 ? facts : { ...facts, leaf: { names: namesOf(leaf), issuer, ...validityOf(leaf) } };
}

/**
 * The next step.
 *
 * @param now milliseconds since the Unix epoch
 */
export function decide(facts: CertificateFacts, now: number, options: DecideOptions): Decision {
  const { authorities: [first, ...older], leaf } = facts;
  if (first === undefined) return { step: "create", why: "There is no authority" };
  if (!facts.canSign) return { step: "extend", why: "The authority has no key" };
  if (now >= renewalOf(first)) return { step: "extend", why: "The authority is past two thirds of its life" };
  if (leaf === undefined) return { step: "issue", why: "There is no usable certificate" };
  if (now >= leaf.notAfter) return { step: "issue", why: "The certificate is expired" };
  if (leaf.issuer !== 0) return decideHandover(leaf, now, options);
  if (!isSameList(leaf.names, canonicalNames(options.names))) return { step: "issue", why: "The names changed" };
  if (now >= renewalOf(leaf)) return { step: "issue", why: "The certificate is past two thirds of its life" };
  const ends = older.map((authority) => endOfTrust(authority, leaf, options));
  if (ends.some((end) => now >= end)) return { step: "retire", why: "The successor of the authority has taken over" };
  return { step: "nothing", lookAgainAt: Math.min(renewalOf(first), renewalOf(leaf), ...ends) };
}

/** The leaf waits for its new authority to be trusted. */
function decideHandover(leaf: LeafFacts, now: number, { spreadSince, settleMs }: DecideOptions): Decision {
  const readyAt = spreadSince === undefined ? Infinity : spreadSince + settleMs;
  if (now >= readyAt) return { step: "issue", why: "The new authority is trusted" };
  return { step: "nothing", lookAgainAt: Math.min(readyAt, leaf.notAfter) };
}

/**
 * Takes a step.
 *
 * @param data what the Secret holds
 * @param now milliseconds since the Unix epoch
 * @returns what it is to hold
 */
export async function takeStep(
  step: Exclude<Decision["step"], "nothing">,
  { data, now, options }: { data: Partial<CertificateData>; now: number; options: CertificateOptions },
): Promise<CertificateData> {
  const { authorities: [first, ...older], leaf: present } = await readFacts(data);
  const leaf = { "tls.crt": data["tls.crt"] ?? "", "tls.key": data["tls.key"] ?? "" };
  const signer = { cert: first?.pem ?? "", key: data["ca.key"] ?? "" };
  if (step === "retire") {
    const kept = older.filter((authority) => present && now < endOfTrust(authority, present, options));
    return { "ca.crt": signer.cert + bundleOf(kept), "ca.key": signer.key, ...leaf };
  }
  const trusted = older.filter(({ notAfter }) => now < notAfter);
  if (step === "issue") {
    const bundle = signer.cert + bundleOf(trusted);
    return { "ca.crt": bundle, "ca.key": signer.key, ...await newLeaf(signer, now, options) };
  }
  const made = await createAuthority(validityFrom(now, options.authorityLifeMs, options));
  if (step === "create") return { "ca.crt": made.cert, "ca.key": made.key, ...await newLeaf(made, now, options) };
  const before = first && now < first.notAfter ? [first, ...trusted] : trusted;
  return { "ca.crt": made.cert + bundleOf(before), "ca.key": made.key, ...leaf };
}

/** The bundle that clients are to trust. */
export function bundleOf(authorities: readonly AuthorityFacts[]): string {
  return authorities.map(({ pem }) => pem).join("");
}

/** When two thirds of a life are over. */
export function renewalOf({ notBefore, notAfter }: Validity): number {
  return notBefore + (notAfter - notBefore) * 2 / 3;
}

/** Until when an older authority is in the bundle, once the leaf is signed by the first. */
function endOfTrust(authority: Validity, leaf: Validity, { skewMs, graceMs }: CertificateOptions): number {
  return Math.min(authority.notAfter, leaf.notBefore + skewMs + graceMs);
}

async function newLeaf(
  signer: CertifiedKey,
  now: number,
  options: CertificateOptions,
): Promise<Pick<CertificateData, "tls.crt" | "tls.key">> {
  const validity = validityFrom(now, options.leafLifeMs, options);
  // Nothing outlives what it is trusted by.
  const end = readCertificates(signer.cert)[0]!.notAfter.getTime();
  const notAfter = Math.min(validity.notAfter, end);
  const { cert, key } = await issueLeaf(signer, { ...validity, notAfter, names: options.names });
  return { "tls.crt": cert, "tls.key": key };
}

function validityFrom(now: number, lifeMs: number, { skewMs }: CertificateOptions): Validity {
  return { notBefore: now - skewMs, notAfter: now + lifeMs };
}

function validityOf(certificate: { notBefore: Date; notAfter: Date }): Validity {
  return { notBefore: certificate.notBefore.getTime(), notAfter: certificate.notAfter.getTime() };
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, at) => item === b[at]);
}
