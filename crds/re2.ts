/**
 * Judges whether a JavaScript pattern means the same in RE2, which the API server reads patterns with.
 *
 * @module
 */

/** One step through a pattern: an escape, a class, the head of a group, a counted repetition, or a character. */
const TOKEN = /\\(?:x[0-9a-fA-F]{2}|[^])|\[(?:\\[^]|[^\]\\])*\]|\(\?(?:<[=!]|[^])?|\{\d+(?:,\d*)?\}|[^]/g;
const ESCAPE = /\\(?:x[0-9a-fA-F]{2}|[^])/g;
/** Digits, word characters, control characters, two hex digits, punctuation: what both read alike. */
const SHARED_ESCAPE = /^\\(?:[dDwWnrtfv]|x[0-9a-fA-F]{2}|[^a-zA-Z0-9])$/;
/** Most repetitions that RE2 takes in `{n,m}`. */
const MAX_REPEAT = 1000;

/**
 * @param pattern as `new RegExp` takes it without flags
 * @returns why it cannot stand in a CRD, quoting the construct; undefined when it means the same to both
 */
export function re2Problem(pattern: string): string | undefined {
  for (const [token] of pattern.matchAll(TOKEN)) {
    const problem = tokenProblem(token);
    if (problem !== undefined) return `${problem}: "${token}"`;
  }
  return undefined;
}

function tokenProblem(token: string): string | undefined {
  if (token === ".") return "JavaScript and RE2 differ in the line ends that a dot leaves out";
  if (token.startsWith("\\")) return escapeProblem(token);
  if (token.startsWith("[")) return classProblem(token);
  if (token.startsWith("(?") && token !== "(?:") return "RE2 has no look-around, and other groups than JavaScript";
  if (token.startsWith("{") && repeatOf(token) > MAX_REPEAT) return `RE2 repeats at most ${MAX_REPEAT} times`;
  return undefined;
}

function escapeProblem(escape: string): string | undefined {
  return SHARED_ESCAPE.test(escape) ? undefined : "RE2 does not have this escape, or reads it differently";
}

function classProblem(token: string): string | undefined {
  if (token === "[]" || token === "[^]") return "RE2 takes the bracket after the first one as a character";
  if (token.includes("[:", 1)) return "RE2 reads this as the name of a class";
  return [...token.matchAll(ESCAPE)].map(([escape]) => escapeProblem(escape)).find((problem) => problem !== undefined);
}

function repeatOf(token: string): number {
  return Math.max(...token.slice(1, -1).split(",").map(Number));
}
