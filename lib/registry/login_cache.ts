/**
 * Logins that are still good, so that one is not asked for with every question.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Clock } from "../runtime/clock.ts";
import type { Credential } from "./docker_config.ts";
import type { Endpoint } from "./endpoints.ts";
import type { Login } from "./login.ts";

/** Most logins that are kept; the oldest go first. */
const MAX_KEPT = 500;
/** A login is not used for the end of its time: clocks differ, and questions take a moment. */
const MARGIN_MS = 10_000;
const LONGEST_MS = 3_600_000;

/** Logins by repository and credential. They are in memory only, and under no name that tells the credential. */
export class LoginCache {
  readonly #clock: Clock;
  readonly #kept = new Map<string, { authorization: string; until: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The login to begin with, if there is one that still holds. */
  get(endpoint: Endpoint, credential: Credential | undefined): string | undefined {
    const key = keyOf(endpoint, credential);
    const kept = this.#kept.get(key);
    if (kept === undefined || kept.until > this.#clock.now()) return kept?.authorization;
    this.#kept.delete(key);
    return undefined;
  }

  /** Keeps a token for as long as its server said, an hour at most; a name and password need no keeping. */
  put(endpoint: Endpoint, credential: Credential | undefined, login: Login): void {
    const ms = Math.min((login.expiresIn ?? 0) * 1000 - MARGIN_MS, LONGEST_MS);
    if (ms <= 0) return;
    const key = keyOf(endpoint, credential);
    this.#kept.delete(key);
    this.#kept.set(key, { authorization: login.authorization, until: this.#clock.now() + ms });
    if (this.#kept.size > MAX_KEPT) this.#kept.delete(this.#kept.keys().next().value!);
  }

  /** Forgets a login that a registry refused. */
  drop(endpoint: Endpoint, credential: Credential | undefined): void {
    this.#kept.delete(keyOf(endpoint, credential));
  }
}

function keyOf({ origin, repository }: Endpoint, credential: Credential | undefined): string {
  const parts = credential && [credential.username, credential.password, credential.identityToken ?? ""];
  const who = parts ? createHash("sha256").update(JSON.stringify(parts)).digest("hex") : "";
  return `${origin.origin}/${repository} ${who}`;
}
