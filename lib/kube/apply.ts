/**
 * Server-side apply (KEP-555), and making objects by it without ever keeping hold of one that was there before.
 *
 * @module
 */
import type { KubeObject, Resource } from "../api/object.ts";
import type { KubeClient } from "./client.ts";
import type { RequestOptions } from "./client_options.ts";
import { hasStatus, KubeError } from "./errors.ts";
import { objectPath } from "./paths.ts";

export interface ApplyOptions {
  manager: string;
  /** Takes over fields of other managers; without it a clash is a 409 that changes nothing. */
  force: boolean;
  subresource?: string;
}

/** The request that applies an object. */
export function applyRequest(object: KubeObject, resource: Resource, options: ApplyOptions): RequestOptions {
  const { namespace, name } = object.metadata;
  return {
    method: "PATCH",
    path: objectPath(resource, { namespace, name, subresource: options.subresource }),
    query: { fieldManager: options.manager, force: String(options.force) },
    body: object,
    contentType: "application/apply-patch+yaml",
    counts: { verb: options.subresource ? `apply-${options.subresource}` : "apply", resource: resource.plural },
  };
}

/** The API server calls an applied uid a conflict where no object is there, and invalid where another one is. */
export function isOtherUid(error: unknown): error is KubeError {
  return hasStatus(error, 422) && error.message.includes("metadata.uid: Invalid value");
}

interface FieldsOf {
  manager?: string;
  subresource?: string;
}

/**
 * Applies an object that was not there a moment ago. The API has no "apply, but only create": where somebody else was
 * faster and their object clashes with ours in nothing, the apply has just marked a foreign object as ours. The answer
 * shows it (200, and fields of another manager), and applying nothing gives every field back.
 *
 * @throws {KubeError} 409 when an object of somebody else is there; it is as it was.
 */
export async function applyNew(
  object: KubeObject,
  resource: Resource,
  { kube, manager }: { kube: Pick<KubeClient, "request" | "apply">; manager: string },
): Promise<KubeObject> {
  const { status, applied } = await kube.request(
    applyRequest(object, resource, { manager, force: false }),
    async (response) => ({ status: response.status, applied: await response.json() }),
  );
  const { managedFields = [], ...metadata } = applied.metadata;
  const isForeign = status !== 201 &&
    managedFields.some((fields: FieldsOf) => fields.manager !== manager && !fields.subresource);
  if (!isForeign) return { ...applied, metadata };
  const { namespace, name, uid } = applied.metadata;
  const nothing = { apiVersion: object.apiVersion, kind: object.kind, metadata: { namespace, name, uid } };
  await kube.apply(nothing, resource, { manager, force: false });
  throw new KubeError(409, "AlreadyExists", `${resource.plural} "${name}" already exists`);
}
