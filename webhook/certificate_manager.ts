/**
 * Keeps the webhook's certificates: reads the shared Secret, serves what is in it, takes the next step where one is due
 * (certificates.ts says which), and keeps `caBundle` right in the webhook configurations.
 *
 * Guarantees: it only acts on what it sees, so it recovers by itself from a Secret that is deleted or damaged and from
 * an edited caBundle; nothing is written when nothing differs; of two replicas that write at once one wins and the other
 * reads again. A replica that still holds good certificates goes on with them when the Secret is lost: a new authority
 * is put in front of the old, so no request fails, and whoever deleted the Secret because it leaked gets new keys.
 *
 * @module
 */
import type { Clock } from "../lib/runtime/clock.ts";
import type { Logger } from "../lib/runtime/log.ts";
import {
  bundleOf,
  type CertificateData,
  type CertificateFacts,
  type CertificateOptions,
  decide,
  readFacts,
  takeStep,
} from "./certificates.ts";
import {
  Announcer,
  type CertificateListener,
  type CertificateSource,
  type ServingCertificate,
} from "./certificate_source.ts";

/** The Secret as it was last seen. */
export interface StoredSecret {
  /** Values as text, not as base64. */
  data: Partial<CertificateData>;
  resourceVersion: string;
}

/** `caBundle` of one webhook in one configuration. */
export interface CaBundle {
  /** Kind and name of the configuration. */
  configuration: string;
  webhook: string;
  /** PEM, not base64; undefined where there is none. */
  caBundle: string | undefined;
}

/** The effects. What it reads may lag behind what was written; every change, own ones too, must be told. */
export interface CertificateStore {
  /** Undefined when there is no Secret. */
  secret(): StoredSecret | undefined;
  /**
   * Replaces the Secret's data.
   *
   * @param resourceVersion of the Secret that is replaced; undefined to create it. Where that is not what is stored, the
   *   answer is `conflict` and nothing is written
   */
  saveSecret(data: CertificateData, resourceVersion: string | undefined): Promise<"saved" | "conflict">;
  /** Of all webhooks of the configurations that there are. */
  caBundles(): CaBundle[];
  /**
   * Writes the bundle into every webhook of every configuration that differs.
   *
   * @param bundlePem PEM, not base64
   * @param resourceVersion of the Secret that it follows from; undefined where there is none. Where that is not what is
   *   stored, the answer is `conflict` and nothing is written: another replica is ahead, and its bundle may be needed
   */
  setCaBundle(bundlePem: string, resourceVersion: string | undefined): Promise<"saved" | "conflict">;
  /** Calls back after every change of the Secret or a configuration. @returns Ends that. */
  onChange(listener: () => void): () => void;
}

/** What the manager needs. */
export interface CertificateManagerDeps {
  store: CertificateStore;
  clock: Clock;
  log: Logger;
  options: CertificateOptions;
}

/** After a conflict or an error; also between two writes of the same caBundle, where somebody else writes another. */
const RETRY_MS = 1_000;
/** A clock that was set, or a machine that slept, is noticed by then. */
const LONGEST_WAIT_MS = 12 * 3_600_000;

/** See the module. */
export class CertificateManager implements CertificateSource {
  readonly #deps: CertificateManagerDeps;
  readonly #served = new Announcer();
  /** The last Secret from which a certificate could be served. */
  #known?: Partial<CertificateData>;
  #spread?: { authority: string; since: number };
  #bundleWrittenAt = -Infinity;
  #running?: Promise<void>;
  #isChanged = false;
  #isStopped = false;
  #cancelTimer = (): void => {};
  #unsubscribe = (): void => {};

  constructor(deps: CertificateManagerDeps) {
    this.#deps = deps;
  }

  /** What is to be served now; undefined until the first Secret was seen. */
  current(): ServingCertificate | undefined {
    return this.#served.current;
  }

  onRotate(listener: CertificateListener): void {
    this.#served.add(listener);
  }

  start(): Promise<void> {
    this.#unsubscribe = this.#deps.store.onChange(() => void this.#look());
    return this.#look();
  }

