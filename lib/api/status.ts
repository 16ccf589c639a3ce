/**
 * The parts of `status` that all kinds share (SPEC section 1). Bounds are wide: a status that the schema refuses is a
 * status that nobody sees.
 *
 * @module
 */
import { z } from "zod";
import { list, listMap, matching, text, time } from "./fields.ts";
import { MAX_REFERENCE_LENGTH, MAX_TAG_LENGTH } from "./image_pattern.ts";

/** Most entries that `status.history` keeps. */
export const HISTORY_LENGTH = 5;
/** Most children that `status.inventory` lists. */
export const INVENTORY_LENGTH = 1000;
/** Most characters in an image of a status: `image` and `image_tag` of a spec together. */
export const MAX_RUNNING_IMAGE_LENGTH = MAX_REFERENCE_LENGTH + 1 + MAX_TAG_LENGTH;
/** Most characters in `message` of a condition or of an entry of the history. */
export const MESSAGE_LENGTH = 32_768;

const REASON_PATTERN = "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$";
const OUTCOME_PATTERN = "^[A-Z][A-Za-z0-9]*$";

/** metav1.Condition. */
export const condition = z.object({
  type: text(1, 316).describe("What is judged, in CamelCase: Ready, Reconciling, Stalled, or the kind's own."),
  status: z.enum(["True", "False", "Unknown"]).describe("Whether it is so."),
  reason: matching(REASON_PATTERN, { max: 1024, message: "Must be a CamelCase word" }).describe(
    "Why, as one CamelCase word for programs.",
  ),
  message: text(0, MESSAGE_LENGTH).describe("Why, and what to do, for people."),
  observedGeneration: z.int().min(0).optional().describe("The metadata.generation that was judged."),
  lastTransitionTime: time().describe("When the status last changed."),
});

/** A child that was made for the object. */
export const inventoryEntry = z.object({
  kind: text(1, 63).describe("Kind of the child, for instance Deployment."),
  namespace: text(1, 63).optional().describe("Namespace of the child; absent when it has none."),
  name: text(1, 253).describe("Name of the child."),
});

/** What once became of the object. */
export const historyEntry = z.object({
  time: time().describe("When it was decided."),
  outcome: matching(OUTCOME_PATTERN, { max: 63, message: "Must be a CamelCase word" }).describe(
    "What became of it: Ready, Failed, Expired and the like.",
  ),
  image: text(0, MAX_RUNNING_IMAGE_LENGTH).optional().describe("The image that it was about."),
  version: text(0, 253).optional().describe("The version that it was about, of what has no image."),
  reason: text(0, 1024).optional().describe("Why, as one CamelCase word for programs."),
  message: text(0, MESSAGE_LENGTH).optional().describe("Why, for people."),
});

/**
 * The fields that every kind's status has.
 *
 * @param phases the kind's phases, in the order of a life
 */
export function sharedStatus<const P extends readonly [string, ...string[]]>(phases: P): SharedStatus<P> {
  return {
    phase: z.enum(phases).optional().describe("Where the object stands, in one word; the conditions say more."),
    observedGeneration: z.int().min(0).optional().describe("The metadata.generation that this status is about."),
    conditions: listMap(condition, { key: "type", max: 32 }).optional()
      .describe("The judgements that the phase is a summary of. Ready, Reconciling and Stalled follow kstatus."),
    inventory: list(inventoryEntry, INVENTORY_LENGTH).optional()
      .describe("The children that exist for this object."),
    history: list(historyEntry, HISTORY_LENGTH).optional()
      .describe(`What became of it, the latest first; at most ${HISTORY_LENGTH} entries.`),
  };
}

/** What {@link sharedStatus} returns. */
export interface SharedStatus<P extends readonly string[]> {
  phase: z.ZodOptional<z.ZodEnum<{ [K in P[number]]: K }>>;
  observedGeneration: z.ZodOptional<z.ZodInt>;
  conditions: z.ZodOptional<z.ZodArray<typeof condition>>;
  inventory: z.ZodOptional<z.ZodArray<typeof inventoryEntry>>;
  history: z.ZodOptional<z.ZodArray<typeof historyEntry>>;
}

/** `status.inventory[]`. */
export type InventoryEntry = z.output<typeof inventoryEntry>;
/** `status.history[]`. */
export type HistoryEntry = z.output<typeof historyEntry>;
