/**
 * Rules on the image that a kind runs: grammar, policy, tags that move. Pure.
 *
 * Image and tag stay as they were written. Moving the tag from one field into the other would make the stored object
 * differ from the manifest for ever (a tool that compares them would never come to rest), and an update of one field
 * would contradict the copy of it in the other. The normal form, `combine(image, image_tag)`, is made wherever it is
 * needed: here for the policy, in the controller for the Pods.
 *
 * @module
 */
import type { Problem } from "../../lib/api/validate.ts";
import { policyProblems } from "../../lib/image/policy.ts";
import { combine, type CombinedImage, format, type ImageReference, parseReference } from "../../lib/image/reference.ts";
import { type AdmissionContext, type Change, type ImageUse, isFieldChanged, specOf } from "./admission_rules.ts";

/** Tags that usually move: what they name next week is another image. */
const MOVING_TAGS: ReadonlySet<string> = new Set(
  ["latest", "main", "master", "trunk", "head", "dev", "develop", "edge", "nightly", "staging", "canary"],
);

/** The rules on one image, for the kind's own rules to call. */
export interface ImageRules {
  /** Grammar first, policy where the grammar holds. */
  problems(change: Change, context: AdmissionContext): Problem[];
  /** Warns of a tag that moves: a new push under it does not roll anything. */
  warnings(change: Change): string[];
  /** The image, where it is new and breaks no rule. */
  newImages(change: Change, context: AdmissionContext): ImageUse[];
}

/** How the fields of a spec are read; undefined where one of them is not the text that its schema wants. */
type ImageReader = (spec: Readonly<Record<string, unknown>>) => ReadImage | undefined;

/** A {@link CombinedImage}, its problems at whatever fields the kind has. */
type ReadImage = Extract<CombinedImage, { ok: true }> | { ok: false; problems: Problem[] };

/** Rules for a kind with `image` alone. */
export const IMAGE_ALONE: ImageRules = imageRules(["image"], ({ image }) => {
  if (typeof image !== "string") return undefined;
  const parsed = parseReference(image);
  if (!parsed.ok) return { ok: false, problems: [{ field: "image", message: parsed.problem }] };
  return { ok: true, image, reference: parsed.reference };
});

/** Rules for a kind with `image` and `image_tag`, of which one must carry the tag. */
export const IMAGE_AND_TAG: ImageRules = imageRules(["image", "image_tag"], ({ image, image_tag: tag }) => {
  const isText = tag === undefined || tag === null || typeof tag === "string";
  return typeof image === "string" && isText ? combine(image, tag ?? undefined) : undefined;
});

/** Rules for a kind with `image` and `version`, of which either may carry the tag. */
export const IMAGE_AND_VERSION: ImageRules = imageRules(["image", "version"], ({ image, version }) => {
  const isText = version === undefined || version === null || typeof version === "string";
  const combined = typeof image === "string" && isText ? combine(image, version ?? undefined) : undefined;
  if (combined === undefined || combined.ok) return combined;
  const problems = combined.problems.map(({ field, message }) => ({
    ...{ message, field: field === "image_tag" ? "version" as const : field },
  }));
  return { ok: false, problems };
});

/** How an image is shown in a message. */
export function shownImage(reference: ImageReference): string {
  return JSON.stringify(format(reference));
}

function imageRules(fields: readonly string[], read: ImageReader): ImageRules {
  function newReference(change: Change): ImageReference | undefined {
    const image = isFieldChanged(change, ...fields) ? read(specOf(change.object)) : undefined;
    return image?.ok ? image.reference : undefined;
  }
  function problems({ object }: Change, { config }: AdmissionContext): Problem[] {
    const image = read(specOf(object));
    if (image === undefined) return [];
    if (!image.ok) return image.problems.map(({ field, message }) => ({ field: `spec.${field}`, message }));
    return policyProblems(image.reference, config).map((message) => ({ field: "spec.image", message }));
  }
  return {
    problems,
    warnings: (change) => movingTagWarnings(newReference(change)),
    newImages: (change, context) => {
      const reference = newReference(change);
      if (reference === undefined || problems(change, context).length > 0) return [];
      const secrets = specOf(change.object).image_pull_secrets;
      return [{ field: "spec.image", reference, isPrivate: Array.isArray(secrets) && secrets.length > 0 }];
    },
  };
}

function movingTagWarnings(reference: ImageReference | undefined): string[] {
  if (reference === undefined || reference.digest !== undefined) return [];
  const tag = reference.tag ?? "latest";
  if (!MOVING_TAGS.has(tag.toLowerCase())) return [];
  return [`spec.image: Tag "${tag}" usually moves: a new push under it rolls nothing out, a new tag does`];
}
