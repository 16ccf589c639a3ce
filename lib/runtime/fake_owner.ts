/**
 * Objects for tests of the runtime, which knows no kind: a made-up one, and children of it.
 *
 * @module
 */
import type { KubeObject, Resource } from "../api/object.ts";
import { ownerLabels } from "./ownership.ts";

/** A kind that exists in tests alone. */
export const GADGET: Resource = Object.freeze({
  group: "test.example.com",
  version: "v1",
  kind: "Gadget",
  plural: "gadgets",
  namespaced: true,
});

/** A Gadget as the API server shows it. */
export function gadget(overrides: Partial<KubeObject["metadata"]> = {}, rest: Partial<KubeObject> = {}): KubeObject {
  return {
    apiVersion: "test.example.com/v1",
    kind: "Gadget",
    metadata: { name: "g", namespace: "default", uid: "uid-g", generation: 1, resourceVersion: "1", ...overrides },
    ...rest,
  };
}

/** A ConfigMap of an owner, as the API server shows it. */
export function childOf(owner: KubeObject, metadata: Partial<KubeObject["metadata"]> = {}): KubeObject {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "child", namespace: "elsewhere", uid: "uid-child", labels: ownerLabels(owner), ...metadata },
  };
}
