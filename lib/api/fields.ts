/**
 * The vocabulary that the kinds' schemas are written in: texts, names, quantities and lists that zod and the API server
 * judge alike.
 *
 * @module
 */
import { z } from "zod";
import { QUANTITY_MAX_LENGTH, QUANTITY_PATTERN } from "./quantity.ts";
import { withKeywords, withRules } from "./rules.ts";

const DNS_LABEL_PATTERN = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";
const DNS_SUBDOMAIN_PATTERN = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";
const NO_NUL_PATTERN = "^[^\\x00]*$";

/**
 * A text of a bounded number of characters.
 *
 * zod's `max()` counts UTF-16 units and the API server code points, so an emoji is two for the one and one for the
 * other. This counts as the API server does.
 */
export function text(min: number, max: number): z.ZodString {
  const filled = min === 0 ? z.string() : withKeywords(z.string(), {
    keywords: { minLength: min },
    broken: (value) => charactersIn(value) < min ? [[]] : [],
    message: min === 1 ? "Must not be empty" : `Must have at least ${min} characters`,
  });
  return withKeywords(filled, {
    keywords: { maxLength: max },
    broken: (value) => charactersIn(value) > max ? [[]] : [],
    message: `Must have at most ${max} characters`,
  });
}

function charactersIn(value: string): number {
  let count = 0;
  for (const _ of value) count++;
  return count;
}

/**
 * A text that a pattern describes.
 *
 * @param pattern anchored at both ends, in the language that RE2 and ECMAScript share (crds/re2.ts judges it)
 * @param options the most characters, and what the pattern means in words: `Must be …`
 */
export function matching(pattern: string, options: { max: number; message: string }): z.ZodString {
  const compiled = new RegExp(pattern);
  return withKeywords(text(0, options.max), {
    keywords: { pattern },
    broken: (value) => compiled.test(value) ? [] : [[]],
    message: options.message,
  });
}

/** A text that may become an argument or an environment value: those end at the first NUL. */
export function textWithoutNul(max: number): z.ZodString {
  return matching(NO_NUL_PATTERN, { max, message: "Must not contain a NUL character" });
}

/** A name of a namespace or of a container: DNS-1123 label. */
export function dnsLabel(): z.ZodString {
  const message = "Must be a DNS-1123 label: a-z, 0-9 and dashes, with a letter or digit at both ends";
  return matching(DNS_LABEL_PATTERN, { max: 63, message });
}

/** A name of a namespace that is to be made. What else is reserved is configuration and judged at admission. */
export function newNamespace(): z.ZodString {
  return withRules(dnsLabel(), {
    cel: "self != 'default' && !self.startsWith('kube-')",
    holds: (name) => name !== "default" && !name.startsWith("kube-"),
    message: "Must not be a reserved namespace: default and kube-* belong to the cluster",
  });
}

/** A name of a Secret, ConfigMap and most other objects: DNS-1123 subdomain. */
export function objectName(): z.ZodString {
  const message = "Must be an object name: a-z, 0-9, dashes and dots, with a letter or digit at both ends";
  return matching(DNS_SUBDOMAIN_PATTERN, { max: 253, message });
}

/** Shortest TTL in seconds. The longest is configuration and judged at admission. */
export const MIN_TTL_SECONDS = 60;
/** Ten years: the bound of the schema, far above every configured maximum. */
const MAX_TTL_SECONDS = 315_360_000;

/** Seconds until something is over. */
export function ttl(): z.ZodInt {
  return z.int().min(MIN_TTL_SECONDS).max(MAX_TTL_SECONDS);
}

/** A point in time (RFC 3339). */
export function time(): z.ZodISODateTime {
  return z.iso.datetime({ offset: true });
}

/** An amount of a resource: `250m`, `1.5Gi`, `2`. Text or whole number, as everywhere in Kubernetes. */
export function quantity(): z.ZodUnion<readonly [z.ZodInt, z.ZodString]> {
  const message = "Must be a quantity that is not negative, for instance 250m, 1.5 or 512Mi";
  const written = matching(QUANTITY_PATTERN, { max: QUANTITY_MAX_LENGTH, message });
  return z.union([z.int().min(0), written], { error: message });
}

/**
 * A list whose items are told apart by one field. Server-side apply merges it item by item.
 *
 * @param item its `key` must be a required text
 */
export function listMap<S extends z.ZodObject>(
  item: S,
  options: { key: keyof z.output<S> & string; max: number },
): z.ZodArray<S> {
  return withKeywords(list(item, options.max), {
    keywords: { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [options.key] },
    broken: (items) => repeated(items.map((each) => each?.[options.key])).map((index) => [index]),
    message: `Must have a ${options.key} that no other item of the list has`,
  });
}

/** A list of a bounded number of items that is replaced as a whole. */
export function list<S extends z.ZodType>(item: S, max: number): z.ZodArray<S> {
  return z.array(item).max(max, `Must have at most ${max} items`);
}

/** A list of texts that are told apart by themselves. Server-side apply merges it text by text. */
export function setOf(item: z.ZodString, max: number): z.ZodArray<z.ZodString> {
  return withKeywords(list(item, max), {
    keywords: { "x-kubernetes-list-type": "set" },
    broken: (items) => repeated(items).map((index) => [index]),
    message: "Must not stand in the list twice",
  });
}

/** A JSON object of any shape: what a chart's values are. How many bytes it has is judged at admission. */
export function freeForm(max: number): z.ZodRecord<z.ZodString, z.ZodUnknown> {
  return withKeywords(z.record(z.string(), z.unknown()), {
    keywords: { maxProperties: max },
    broken: (value) => Object.keys(value).length > max ? [[]] : [],
    message: `Must have at most ${max} entries`,
  });
}

/** Indices of the texts that stand earlier in the list too. Anything but a text has a problem of its own. */
function repeated(values: readonly unknown[]): number[] {
  const seen = new Set<unknown>();
  return values.flatMap((value, index) => {
    const isRepeated = typeof value === "string" && seen.has(value);
    seen.add(value);
    return isRepeated ? [index] : [];
  });
}
