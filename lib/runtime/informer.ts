/**
 * Keeps a {@link Cache} equal to one resource on the API server: list, then watch, for ever.
 *
 * Guarantees (promise 1 of ARCHITECTURE.md): the watch cannot go blind. A quiet watch is proven alive by the bookmarks
 * that the server sends about once a minute; a silent one is given up after {@link InformerTimings.idleMs}, and one that
 * outlives its server-side timeout too. 410 lists again; 429, 5xx and watches that end as soon as they begin back off with
 * jitter and honour Retry-After. Every {@link InformerTimings.verifyMs} a second list is compared with the cache, and
 * what the watch had missed is counted and mended. What one listener or one odd object throws keeps nothing from others.
 *
 * @module
 */
import { keyOf, type KubeObject, type Resource } from "../api/object.ts";
import { hasStatus, KubeError } from "../kube/errors.ts";
import { backoffMs } from "./backoff.ts";
import { Cache, type Change, type Lister } from "./cache.ts";
import { sleep } from "./clock.ts";
import {
  DEFAULT_TIMINGS,
  type InformerDeps,
  type InformerSpec,
  type InformerTimings,
  type WatchEnd,
} from "./informer_options.ts";
import { untilAborted } from "./until_aborted.ts";
import { isNewer } from "./version.ts";

export { DEFAULT_TIMINGS };
export type { InformerDeps, InformerSpec, InformerTimings, ListWatch, WatchEnd } from "./informer_options.ts";

const PAGE = 500;
/** Longer than the server's own timeout by this, a watch is given up even while it talks. */
const DEADLINE_GRACE_MS = 30_000;
/** A watch that ends sooner is a failure, however politely it ends: without a pause it would be asked for in a loop. */
const SHORTEST_WATCH_MS = 1_000;
const CATCH_UP_MS = 1_000;

/** See the module. One per resource and scope; shared by all who read it. */
export class Informer {
  readonly resource: Resource;
  readonly #spec: InformerSpec;
  readonly #deps: InformerDeps;
  readonly #timings: InformerTimings;
  readonly #cache = new Cache();
  readonly #listeners: ((change: Change) => void)[] = [];
  #version: string | undefined;
  #synced = false;
  /** Full lists that were taken in. */
  #lists = 0;
  #lastAlive: number;
  #failures = 0;
  /** Waits before the next try: what the watch does not show meanwhile is late, not missed. */
  #isHeldOff = false;
  #announceSync!: () => void;
  /** Resolves when the first list is in the cache. */
  readonly whenSynced: Promise<void>;

