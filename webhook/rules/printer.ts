/**
 * Admission of the kind Printer (SPEC section 4). Pure.
 *
 * @module
 */
import { PRINTER } from "../../lib/api/printer.ts";
import type { AdmissionRules } from "./admission_rules.ts";
import { IMAGE_ALONE } from "./images.ts";
import { pauseWarnings, withFinalizer } from "./shared.ts";

/** The rules. What the text may be is the schema's to say. */
export const PRINTER_RULES: AdmissionRules = {
  kind: PRINTER,
  mutate: ({ object, old }) => ({ object: old === undefined ? withFinalizer(object) : object, warnings: [] }),
  specProblems: IMAGE_ALONE.problems,
  metadataProblems: () => [],
  warnings: (change) => [...IMAGE_ALONE.warnings(change), ...pauseWarnings(change)],
  newImages: IMAGE_ALONE.newImages,
};
