/**
 * Rendered objects as they shall stand in the environment's namespace: in a normal form, marked as their owner's, each
 * with what the cluster says of its kind.
 *
 * @module
 */
import { ANNOTATION_APPLIED, ANNOTATION_CONTENT, ANNOTATION_OWNER, ANNOTATION_SOURCE } from "../api/names.ts";
import { LABEL_DEPLOYED, LABEL_MANAGED_BY, LABEL_OWNER_UID, MANAGED_BY } from "../api/names.ts";
import type { KubeObject } from "../api/object.ts";
import type { Discovery, ServedKind } from "../kube/discovery.ts";
import { UnknownKind } from "../kube/discovery.ts";
import { contentDigest, withoutContent } from "../runtime/copies.ts";
import { digestOf } from "../runtime/differs.ts";
import { Stalled, Waiting } from "../runtime/errors.ts";
import { ownerLabels, ownerReferenceText } from "../runtime/ownership.ts";
import { nameOf } from "../runtime/status.ts";
import { normalForm, podTemplateOf } from "./normal_form.ts";

/** A rendered object and its kind. */
export interface Wanted {
  readonly object: KubeObject;
  readonly kind: ServedKind;
}

/** Whose objects, and where. */
export interface Place {
  owner: KubeObject;
  /** Of the environment. */
  namespace: string;
}

/** Value of {@link ANNOTATION_SOURCE} on what was rendered and not copied: `withoutContent` blanks it where the content was changed. */
const RENDERED = "rendered";
const STALE_API_MS = 10_000;

/** Whether the object's content is kept out of caches and annotations. */
export function hasContent({ apiVersion, kind }: KubeObject): boolean {
  return apiVersion === "v1" && (kind === "Secret" || kind === "ConfigMap");
}

/** What tells the objects of a namespace apart: the same object in two versions of its kind is one. */
export function identityOf(
  { apiVersion, kind, metadata }: Pick<KubeObject, "apiVersion" | "kind" | "metadata">,
): string {
  const slash = apiVersion.indexOf("/");
  return `${kind}.${slash < 0 ? "" : apiVersion.slice(0, slash)}/${metadata.name}`;
}

/**
 * @param rendered In any order, without hooks.
 * @throws {Stalled} With everything that is wrong with them: kinds that the cluster does not know or that are not of a
 * namespace, objects for another namespace, without a name, or twice. @throws {Waiting} While an API that has a kind of
 * theirs is away.
 */
export async function wantedObjects(
  rendered: readonly KubeObject[],
  place: Place,
  discovery: Pick<Discovery, "find">,
): Promise<Wanted[]> {
  const problems: string[] = [];
  const wanted = new Map<string, Wanted>();
  const scaled = scaledWorkloads(rendered);
  for (const object of rendered) {
    const kind = await kindOf(object, discovery, problems);
    if (!kind) continue;
    const problem = misplaced(object, kind, place.namespace);
    if (problem) problems.push(problem);
    else if (wanted.has(identityOf(object))) problems.push(`${nameOf(object)} is there twice`);
    else {
      const isScaled = scaled.has(`${object.kind}/${object.metadata.name}`);
      wanted.set(identityOf(object), {
        object: marked(normalForm(object, place.namespace, { isScaled }), place.owner),
        kind,
      });
    }
  }
  if (problems.length > 0) throw new Stalled("Refused", problems.join("; "));
  return [...wanted.values()];
}

async function kindOf(
  object: KubeObject,
  discovery: Pick<Discovery, "find">,
  problems: string[],
): Promise<ServedKind | undefined> {
  try {
    return await discovery.find(object);
  } catch (error) {
    if (!(error instanceof UnknownKind)) throw error;
    if (error.isStale) throw new Waiting("ApiUnavailable", error.message, STALE_API_MS);
    problems.push(`${nameOf(object)}: ${error.message}`);
    return undefined;
  }
}

function misplaced(object: KubeObject, { resource }: ServedKind, namespace: string): string | undefined {
  const name = nameOf(object);
  if (!object.metadata?.name) return `${object.kind} without a name`;
  if (!resource.namespaced) return `${name} is not of a namespace: an environment may only have objects in its own`;
  const other = object.metadata.namespace;
  if (other && other !== namespace) return `${name} is for another namespace than the environment's, "${namespace}"`;
  return undefined;
}

/** Workloads that an autoscaler is for: it decides how many Pods there are. */
function scaledWorkloads(rendered: readonly KubeObject[]): Set<string> {
  const targets = rendered.map(({ spec }) => spec?.scaleTargetRef).filter((target) => target?.name);
  return new Set(targets.map(({ kind = "Deployment", name }) => `${kind}/${name}`));
}

/**
 * The object with the marks of its owner's children. `instance` and `part-of` stay as they were rendered: selectors of
 * Services and monitors go by them. Pods get the owner's uid, and `managed-by` where they have none.
 */
export function marked(object: KubeObject, owner: KubeObject): KubeObject {
  const { metadata } = object;
  const labels = {
    ...ownerLabels(owner),
    ...metadata.labels,
    [LABEL_MANAGED_BY]: MANAGED_BY,
    [LABEL_OWNER_UID]: owner.metadata.uid ?? "",
    [LABEL_DEPLOYED]: "true",
  };
  const annotations = {
    ...metadata.annotations,
    [ANNOTATION_OWNER]: ownerReferenceText(owner),
    ...(hasContent(object) ? { [ANNOTATION_SOURCE]: RENDERED, [ANNOTATION_CONTENT]: contentDigest(object) } : {}),
  };
  markPods(object, owner);
  const child: KubeObject = { ...object, metadata: { ...metadata, labels, annotations } };
  // A digest of what is secret must not let it be guessed: the one of the content is short.
  const digest = digestOf(
    hasContent(child) ? { ...withoutContent(child), type: child.type, immutable: child.immutable } : child,
  );
  return { ...child, metadata: { ...child.metadata, annotations: { ...annotations, [ANNOTATION_APPLIED]: digest } } };
}

/** Changes the object, which is a copy of our own by now. */
function markPods(object: KubeObject, owner: KubeObject): void {
  const template = podTemplateOf(object);
  if (!template) return;
  const metadata = template.metadata ??= {};
  metadata.labels = {
    [LABEL_MANAGED_BY]: MANAGED_BY,
    ...metadata.labels,
    [LABEL_OWNER_UID]: owner.metadata.uid ?? "",
  };
}
