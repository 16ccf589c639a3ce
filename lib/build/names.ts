/**
 * Names and labels of builds. Pure.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { KubeObject } from "../api/object.ts";
import { normalized, parseReference } from "../image/reference.ts";
import type { BuildRequest } from "./request.ts";

/** Marks Jobs and Pods of builds; its value is the name of the Job. */
export const BUILD_LABEL = "maquette.dev/build";
/** Digest of the image that a build pushes: two with the same are of the same image, in whatever namespaces. */
export const BUILD_IMAGE_LABEL = "maquette.dev/build-image";

const DIGEST_LENGTH = 12;

/** The image that a build pushes, by its tag. */
export function imageOf({ image, commit }: BuildRequest): string {
  return `${image}:${commit}`;
}

/** The value of {@link BUILD_IMAGE_LABEL}. */
export function imageKey(request: BuildRequest): string {
  const parsed = parseReference(request.image);
  const { registry, repository } = normalized(parsed.ok ? parsed.reference : { path: request.image });
  return shortDigest(`${registry}/${repository}:${request.commit}`);
}

/** Whether an object is a Job of a build. */
export function isBuildJob(object: KubeObject): boolean {
  return object.kind === "Job" && object.metadata.labels?.[BUILD_LABEL] !== undefined;
}

/** Short, for names and labels. */
export function shortDigest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, DIGEST_LENGTH);
}
