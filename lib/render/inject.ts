/**
 * Everything that is put into a rendering after it was made, in one. Pure.
 *
 * @module
 */
import { type EnvVar, injectEnv } from "./inject_env.ts";
import { type IngressWish, injectHost } from "./inject_host.ts";
import { IMAGE_NOT_INJECTED, injectImage } from "./inject_image.ts";
import type { Injected } from "./injection.ts";
import type { InjectedImage, RenderedHook, RenderedObject, Rendering } from "./renderer.ts";

/** What is to be put into a rendering; what is absent is left alone. */
export interface Wishes {
  image?: InjectedImage;
  env?: readonly EnvVar[];
  /** For the Ingress that the rendering brings, if it does. */
  ingress?: IngressWish;
}

type Item = RenderedObject | RenderedHook;

/**
 * Puts image, variables and host into objects and hooks. What the renderer warned of is dropped where it was made good
 * here: an image that no value of a chart takes may still be found in its containers.
 */
export function inject(rendering: Rendering, { image, env, ingress }: Wishes): Rendering {
  const steps = [
    (items: Item[]): Injected<Item> | undefined => image && injectImage(items, image),
    (items: Item[]): Injected<Item> | undefined => env && injectEnv(items, env),
    (items: Item[]): Injected<Item> | undefined => ingress && injectHost(items, ingress),
  ];
  let items: Item[] = [...rendering.objects, ...rendering.hooks];
  let { injected, warnings } = rendering;
  // The containers decide: the renderer only knows what it put into values.
  if (image) warnings = warnings.filter(({ reason }) => reason !== IMAGE_NOT_INJECTED);
  for (const step of steps) {
    const done = step(items);
    if (!done) continue;
    items = done.items;
    injected = [...injected, ...done.injected];
    warnings = [...warnings, ...done.warnings];
  }
  const { length } = rendering.objects;
  return {
    ...rendering,
    objects: items.slice(0, length),
    hooks: items.slice(length) as RenderedHook[],
    injected,
    warnings,
  };
}
