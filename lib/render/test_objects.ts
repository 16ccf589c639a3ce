/**
 * Rendered objects for tests.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";
import type { RenderedHook, RenderedObject } from "./renderer.ts";

/** A Deployment whose containers have the given images, by container name. */
export function deployment(name: string, images: Record<string, string>): KubeObject {
  const containers = Object.entries(images).map(([container, image]) => ({ name: container, image }));
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: { template: { spec: { containers } } },
  };
}

/** A Pod with one container, and whatever else its spec has. */
export function pod(name: string, spec: Record<string, unknown>): KubeObject {
  return { apiVersion: "v1", kind: "Pod", metadata: { name }, spec: { containers: [{ name: "app" }], ...spec } };
}

/** An object without content. */
export function object(apiVersion: string, kind: string, name: string, metadata: object = {}): KubeObject {
  return { apiVersion, kind, metadata: { name, ...metadata } };
}

/** As if they were from one file. */
export function rendered(...objects: KubeObject[]): RenderedObject[] {
  return objects.map((each) => ({ source: "app.yaml", object: each }));
}

/** A hook before every rollout. */
export function hook(each: KubeObject, events = ["pre-install", "pre-upgrade"]): RenderedHook {
  return { source: "hook.yaml", object: each, events, weight: 0, deletePolicies: ["before-hook-creation"] };
}
