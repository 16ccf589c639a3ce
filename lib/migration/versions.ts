/**
 * Versions of migrations: numbers with dots between them, compared number by number. Pure.
 *
 * @module
 */

/** The one way to write a version: without zeros that say nothing. `01.0` and `1` are one version to the tools. */
export function canonical(version: string): string {
  const numbers = version.split(".").map((digits) => digits.replace(/^0+(?=\d)/, ""));
  while (numbers.length > 1 && numbers.at(-1) === "0") numbers.pop();
  return numbers.join(".");
}

/** Negative where `a` goes first, 0 where they are one version. `1.10` goes after `1.9`. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [canonical(a).split("."), canonical(b).split(".")];
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const order = compareDigits(left[at] ?? "0", right[at] ?? "0");
    if (order !== 0) return order;
  }
  return 0;
}

/** Of numbers of any length. */
function compareDigits(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}
