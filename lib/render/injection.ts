/**
 * What all injections into rendered objects have in common. Pure.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";
import type { Injection, RenderWarning } from "./renderer.ts";
import { type Container, containersOf, podSpecOf, titleOf } from "./pod_templates.ts";

/** Objects with something put into them, and what became of it. The objects that were given stay as they are. */
export interface Injected<T> {
  items: T[];
  injected: Injection[];
  warnings: RenderWarning[];
}

/** A container and what messages call it. */
export interface Place {
  container: Container;
  title: string;
}

/** Copies of items whose objects may be changed. */
export function copied<T extends { object: KubeObject }>(items: readonly T[]): T[] {
  return items.map((item) => ({ ...item, object: structuredClone(item.object) }));
}

/** The containers of all Pods. */
export function placesIn(items: readonly { object: KubeObject }[]): Place[] {
  return items.flatMap(({ object }) => {
    const spec = podSpecOf(object);
    return spec === undefined ? [] : containersOf(spec).map((container) => ({
      container,
      title: `${titleOf(object)} container ${container.name ?? "without a name"}`,
    }));
  });
}
