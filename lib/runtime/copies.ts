/**
 * Children that are copies of a ConfigMap or Secret elsewhere. A copy names its source and the source's version in an
 * annotation; its content is read only when it is written, so no cache ever holds the data of a Secret.
 *
 * @module
 */
import { createHash, createHmac } from "node:crypto";
import { gitHosts, gitHostsText, isForHost } from "../api/git_host.ts";
import { ANNOTATION_CONTENT, ANNOTATION_GIT_HOST, ANNOTATION_SOURCE } from "../api/names.ts";
import type { KubeObject, Resource } from "../api/object.ts";
import { unlessMissing } from "../kube/errors.ts";
import type { KubeClient } from "../kube/client.ts";
import { Stalled } from "./errors.ts";
import { nameOf } from "./status.ts";

/** Types of Secrets that belong to their namespace and are never copied out of it. */
const NEVER_COPIED = new Set(["kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token"]);

/** `<namespace>/<name>@<uid>/<resourceVersion>`: the value of the annotation that names a copy's source. */
export function sourceOf(source: KubeObject): string {
  const { namespace, name, uid, resourceVersion } = source.metadata;
  return `${namespace}/${name}@${uid}/${resourceVersion}`;
}

/** A desired copy, without content. */
export function copyOf(source: KubeObject, target: { namespace: string; name: string }): KubeObject {
  return {
    apiVersion: source.apiVersion,
    kind: source.kind,
    metadata: { ...target, annotations: { [ANNOTATION_SOURCE]: sourceOf(source) } },
  };
}

/** Whether a desired object is a copy. */
export function isCopy({ metadata }: KubeObject): boolean {
  return metadata.annotations?.[ANNOTATION_SOURCE] !== undefined;
}

/** Digest of the content of a Secret or ConfigMap, cut short: it shall show a change by hand, not let a secret be guessed. */
export function contentDigest(object: KubeObject): string {
  const { data, binaryData } = object;
  const content = JSON.stringify([sorted(data), sorted(binaryData)]);
  return createHash("sha256").update(content).digest("hex").slice(0, 8);
}

function sorted(data: Record<string, string> | undefined): [string, string][] {
  return Object.entries(data ?? {}).sort(([a], [b]) => a < b ? -1 : 1);
}

/** Value of {@link ANNOTATION_SOURCE} on a ConfigMap or Secret that is made here and not copied. */
const OWN = "own";

/** A desired ConfigMap or Secret with content of its own, marked so that a cache can do without the content. */
export function withOwnContent(object: KubeObject): KubeObject {
  const annotations = {
    ...object.metadata.annotations,
    [ANNOTATION_SOURCE]: OWN,
    [ANNOTATION_CONTENT]: contentDigest(object),
  };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

/** A desired object as a cache would hold it: of what {@link withOwnContent} has marked, the marks. */
export function asCached(desired: KubeObject): KubeObject {
  return desired.metadata.annotations?.[ANNOTATION_SOURCE] === OWN ? withoutContent(desired) : desired;
}

/**
 * What changes with the content of a copy and may be shown to those who may not see the copy: without a key, a password
 * that people choose would be found by trying. The key is the uid of the source, 122 random bits that only those can
 * read who may read the Secret itself. Its version would be no secret either, but changes with every label.
 *
 * @param copy As a cache has it: {@link withoutContent}.
 * @returns Nothing where the copy is not as it was written.
 */
export function contentMark({ metadata }: KubeObject): string | undefined {
  const { [ANNOTATION_SOURCE]: source = "", [ANNOTATION_CONTENT]: content } = metadata.annotations ?? {};
  const uid = /@(.+)\//.exec(source)?.[1];
  if (uid === undefined || content === undefined) return undefined;
  return createHmac("sha256", uid).update(content).digest("hex");
}

/** Shape of a copy in a cache: a digest in place of the content. */
export function withoutContent(object: KubeObject): KubeObject {
  const { apiVersion, kind, metadata } = object;
  const intact = metadata.annotations?.[ANNOTATION_CONTENT] === contentDigest(object);
  return {
    apiVersion,
    kind,
    metadata: intact ? metadata : { ...metadata, annotations: { ...metadata.annotations, [ANNOTATION_SOURCE]: "" } },
  };
}

/**
 * The desired copy with its source's content; other objects as they are.
 *
 * @throws {Stalled} When the source is gone or must not leave its namespace.
 */
export async function filled(
  desired: KubeObject,
  resource: Resource,
  kube: Pick<KubeClient, "get">,
): Promise<KubeObject> {
  const annotation = desired.metadata.annotations?.[ANNOTATION_SOURCE];
  if (annotation === undefined || annotation === OWN) return desired;
  const [namespace, name] = annotation.slice(0, annotation.indexOf("@")).split("/");
  const source = await unlessMissing(kube.get(resource, { namespace, name }));
  if (!source) throw new Stalled("SourceMissing", `${resource.kind} "${namespace}/${name}" does not exist`);
  const problem = refusalOf(source, desired);
  if (problem) throw new Stalled("SourceRefused", `${nameOf(source)} ${problem}`);
  const annotations = { ...desired.metadata.annotations, [ANNOTATION_CONTENT]: contentDigest(source) };
  const { type, data, binaryData } = source;
  return { ...desired, metadata: { ...desired.metadata, annotations }, type, data, binaryData };
}

/** A copy of a login for git says whom it is made for: what a Pod may read could go anywhere. */
function refusalOf(source: KubeObject, { metadata: { annotations = {} } }: KubeObject): string | undefined {
  if (NEVER_COPIED.has(source.type)) return `has type "${source.type}", which is never copied`;
  const host = annotations[ANNOTATION_GIT_HOST];
  if (gitHosts(source) === undefined || (host !== undefined && isForHost(source, host))) return undefined;
  return `is ${gitHostsText(source)}, and is not copied for ${host === undefined ? "Pods" : `"${host}"`}`;
}
