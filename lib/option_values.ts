/**
 * The kinds of values that options have: how their texts are read, and what is said of one that is wrong.
 *
 * @module
 */
import { z } from "zod";
import { registryEntryProblem } from "./image/policy.ts";
import { parseReference } from "./image/reference.ts";
import { isDnsLabel } from "./naming.ts";
import { isNetwork } from "./network.ts";
import { mirrorProblem } from "./registry/endpoints.ts";

/** A text of a pattern. @param expected `must be …` */
export function word(pattern: RegExp, expected: string): z.ZodString {
  return z.string().regex(pattern, expected);
}

/** A DNS label. */
export function label(): z.ZodString {
  return z.string().refine(isDnsLabel, "must be a DNS label: at most 63 of a-z, 0-9 and -");
}

/** A whole number within bounds. */
export function number(least: number, most: number): z.ZodType<number> {
  const message = `must be a whole number from ${least} to ${most}`;
  return z.string().regex(/^\d+$/, message).transform(Number).pipe(z.number().min(least, message).max(most, message));
}

/** `true` or `false`. */
export function flag(): z.ZodType<boolean> {
  return z.enum(["true", "false"], "must be true or false").transform((text) => text === "true");
}

/** Values with commas between them. */
export function list(item: z.ZodType<string, string>): z.ZodType<string[]> {
  return z.string().transform((text) => text.split(",").map((part) => part.trim()).filter((part) => part !== ""))
    .pipe(z.array(item));
}

/** A registry, or one with a path. */
export function registryEntry(): z.ZodType<string, string> {
  return z.string().superRefine((entry, context) => {
    const problem = registryEntryProblem(entry);
    if (problem) context.addIssue({ code: "custom", message: problem });
  });
}

/** `REGISTRY=MIRROR` */
export function mirror(): z.ZodType<string, string> {
  return z.string().superRefine((entry, context) => {
    const problem = mirrorProblem(entry);
    if (problem) context.addIssue({ code: "custom", message: problem });
  });
}

/** A network. */
export function cidr(): z.ZodType<string, string> {
  const message = "must be networks such as 10.0.0.0/8 or fd00::/8, without host bits and not all addresses";
  return z.string().refine(isNetwork, message);
}

/** An image reference. */
export function image(): z.ZodType<string> {
  return z.string().superRefine((text, context) => {
    const parsed = parseReference(text);
    if (!parsed.ok) context.addIssue({ code: "custom", message: parsed.problem });
  });
}