  /** Resolves when no look is under way. */
  async settled(): Promise<void> {
    await this.#running;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#unsubscribe();
    this.#cancelTimer();
    await this.settled();
  }

  /** One look at a time; a change during a look leads to another one. */
  #look(): Promise<void> {
    this.#isChanged = true;
    this.#running ??= this.#lookWhileChanged();
    return this.#running;
  }

  async #lookWhileChanged(): Promise<void> {
    while (this.#isChanged && !this.#isStopped) {
      this.#isChanged = false;
      this.#cancelTimer();
      const { clock, log } = this.#deps;
      let next = clock.now() + RETRY_MS;
      try {
        next = await this.#step();
      } catch (error) {
        log.error("Failed to keep the webhook's certificates", { error });
      }
      const latest = clock.now() + LONGEST_WAIT_MS;
      if (!this.#isStopped) this.#cancelTimer = clock.at(Math.min(next, latest), () => void this.#look());
    }
    // Here and not in a callback: a change that is told in between would wait for nobody.
    this.#running = undefined;
  }

  /** @returns When to look again, in milliseconds since the epoch. */
  async #step(): Promise<number> {
    const { store, clock, log, options } = this.#deps;
    const stored = store.secret();
    const { data, facts } = await this.#take(stored?.data ?? {});
    const bundleAt = await this.#keepBundle(facts, stored?.resourceVersion);
    const now = clock.now();
    const decision = decide(facts, now, { ...options, spreadSince: this.#spreadSince(facts, now) });
    if (decision.step === "nothing") return Math.min(decision.lookAgainAt, bundleAt);
    const { step, why } = decision;
    const saved = await store.saveSecret(await takeStep(step, { data, now, options }), stored?.resourceVersion);
    log.info("Webhook certificates changed", { step, why, result: saved });
    return clock.now() + RETRY_MS;
  }

  /** Serves what the Secret holds. @returns What the next step starts from: that, or what was last served when it is lost. */
  async #take(
    data: Partial<CertificateData>,
  ): Promise<{ data: Partial<CertificateData>; facts: CertificateFacts }> {
    const facts = await readFacts(data);
    const now = this.#deps.clock.now();
    if (facts.leaf && now < facts.leaf.notAfter) {
      this.#serve(data, facts.leaf.notAfter);
      return { data, facts };
    }
    const { current } = this.#served;
    if (current === undefined || now >= current.notAfter) return { data, facts };
    // Without the key a new authority comes first: it is not known who has the old one.
    const remembered = { ...this.#known, "ca.key": "" };
    return { data: remembered, facts: await readFacts(remembered) };
  }

  #serve(data: Partial<CertificateData>, notAfter: number): void {
    this.#known = data;
    const { "tls.crt": cert = "", "tls.key": key = "" } = data;
    this.#served.offer({ cert, key, notAfter });
  }

  /** Writes the bundle where it differs. @returns When to look again at the latest. */
  async #keepBundle({ authorities }: CertificateFacts, resourceVersion: string | undefined): Promise<number> {
    const { store, clock, log } = this.#deps;
    const bundle = bundleOf(authorities);
    if (bundle === "" || store.caBundles().every(({ caBundle }) => caBundle === bundle)) return Infinity;
    const soonest = this.#bundleWrittenAt + RETRY_MS;
    if (clock.now() < soonest) return soonest;
    this.#bundleWrittenAt = clock.now();
    try {
      const result = await store.setCaBundle(bundle, resourceVersion);
      log.info("Webhook configurations trust other authorities", { authorities: authorities.length, result });
    } catch (error) {
      // Rights may be missing, and the certificates must be kept all the same.
      log.error("Failed to write caBundle into the webhook configurations", { error });
    }
    return clock.now() + RETRY_MS;
  }

  /** Since when every configuration carries the first authority. */
  #spreadSince({ authorities: [first] }: CertificateFacts, now: number): number | undefined {
    const { store } = this.#deps;
    const isSpread = first !== undefined && store.caBundles().every(({ caBundle }) => caBundle?.includes(first.pem));
    if (!isSpread) this.#spread = undefined;
    else if (this.#spread?.authority !== first.pem) this.#spread = { authority: first.pem, since: now };
    return this.#spread?.since;
  }
}
