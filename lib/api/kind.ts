/**
 * What a kind of ours is, as data: the source of its CRD, of its verdicts without a cluster, and of what the rest of
 * the program knows about it.
 *
 * @module
 */
import type { z } from "zod";
import type { KubeObject, Resource } from "./object.ts";
import type { Rule } from "./rules.ts";

/** Categories of all our kinds: `kubectl get maquette` lists them together. */
export const CATEGORIES = Object.freeze(["maquette", "all"] as const);

/** A column of `kubectl get`, in the terms of `additionalPrinterColumns`. */
export interface PrinterColumn {
  readonly name: string;
  /** A `date` is shown as an age, and a time to come as `<invalid>`: those are `string`. */
  readonly type: "string" | "integer" | "boolean" | "date";
  readonly jsonPath: string;
  readonly description: string;
  /** Shown with `-o wide` only. */
  readonly wide?: boolean;
}

/** A kind with its schemas. */
export interface KindDefinition {
  readonly resource: Resource;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  /** What the kind is for: the head of `kubectl explain`. */
  readonly description: string;
  readonly columns: readonly PrinterColumn[];
  readonly spec: z.ZodObject;
  readonly status: z.ZodObject;
  /** Rules on the whole object; CEL sees `self.metadata.name`, `self.spec` and `self.status`. */
  readonly rules?: readonly Rule<KubeObject>[];
}

/** The column that every kind ends with. */
export const AGE_COLUMN: PrinterColumn = Object.freeze({
  name: "Age",
  type: "date",
  jsonPath: ".metadata.creationTimestamp",
  description: "Time since it was created.",
});

/** What the condition Ready says, for `-o wide`. */
export const READY_COLUMNS: readonly PrinterColumn[] = Object.freeze([
  {
    name: "Reason",
    type: "string",
    jsonPath: '.status.conditions[?(@.type=="Ready")].reason',
    description: "Reason of the condition Ready.",
    wide: true,
  },
  {
    name: "Message",
    type: "string",
    jsonPath: '.status.conditions[?(@.type=="Ready")].message',
    description: "Message of the condition Ready.",
    wide: true,
  },
]);
