/**
 * The kind Printer: a Pod that prints a text, owned by its Printer (SPEC section 4).
 *
 * @module
 */
import { z } from "zod";
import { text, textWithoutNul, time } from "./fields.ts";
import { imageReference } from "./image_fields.ts";
import { AGE_COLUMN, CATEGORIES, type KindDefinition, READY_COLUMNS } from "./kind.ts";
import type { KubeObject } from "./object.ts";
import { withRules } from "./rules.ts";
import { MESSAGE_LENGTH, sharedStatus } from "./status.ts";

/** Phases of a Printer, in the order of a life. */
export const PRINTER_PHASES = ["Pending", "Running", "Completed", "Failed", "Terminating"] as const;

/** Most bytes of UTF-8 in `textToPrint`: well below the 128 KiB that Linux takes as one argument. */
export const MAX_TEXT_BYTES = 65_536;
/** Most characters of the log in `status.output`. */
export const MAX_OUTPUT_LENGTH = 1024;
const MAX_INT32 = 2_147_483_647;

const textToPrint = withRules(textWithoutNul(MAX_TEXT_BYTES), {
  cel: `bytes(self).size() <= ${MAX_TEXT_BYTES}`,
  holds: (text) => new TextEncoder().encode(text).length <= MAX_TEXT_BYTES,
  message: `Must have at most ${MAX_TEXT_BYTES} bytes as UTF-8`,
});

const spec = z.object({
  textToPrint: textToPrint.describe("The text, printed as it stands. At most 64 KiB of UTF-8, no NUL character."),
  mode: z.enum(["Pod", "Job"]).default("Pod").describe("What prints the text: a Pod, or a Job that tries again."),
  image: imageReference().optional().describe("Image to print with; the operator's own when absent."),
  ttlSecondsAfterFinished: z.int().min(0).max(MAX_INT32).optional()
    .describe("Seconds that the finished Pod or Job is kept; as long as the Printer when absent."),
}).describe("What to print, and how.");

const status = z.object({
  ...sharedStatus(PRINTER_PHASES),
  podName: text(0, 253).optional().describe("Name of the Pod that prints."),
  exitCode: z.int().optional().describe("Exit code of the container, once it has ended."),
  output: text(0, MAX_OUTPUT_LENGTH).optional().describe("The first KiB of what was printed."),
  finishedAt: time().optional().describe("When printing ended, well or not."),
  requestDigest: text(0, 64).optional().describe(
    "Digest of the text, mode and image that were printed: while it stays the same, nothing is printed again.",
  ),
  failureReason: text(0, 1024).optional().describe("Why printing failed for good, as one CamelCase word for programs."),
  failureMessage: text(0, MESSAGE_LENGTH).optional().describe(
    "Why printing failed for good: exit code and the last lines of the log.",
  ),
}).describe("What became of it.");

/** The kind as data. */
export const PRINTER: KindDefinition = {
  resource: { group: "cadumillani.com.br", version: "v1", kind: "Printer", plural: "printers", namespaced: true },
  singular: "printer",
  shortNames: ["prt"],
  categories: CATEGORIES,
  description: "Printer is a Pod that prints a text, owned by its Printer.",
  columns: [
    { name: "Mode", type: "string", jsonPath: ".spec.mode", description: "What prints the text: Pod or Job." },
    { name: "Phase", type: "string", jsonPath: ".status.phase", description: "Where the Printer stands." },
    { name: "Pod", type: "string", jsonPath: ".status.podName", description: "Name of the Pod that prints." },
    { name: "Exit", type: "integer", jsonPath: ".status.exitCode", description: "Exit code of the container." },
    AGE_COLUMN,
    { name: "Output", type: "string", jsonPath: ".status.output", description: "What was printed.", wide: true },
    ...READY_COLUMNS,
  ],
  spec,
  status,
};

/** `spec` of a Printer, defaults filled in. */
export type PrinterSpec = z.output<typeof spec>;
/** `status` of a Printer. */
export type PrinterStatus = z.output<typeof status>;
/** A Printer as the API server gives it. */
export interface Printer extends KubeObject {
  spec: PrinterSpec;
  status?: PrinterStatus;
}
