/**
 * Names of children, hosts and label values (SPEC section 2). Pure: the same parts give the same name on every machine,
 * whatever its locale, because objects that already exist are found by them.
 *
 * @module
 */
import { createHash } from "node:crypto";

/** Most characters in a DNS-1123 label and in a label value. */
export const MAX_NAME_LENGTH = 63;

/** What is kept of a name that is too long: room for a dash and {@link HASH_LENGTH} digits stays. */
const KEPT_LENGTH = 57;
const HASH_LENGTH = 5;
const DNS_LABEL = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
const LABEL_VALUE_EDGE = "-_.";

/**
 * Turns any text into a piece of a name: lower case, everything outside `a-z0-9` a single `-`, none at the ends.
 *
 * Only ASCII letters are lowered. Unicode's own lower case would turn `İ` into `i` and a combining dot and the Kelvin
 * sign into `k`: letters that nobody wrote.
 *
 * @param s any text
 * @returns letters, digits and single dashes, of any length; `""` when no letter or digit is left
 * @example
 * ```ts
 * sanitize("Feature/My_Branch"); // "feature-my-branch"
 * ```
 */
export function sanitize(s: string): string {
  const lower = s.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  return lower.replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
}

/**
 * Joins sanitized parts to a DNS-1123 label. What is longer than 63 characters keeps its first 57 and gets five hex
 * digits of the SHA-256 of the whole, so that two long names that start alike stay different.
 *
 * Two different lists can still give one name (`a-b`, `c` and `a`, `b-c`): ownership decides, not the name.
 *
 * @param parts texts; those that sanitize to nothing are left out
 * @returns a DNS-1123 label, or `""` when no part has a letter or digit: the caller must refuse that
 * @example
 * ```ts
 * generate("preview", "acme/shop", "pr-7"); // "preview-acme-shop-pr-7"
 * ```
 */
export function generate(...parts: readonly string[]): string {
  const joined = parts.map(sanitize).filter((part) => part !== "").join("-");
  if (joined.length <= MAX_NAME_LENGTH) return joined;
  const hash = createHash("sha256").update(joined).digest("hex").slice(0, HASH_LENGTH);
  return `${joined.slice(0, KEPT_LENGTH).replace(/-$/, "")}-${hash}`;
}

/**
 * Makes a Kubernetes label value of any text. For showing and selecting only: different texts can give one value.
 *
 * @param s any text, for instance a branch name
 * @returns at most 63 characters that start and end with a letter or digit; `""` (a legal value) when nothing is left
 * @example
 * ```ts
 * labelValue("feature/login:v2"); // "feature-login-v2"
 * ```
 */
export function labelValue(s: string): string {
  const allowed = s.replace(/[/:]/g, "-").replace(/[^A-Za-z0-9_.-]+/g, "");
  // Cutting can bare a new edge: trim again.
  return trim(trim(allowed).slice(0, MAX_NAME_LENGTH));
}

/** Whether a text is a DNS-1123 label: 1 to 63 of `a-z0-9-`, with a letter or digit at both ends. */
export function isDnsLabel(s: string): boolean {
  return s.length <= MAX_NAME_LENGTH && DNS_LABEL.test(s);
}

/**
 * Whether a namespace must never be a target.
 *
 * @param name the namespace
 * @param reserved names beyond `default` and `kube-*`, each exact or with a trailing `*` for a prefix
 */
export function isReservedNamespace(name: string, reserved: readonly string[]): boolean {
  return ["default", "kube-*", ...reserved].some((entry) =>
    entry.endsWith("*") ? name.startsWith(entry.slice(0, -1)) : name === entry
  );
}

/** A loop and not a pattern: `[-_.]+$` takes time by the square of a long run of dashes inside the text. */
function trim(s: string): string {
  let start = 0;
  let end = s.length;
  while (start < end && LABEL_VALUE_EDGE.includes(s.charAt(start))) start++;
  while (end > start && LABEL_VALUE_EDGE.includes(s.charAt(end - 1))) end--;
  return s.slice(start, end);
}
