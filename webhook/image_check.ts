/**
 * The optional look at registries: does an image exist?
 *
 * What a registry says in so many words refuses the object. Everything else (a registry that is away, slow or wants
 * credentials that the operator has not) only warns: a registry must not be able to stop deployments.
 *
 * @module
 */
import type { Problem } from "../lib/api/validate.ts";
import type { ImagePresence, ImageRegistry } from "../lib/registry/registry.ts";
import type { Clock } from "../lib/runtime/clock.ts";
import type { ImageUse } from "./rules/admission_rules.ts";
import { shownImage } from "./rules/images.ts";

/** Time for all images of one object, in milliseconds. Below the webhook's own timeout of 3 s. */
export const IMAGE_BUDGET_MS = 2_000;

/** What came of it. */
export interface ImageFindings {
  problems: Problem[];
  warnings: string[];
}

/** Looks up all images at once and answers within {@link IMAGE_BUDGET_MS}. Never throws. */
export async function checkImages(
  images: readonly ImageUse[],
  { registry, clock }: { registry: ImageRegistry; clock: Clock },
): Promise<ImageFindings> {
  const budget = new AbortController();
  const cancel = clock.at(clock.now() + IMAGE_BUDGET_MS, () => budget.abort());
  const over = new Promise<ImagePresence>((resolve) => {
    budget.signal.addEventListener("abort", () => resolve("unknown"));
  });
  try {
    const asked = images.map(({ reference }) => {
      const answer = registry.exists(reference, { signal: budget.signal }).catch((): ImagePresence => "unknown");
      return Promise.race([answer, over]);
    });
    return summarized(images, await Promise.all(asked));
  } finally {
    cancel();
  }
}

function summarized(images: readonly ImageUse[], answers: readonly ImagePresence[]): ImageFindings {
  const findings: ImageFindings = { problems: [], warnings: [] };
  images.forEach(({ field, reference, isPrivate }, at) => {
    const image = shownImage(reference);
    if (answers[at] === "absent" && !isPrivate) {
      findings.problems.push({ field, message: `Image ${image} does not exist: its registry does not know it` });
    } else if (answers[at] === "absent") {
      findings.warnings.push(`${field}: Image ${image} is not there for those without its pull secrets`);
    } else if (answers[at] === "unknown" && !isPrivate) {
      findings.warnings.push(`${field}: Image ${image} could not be looked up: its registry is away or wants a login`);
    }
  });
  return findings;
}
