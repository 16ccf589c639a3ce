/**
 * Asks image registries about images (OCI distribution API): does an image exist, and under which digest?
 *
 * `exists()` is for admission, which may only warn: `absent` is what a registry said in so many words, everything that
 * could also be a secret image, a busy registry or a broken line is `unknown`. `inspect()` is for whoever acts on the
 * answer: it takes credentials and says what is wrong.
 *
 * Credentials go to the registry that they are for and to the token server that this registry names; never to a mirror
 * of another name, never behind a redirect to another origin, and never into an error or a log.
 *
 * @module
 */
import type { ImageReference } from "../image/reference.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Keyring } from "./docker_config.ts";
import type { Mirrors } from "./endpoints.ts";
import { HttpRegistry } from "./http_registry.ts";
import type { Platform } from "./manifest.ts";

/** What a registry says of an image; `unknown` is no answer at all. */
export type ImagePresence = "present" | "absent" | "unknown";

/** The one question that admission has to a registry. */
export interface ImageRegistry {
  /**
   * Whether the image that a reference names can be pulled by everybody.
   *
   * @param ref the image; by its digest where it has one, else by its tag, else by `latest`
   * @param options `signal` ends the question with `unknown`
   */
  exists(ref: ImageReference, options: { signal: AbortSignal }): Promise<ImagePresence>;
}

/** An image as its registry knows it. */
export interface FoundImage {
  exists: true;
  /** Of the manifest or index that the reference names: what `repository@digest` pins. */
  digest: string;
  mediaType: string;
  /** Of an index, where they were asked for. */
  platforms?: Platform[];
}

/** What {@link Registry.inspect} answers; a missing image is an answer, not an error. */
export type InspectedImage = FoundImage | { exists: false };

/** How {@link Registry.inspect} asks. */
export interface InspectOptions {
  /** Who asks; nobody in particular without it. */
  keyring?: Keyring;
  /** Whether an index is read for its platforms. */
  platforms?: boolean;
  signal: AbortSignal;
}

/** All that is asked of registries. */
export interface Registry extends ImageRegistry {
  /**
   * Looks an image up: first in the mirrors of its registry, then there. A mirror that does not know it or gives no
   * answer is passed over.
   *
   * @throws RegistryError its `fault` says what to do about it; also when the signal falls (`unreachable`)
   */
  inspect(ref: ImageReference, options: InspectOptions): Promise<InspectedImage>;
}

/** What {@link createRegistry} needs. */
export interface RegistryOptions {
  /** Sends the requests; carries trusted CAs and proxies where there are any. */
  fetch: typeof fetch;
  /** Registries and mirrors that are spoken to over plain HTTP, as they stand in references: `localhost:5000`. */
  insecureRegistries: readonly string[];
  /** Asked before the registries that they stand for. */
  mirrors?: Mirrors;
  /** Without it no token is kept, and a question ends by its signal only. */
  clock?: Clock;
  /** Most milliseconds for one place (a mirror, the registry), its token server included. */
  timeoutMs?: number;
}

/** A registry client over HTTP. */
export function createRegistry(options: RegistryOptions): Registry {
  return new HttpRegistry(options);
}
