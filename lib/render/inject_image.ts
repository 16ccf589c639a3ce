/**
 * Puts an image into workloads, by the names of the images that they have. Pure.
 *
 * The rule is the renderer's (render/internal/image/reference.go): all containers that have the same repository; else
 * those whose image is the end of its path (`shop` for `registry.example.com/acme/shop`); else namesakes
 * (`ghcr.io/other/shop`). What a chart made of injected values is pinned to the digest by the same.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";
import { type ImageReference, normalized, parseReference } from "../image/reference.ts";
import { copied, type Injected, type Place, placesIn } from "./injection.ts";
import type { InjectedImage } from "./renderer.ts";

/** No container takes the image. */
export const IMAGE_NOT_INJECTED = "ImageNotInjected";

const MOST_TOLD = 5;

/** How well an image fits, in the order of preference. */
const LIKENESSES = [isSame, isTail, isNamesake] as const;

/** Puts the image into every container of the best fit; ReplicaSets, Jobs and init containers too. */
export function injectImage<T extends { object: KubeObject }>(
  items: readonly T[],
  image: InjectedImage,
): Injected<T> {
  const result: Injected<T> = { items: copied(items), injected: [], warnings: [] };
  const places = placesIn(result.items);
  const value = textOf(image);
  for (const { container, title } of bestOf(places, image)) {
    container.image = value;
    result.injected.push({ what: "image", where: title, value });
  }
  if (result.injected.length === 0) {
    result.warnings.push({ reason: IMAGE_NOT_INJECTED, message: notFound(places, image) });
  }
  return result;
}

/** `repository:tag@digest` */
export function textOf({ repository, tag, digest }: InjectedImage): string {
  return `${repository}${tag ? `:${tag}` : ""}${digest ? `@${digest}` : ""}`;
}

function bestOf(places: readonly Place[], image: InjectedImage): Place[] {
  const wanted = referenceOf(image.repository);
  if (!wanted) return [];
  for (const fits of LIKENESSES) {
    const found = places.filter(({ container }) => {
      const there = referenceOf(container.image);
      return there !== undefined && fits(wanted, there);
    });
    if (found.length > 0) return found;
  }
  return [];
}

function referenceOf(text: unknown): ImageReference | undefined {
  const parsed = typeof text === "string" ? parseReference(text) : undefined;
  return parsed?.ok ? parsed.reference : undefined;
}

function isSame(wanted: ImageReference, there: ImageReference): boolean {
  const [a, b] = [normalized(wanted), normalized(there)];
  return a.registry === b.registry && a.repository === b.repository;
}

function isTail(wanted: ImageReference, there: ImageReference): boolean {
  return there.domain === undefined && `/${wanted.path}`.endsWith(`/${there.path}`);
}

function isNamesake(wanted: ImageReference, there: ImageReference): boolean {
  return lastOf(wanted.path) === lastOf(there.path);
}

function lastOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function notFound(places: readonly Place[], { repository }: InjectedImage): string {
  const there = [...new Set(places.map(({ container }) => container.image ?? "none"))].sort().slice(0, MOST_TOLD);
  const have = there.length === 0 ? "no workload is rendered" : `there are: ${there.join(", ")}`;
  return `No container has the image ${repository}, ${have}`;
}