  constructor(spec: InformerSpec, deps: InformerDeps) {
    this.resource = spec.resource;
    this.#spec = spec;
    this.#deps = deps;
    this.#timings = deps.timings ?? DEFAULT_TIMINGS;
    this.#lastAlive = deps.clock.now();
    this.whenSynced = new Promise((resolve) => this.#announceSync = resolve);
  }

  get cache(): Lister & Pick<Cache, "addIndex"> {
    return this.#cache;
  }

  get synced(): boolean {
    return this.#synced;
  }

  /** Milliseconds since the server last said anything on the watch or answered a list. */
  get silentMs(): number {
    return this.#deps.clock.now() - this.#lastAlive;
  }

  /** Calls back on every change, also on those of the first list. */
  subscribe(listener: (change: Change) => void): void {
    this.#listeners.push(listener);
  }

  /**
   * Takes in the answer to a write of our own, so that the next look sees it before the watch shows it. Listeners are
   * told at once and with `isOwn`, because the watch event of the same version is no news any more: other kinds must
   * hear of the write, and who wrote must hear what somebody else had changed just before.
   */
  observe(object: KubeObject): void {
    this.#put(this.#shaped(object), true);
  }

  /** Lists and watches until the signal ends it. Never throws. */
  async run(signal: AbortSignal): Promise<void> {
    const verifying = this.#verifyForEver(signal);
    let end: WatchEnd | undefined;
    while (!signal.aborted) {
      const before = end;
      end = "closed";
      try {
        if (this.#version === undefined) await this.#list(signal);
        const started = this.#deps.clock.now();
        end = await this.#watchOnce(signal);
        const isShort = this.#deps.clock.now() - started < SHORTEST_WATCH_MS;
        if (isShort && !signal.aborted) await this.#holdOff(new Error("Watch ended as soon as it began"), signal);
      } catch (error) {
        if (signal.aborted) break;
        end = hasStatus(error, 410) ? "expired" : "error";
        if (end === "expired") this.#version = undefined;
        // The server is there and says what to do: however often it was not, that need not wait. Said again, it must.
        if (end === "expired" && before !== "expired") this.#failures = 0;
        await this.#holdOff(error, signal);
      }
      if (!signal.aborted) this.#deps.metrics?.watchEnded(this.resource, end);
    }
    await verifying;
  }

  async #holdOff(error: unknown, signal: AbortSignal): Promise<void> {
    this.#failures++;
    const asked = error instanceof KubeError ? error.retryAfterMs ?? 0 : 0;
    const wait = backoffMs(this.#failures, {
      baseMs: this.#timings.backoffBaseMs,
      capMs: this.#timings.backoffCapMs,
      random: this.#deps.random,
    });
    const delay = Math.max(asked, wait);
    this.#deps.log.warn("Watch ended, trying again", {
      resource: this.resource.plural,
      error,
      delayMs: Math.round(delay),
    });
    this.#isHeldOff = true;
    await sleep(this.#deps.clock, delay, signal);
    this.#isHeldOff = false;
  }

  async #pages(signal: AbortSignal, take: (items: KubeObject[]) => void): Promise<string> {
    let next: string | undefined;
    do {
      const page = await this.#deps.kube.list(this.resource, this.#spec, { limit: PAGE, next, signal });
      this.#lastAlive = this.#deps.clock.now();
      take(page.items);
      next = page.next;
      if (!next) return page.resourceVersion;
    } while (!signal.aborted);
    throw new DOMException("Listing was stopped", "AbortError");
  }

  async #list(signal: AbortSignal): Promise<void> {
    const seen = new Set<string>();
    const version = await this.#pages(signal, (items) => {
      for (const item of items) {
        seen.add(keyOf(item));
        this.#put(this.#shaped(item));
      }
    });
    for (const key of [...this.#cache.keys()]) if (!seen.has(key)) this.#remove(key, version);
    this.#version = version;
    this.#lists++;
    this.#synced = true;
    this.#announceSync();
  }

  async #watchOnce(signal: AbortSignal): Promise<WatchEnd> {
    const { clock, kube, random } = this.#deps;
    const [least, most] = this.#timings.watchSeconds;
    const timeoutSeconds = Math.round(least + random() * (most - least));
    const started = clock.now();
    const ending = new AbortController();
    const stop = (): void => ending.abort();
    let heard = started;
    // One timer that looks again beats one set anew at every event.
    const look = (): void => {
      const end = Math.min(heard + this.#timings.idleMs, started + timeoutSeconds * 1000 + DEADLINE_GRACE_MS);
      if (clock.now() >= end) stop();
      else cancel = clock.at(end, look);
    };
    let cancel = clock.at(started + this.#timings.idleMs, look);
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
    try {
      const options = { resourceVersion: this.#version!, timeoutSeconds, signal: ending.signal };
      for await (const event of untilAborted(kube.watch(this.resource, this.#spec, options), ending.signal)) {
        heard = this.#lastAlive = clock.now();
        this.#failures = 0;
        if (event.type === "DELETED") this.#remove(keyOf(event.object), event.object.metadata.resourceVersion);
        else if (event.type !== "BOOKMARK") this.#put(this.#shaped(event.object));
        this.#version = event.object.metadata.resourceVersion;
      }
      return ending.signal.aborted ? "idle" : "closed";
    } catch (error) {
      if (ending.signal.aborted && !signal.aborted) return "idle";
      throw error;
    } finally {
      cancel();
      signal.removeEventListener("abort", stop);
    }
  }

  #shaped(object: KubeObject): KubeObject | undefined {
    const { shape } = this.#spec;
    return shape ? this.#guarded("Object could not be shaped", object, () => shape(object)) : object;
  }

  #put(object: KubeObject | undefined, isOwn = false): boolean {
    const change = object && this.#guarded("Object could not be cached", object, () => this.#cache.put(object));
    if (change) this.#tell(isOwn ? { ...change, isOwn } : change);
    return change !== undefined;
  }

  #remove(key: string, version: string | undefined): boolean {
    const change = this.#cache.remove(key, version);
    if (change) this.#tell(change);
    return change !== undefined;
  }

  #tell(change: Change): void {
    for (const listener of this.#listeners) {
      this.#guarded("Listener failed", change.object, () => listener(change));
    }
  }

  /** An error thrown further would end the watch at this object again and again. */
  #guarded<T>(failure: string, object: KubeObject, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      this.#deps.log.error(failure, { resource: this.resource.plural, key: keyOf(object), error });
      return undefined;
    }
  }

  async #verifyForEver(signal: AbortSignal): Promise<void> {
    const { clock, random, log, metrics } = this.#deps;
    while (!signal.aborted) {
      await sleep(clock, this.#timings.verifyMs * (0.75 + random() / 2), signal);
      if (signal.aborted || !this.#synced) continue;
      try {
        const missed = await this.#verify(signal);
        if (missed === 0) continue;
        log.error("Watch missed events, listing again", { resource: this.resource.plural, missed });
        metrics?.eventsMissed(this.resource, missed);
      } catch (error) {
        if (!signal.aborted) log.warn("Verifying list failed", { resource: this.resource.plural, error });
      }
    }
  }

  /** @returns How many objects of a fresh list the watch had not shown although it had time to; they are mended. */
  async #verify(signal: AbortSignal): Promise<number> {
    const listed = new Map<string, KubeObject | undefined>();
    const lists = this.#lists;
    const version = await this.#pages(signal, (items) => {
      for (const item of items) listed.set(keyOf(item), this.#shaped(item));
    });
    await this.#catchUp(version, signal);
    // A full list that came meanwhile has mended all. What was made and deleted between the two would come back to life.
    if (signal.aborted || this.#lists !== lists) return 0;
    let missed = 0;
    for (const object of listed.values()) if (this.#put(object)) missed++;
    for (const key of [...this.#cache.keys()]) if (!listed.has(key) && this.#remove(key, version)) missed++;
    return missed;
  }

  /** What the watch would show within one idle time is late, not missed: a bookmark at or past the list proves it. */
  async #catchUp(version: string, signal: AbortSignal): Promise<void> {
    let patienceMs = this.#timings.idleMs;
    while (isNewer(version, this.#version) && patienceMs > 0 && !signal.aborted) {
      await sleep(this.#deps.clock, CATCH_UP_MS, signal);
      if (!this.#isHeldOff) patienceMs -= CATCH_UP_MS;
    }
  }
}
