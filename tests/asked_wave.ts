/**
 * A wave of creates, updates and deletes of PreviewEnvironments, and what it asks for in the end.
 *
 * @module
 */
import { type KubeObject } from "../lib/api/object.ts";
import { PREVIEW_ENVIRONMENT } from "../lib/api/preview_environment.ts";
import type { KubeClient } from "../lib/kube/client.ts";
import { hasStatus } from "../lib/kube/errors.ts";
import { difference } from "../lib/runtime/differs.ts";
import { waitFor } from "./wait.ts";

const KIND = PREVIEW_ENVIRONMENT.resource;
/** As often as CI would try, and longer than any fault. */
const ACCEPTED_MS = 180_000;
const LONG_TTL_SECONDS = 86_400;

/** What the turns of a wave do, again and again in this order. A name that was deleted is often created anew. */
const TURNS = [
  "create",
  "update",
  "create",
  "delete",
  "update",
  "create",
  "update",
  "again",
  "create",
  "delete",
] as const;

/** See the module. Requests are repeated until they are accepted: while the operator is down, admission refuses them. */
export class Wave {
  readonly #kube: KubeClient;
  readonly #random: () => number;
  readonly #asked = new Map<number, KubeObject>();
  readonly #deleted: number[] = [];
  /** What is under way for a pull request: the next request comes behind it. */
  readonly #pending = new Map<number, Promise<void>>();
  #turn = 0;
  #latest = 0;

  /** @param random Numbers in [0, 1): the same ones make the same wave. */
  constructor(kube: KubeClient, random: () => number) {
    this.#kube = kube;
    this.#random = random;
  }

  /** What shall exist once everything is accepted. */
  get asked(): KubeObject[] {
    return [...this.#asked.values()];
  }

  /** Sends the next requests of the wave, all at once. Done when all are accepted. */
  async send(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => this.#next()));
  }

  /** Creates environments only. Done when all are accepted. */
  async create(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => this.#create(++this.#latest)));
  }

  #next(): Promise<void> {
    const turn = TURNS[this.#turn++ % TURNS.length]!;
    const target = turn === "create"
      ? undefined
      : this.#pick(turn === "again" ? this.#deleted : [...this.#asked.keys()]);
    if (target === undefined || turn === "create") return this.#create(++this.#latest);
    if (turn === "update") return this.#update(target);
    if (turn === "delete") return this.#delete(target);
    this.#deleted.splice(this.#deleted.indexOf(target), 1);
    return this.#create(target);
  }

  #pick(from: readonly number[]): number | undefined {
    return from[Math.floor(this.#random() * from.length)];
  }

  #create(pr: number): Promise<void> {
    const object = environment(pr, `v${this.#number(9)}`);
    this.#asked.set(pr, object);
    return this.#send(pr, "create", async () => {
      try {
        await this.#kube.create(object, KIND, "wave");
      } catch (error) {
        if (!hasStatus(error, 409)) throw error;
        // Ours, when the answer to an earlier try was lost; else the one before, which is still being deleted.
        const there = await this.#kube.get(KIND, object.metadata);
        if (there.metadata.deletionTimestamp || difference(object.spec, there.spec)) throw error;
      }
    });
  }

  #update(pr: number): Promise<void> {
    const object = structuredClone(this.#asked.get(pr)!);
    object.spec.image_tag = `v${this.#number(9)}`;
    object.spec.replicas = this.#number(2);
    object.spec.env = [{ name: "TURN", value: String(this.#turn) }];
    this.#asked.set(pr, object);
    const patch = (["image_tag", "replicas", "env"] as const).map((field) => ({
      op: "add" as const,
      path: `/spec/${field}`,
      value: object.spec[field],
    }));
    return this.#send(pr, "update", async () => {
      await this.#kube.patch(KIND, object.metadata, patch);
    });
  }

  #delete(pr: number): Promise<void> {
    const { metadata } = this.#asked.get(pr)!;
    this.#asked.delete(pr);
    this.#deleted.push(pr);
    return this.#send(pr, "delete", async () => {
      await this.#kube.remove(KIND, metadata, {}).catch((error) => {
        // The answer to an earlier try was lost.
        if (!hasStatus(error, 404)) throw error;
      });
    });
  }

  #number(most: number): number {
    return 1 + Math.floor(this.#random() * most);
  }

  #send(pr: number, what: string, request: () => Promise<void>): Promise<void> {
    const before = this.#pending.get(pr) ?? Promise.resolve();
    const sent = before.then(async () => {
      await waitFor(`the ${what} of pr-${pr} to be accepted`, () => request().then(() => true), ACCEPTED_MS);
    });
    this.#pending.set(pr, sent);
    return sent;
  }
}

function environment(pr: number, tag: string): KubeObject {
  return {
    apiVersion: `${KIND.group}/${KIND.version}`,
    kind: KIND.kind,
    metadata: { name: `pr-${pr}`, namespace: "default" },
    spec: {
      ...{ pr_number: pr, branch_name: `feature/${pr}`, image: "ghcr.io/acme/shop", image_tag: tag },
      ttl_seconds: LONG_TTL_SECONDS,
    },
  };
}

/** A sequence of numbers in [0, 1) that a seed determines (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
