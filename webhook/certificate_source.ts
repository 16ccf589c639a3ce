/**
 * Where the webhook gets its certificate from: its own (certificate_manager.ts), or one that somebody else renews
 * (certificate_reader.ts).
 *
 * @module
 */
import type { CertifiedKey } from "./x509.ts";

/** What a TLS server needs. `cert` is a chain, the leaf first. */
export interface ServingCertificate extends CertifiedKey {
  /** Milliseconds since the Unix epoch. */
  notAfter: number;
}

/** Takes a certificate into use. @throws Error when it cannot; the one before stays. */
export type CertificateListener = (certificate: ServingCertificate) => void;

/** Keeps telling what is to be served. */
export interface CertificateSource {
  /** Calls back with every certificate that is to be served from now on, the first one included. */
  onRotate(listener: CertificateListener): void;
  /** Starts looking. Caches behind it must be filled. @returns Resolves after the first look. */
  start(): Promise<void>;
  /** Ends all timers; waits for what is under way. */
  stop(): Promise<void>;
}

/** Tells listeners of each certificate once. */
export class Announcer {
  readonly #listeners = new Set<CertificateListener>();
  #current?: ServingCertificate;

  /** What all listeners took last. */
  get current(): ServingCertificate | undefined {
    return this.#current;
  }

  add(listener: CertificateListener): void {
    this.#listeners.add(listener);
  }

  /** @throws What a listener throws: it is told again when the same certificate is offered again. */
  offer(certificate: ServingCertificate): void {
    if (this.#current?.cert === certificate.cert && this.#current.key === certificate.key) return;
    for (const listener of this.#listeners) listener(certificate);
    this.#current = certificate;
  }
}
