/**
 * What separates the rendered objects from those that are there. Pure.
 *
 * @module
 */
import { ANNOTATION_APPLIED, ANNOTATION_HOOK, ANNOTATION_PRUNE } from "../api/names.ts";
import type { KubeObject } from "../api/object.ts";
import { withoutContent } from "../runtime/copies.ts";
import { difference, digestOf } from "../runtime/differs.ts";
import type { Seen, SeenObjects } from "./observer.ts";
import { hasContent, identityOf, type Wanted } from "./wanted.ts";

/** Changes that make the namespace what was rendered. */
export interface SetChanges {
  create: Wanted[];
  /** `why` is the path of the first difference. */
  update: { wanted: Wanted; observed: KubeObject; why: string }[];
  /** Ours, and rendered no more. */
  remove: Seen[];
  /** Rendered no more, but not to be deleted: claims (their data), and what says so itself. */
  kept: KubeObject[];
  /** Rendered, but being deleted: they must be gone before they can be made again. */
  leaving: KubeObject[];
}

const REMEMBERED = 10_000;

/**
 * Objects that the API server, asked for what we want, gives back otherwise, in a way that no rule here knows: what was
 * asked, and what came of it. The same is not asked again; a change by anybody is.
 */
export class Answers {
  readonly #prints = new Map<string, string>();

  /** The answer to an apply, as the next look will see it. */
  remember(wanted: KubeObject, observed: KubeObject): void {
    const { uid = "" } = observed.metadata;
    this.#prints.delete(uid);
    this.#prints.set(uid, print(wanted, observed));
    if (this.#prints.size > REMEMBERED) this.#prints.delete(this.#prints.keys().next().value!);
  }

  /** Whether this is what came of asking for the same. */
  isKnown(wanted: KubeObject, observed: KubeObject): boolean {
    return this.#prints.get(observed.metadata.uid ?? "") === print(wanted, observed);
  }
}

function print(wanted: KubeObject, { status: _status, metadata, ...rest }: KubeObject): string {
  const { labels, annotations, finalizers } = metadata;
  return `${wanted.metadata.annotations?.[ANNOTATION_APPLIED]} ${digestOf([rest, labels, annotations, finalizers])}`;
}

/** @param seen Everything of the owner's that was rendered once. */
export function setChanges(
  wanted: readonly Wanted[],
  seen: SeenObjects,
  answers: Pick<Answers, "isKnown">,
): SetChanges {
  const changes = noChanges();
  const left = new Map(seen);
  for (const one of wanted) {
    const observed = left.get(identityOf(one.object))?.object;
    left.delete(identityOf(one.object));
    if (!observed) changes.create.push(one);
    else if (observed.metadata.deletionTimestamp) changes.leaving.push(observed);
    else {
      const why = differenceOf(one.object, observed);
      if (why !== undefined && !answers.isKnown(one.object, observed)) {
        changes.update.push({ wanted: one, observed, why });
      }
    }
  }
  for (const one of left.values()) {
    const { metadata } = one.object;
    if (metadata.deletionTimestamp || metadata.annotations?.[ANNOTATION_HOOK] !== undefined) continue;
    if (isKept(one.object)) changes.kept.push(one.object);
    else changes.remove.push(one);
  }
  return changes;
}

/** Path of the first difference. Of a Secret or ConfigMap only what is kept of it is compared: `withoutContent`. */
export function differenceOf(wanted: KubeObject, observed: KubeObject): string | undefined {
  return difference(hasContent(wanted) ? withoutContent(wanted) : wanted, observed);
}

/** As Flux and Helm do, and claims besides: a name that was mistyped must not cost data. */
function isKept({ kind, metadata: { annotations = {} } }: KubeObject): boolean {
  const asked = annotations[ANNOTATION_PRUNE];
  if (asked === "disabled" || annotations["helm.sh/resource-policy"]?.includes("keep")) return true;
  return kind === "PersistentVolumeClaim" && asked !== "enabled";
}

/** Nothing to do. */
export function noChanges(): SetChanges {
  return { create: [], update: [], remove: [], kept: [], leaving: [] };
}

/** How many objects the changes touch. */
export function changeCount({ create, update, remove, leaving }: SetChanges): number {
  return create.length + update.length + remove.length + leaving.length;
}
