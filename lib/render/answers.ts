/**
 * The answers of the renderer program as schemas (render/internal/objects/result.go, render/internal/fetch/doc.go):
 * nothing else is let through.
 *
 * @module
 */
import { z } from "zod";
import type { KubeObject } from "../api/object.ts";

function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}

function isKubeObject(value: unknown): value is KubeObject {
  if (typeof value !== "object" || value === null) return false;
  const { apiVersion, kind, metadata } = value as Partial<KubeObject>;
  return isText(apiVersion) && isText(kind) && isText(metadata?.name);
}

/** Left as it was parsed: schemas that copy would take keys for prototypes. */
const object = z.custom<KubeObject>(isKubeObject, "Must be a Kubernetes object");

const rendered = z.object({ source: z.string(), object });
const warning = z.object({ reason: z.string(), message: z.string(), file: z.string().optional() });

/** Answer of `helm`, `kustomize` and `manifest`. */
export const rendering = z.object({
  objects: z.array(rendered),
  hooks: z.array(z.object({
    ...rendered.shape,
    events: z.array(z.string()),
    weight: z.number(),
    deletePolicies: z.array(z.string()),
  })),
  refused: z.array(z.object({ source: z.string(), apiVersion: z.string(), kind: z.string(), name: z.string() })),
  warnings: z.array(warning),
  injected: z.array(z.object({ what: z.string(), where: z.string(), value: z.string() })),
});

/** Answer of `fetch`. */
export const fetched = z.object({
  commit: z.string(),
  path: z.string(),
  branch: z.string().optional(),
  ref: z.string().optional(),
  cached: z.boolean(),
  files: z.number(),
  bytes: z.number(),
  warnings: z.array(warning),
});

/** Answer of `forget`. */
export const forgotten = z.object({ removed: z.array(z.string()), inUse: z.array(z.string()) });

/** What stands in the place of an answer when there is none. */
export const failed = z.object({
  error: z.object({
    reason: z.string(),
    message: z.string(),
    file: z.string().optional(),
    line: z.number().optional(),
  }),
});
