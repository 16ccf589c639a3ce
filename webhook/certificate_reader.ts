/**
 * Serves a certificate that somebody else makes and renews, such as cert-manager: reads the Secret, and writes nothing.
 *
 * Guarantees: every good certificate that the Secret shows is served from then on; one that cannot be read, whose key is
 * another's, or that the server refuses is not, and the one before stays, as it does when the Secret is deleted. Whether
 * clients trust it is the issuer's business: it writes `caBundle`.
 *
 * @module
 */
import type { Clock } from "../lib/runtime/clock.ts";
import type { Logger } from "../lib/runtime/log.ts";
import type { CertificateStore } from "./certificate_manager.ts";
import { Announcer, type CertificateListener, type CertificateSource } from "./certificate_source.ts";
import { isPair, readCertificates } from "./x509.ts";

/** What the reader needs. */
export interface CertificateReaderDeps {
  store: Pick<CertificateStore, "secret" | "onChange">;
  clock: Clock;
  log: Logger;
}

/** The server may have refused for a reason that passes, such as a port that is taken. */
const RETRY_MS = 10_000;

/** See the module. */
export class CertificateReader implements CertificateSource {
  readonly #deps: CertificateReaderDeps;
  readonly #served = new Announcer();
  #unsubscribe = (): void => {};
  #cancelTimer = (): void => {};

  constructor(deps: CertificateReaderDeps) {
    this.#deps = deps;
  }

  onRotate(listener: CertificateListener): void {
    this.#served.add(listener);
  }

  start(): Promise<void> {
    this.#unsubscribe = this.#deps.store.onChange(() => this.#look());
    this.#look();
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#unsubscribe();
    this.#cancelTimer();
    return Promise.resolve();
  }

  #look(): void {
    this.#cancelTimer();
    const { store, clock, log } = this.#deps;
    try {
      this.#serve(store.secret()?.data);
    } catch (error) {
      log.error("Failed to use the webhook's certificate", { error, isServing: this.#served.current !== undefined });
      this.#cancelTimer = clock.at(clock.now() + RETRY_MS, () => this.#look());
    }
  }

  #serve(data: Partial<Record<"tls.crt" | "tls.key", string>> | undefined): void {
    // Deleted: whoever renews it makes another, and until then the one that is served is as good as before.
    if (!data) return;
    const { "tls.crt": cert = "", "tls.key": key = "" } = data;
    const [leaf] = readCertificates(cert);
    if (!leaf) throw new Error("Cannot read a certificate in tls.crt of the Secret");
    if (!isPair(leaf, key)) throw new Error("The key in tls.key of the Secret is not that of tls.crt");
    this.#served.offer({ cert, key, notAfter: leaf.notAfter.getTime() });
  }
}
