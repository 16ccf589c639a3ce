/**
 * Kubernetes quantities (k8s.io/apimachinery/pkg/api/resource): read exactly, without floating point, so that
 * `0.1` and `100m` are the same.
 *
 * @module
 */

/**
 * A quantity that is not negative, as a pattern for RE2 and ECMAScript. Exponents have at most two digits: no resource
 * needs more, and nobody can make a server compute with a number of a million digits.
 */
export const QUANTITY_PATTERN = "^([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][-+]?[0-9]{1,2})?$";

/** Most characters in a quantity that a schema of ours takes, or {@link compareQuantities}. */
export const QUANTITY_MAX_LENGTH = 32;

const PARTS = /^(\d*)\.?(\d*)(.*)$/;
const WRITTEN = new RegExp(QUANTITY_PATTERN);
const DECIMAL: ReadonlyMap<string, number> = new Map([
  ["n", -9],
  ["u", -6],
  ["m", -3],
  ["", 0],
  ["k", 3],
  ["M", 6],
  ["G", 9],
  ["T", 12],
  ["P", 15],
  ["E", 18],
]);
const BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/** Of what is written most: a whole number and one of these. In thousandths. */
const COMMON = /^(\d{1,15})(m|k|M|G|Ki|Mi|Gi)?$/;
const THOUSANDTHS: Readonly<Record<string, number>> = {
  m: 1,
  "": 1e3,
  k: 1e6,
  M: 1e9,
  G: 1e12,
  Ki: 1e3 * 2 ** 10,
  Mi: 1e3 * 2 ** 20,
  Gi: 1e3 * 2 ** 30,
};

/** Units per 1, as a power of 10: the smallest exponent and all digits behind the point of a bounded text fit. */
const SCALE = 140;

/**
 * Compares two quantities.
 *
 * @param a for instance `"250m"`, `"1.5Gi"` or `2`
 * @returns negative when `a` is less than `b`, 0 when they are equal, positive when it is more
 * @throws TypeError when one is not a quantity by {@link QUANTITY_PATTERN} and {@link QUANTITY_MAX_LENGTH}
 */
export function compareQuantities(a: string | number, b: string | number): number {
  const [fewA, fewB] = [thousandths(a), thousandths(b)];
  if (fewA !== undefined && fewB !== undefined) return fewA - fewB;
  const difference = scaled(a) - scaled(b);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** Whether a value is a quantity that {@link compareQuantities} takes. */
export function isQuantity(value: unknown): value is string | number {
  const written = typeof value === "string" || typeof value === "number" ? String(value) : "";
  return written.length <= QUANTITY_MAX_LENGTH && WRITTEN.test(written);
}

/**
 * A quantity times a whole number, in the same unit.
 *
 * @example multiplyQuantity("1.5Gi", 3) // "4.5Gi"
 * @throws TypeError when it is not a quantity
 */
export function multiplyQuantity(quantity: string | number, times: number): string {
  const written = String(quantity);
  if (!isQuantity(quantity)) throw new TypeError(`Cannot read quantity: ${JSON.stringify(written)}`);
  const [, whole = "", fraction = "", suffix = ""] = PARTS.exec(written) ?? [];
  const digits = String(BigInt(whole + fraction) * BigInt(times)).padStart(fraction.length + 1, "0");
  const point = digits.length - fraction.length;
  return `${digits.slice(0, point)}${fraction ? `.${digits.slice(point)}` : ""}${suffix}`;
}

/** Where a number holds it exactly: whole numbers as long as the general way takes are slow, and compared all the time. */
function thousandths(quantity: string | number): number | undefined {
  const [, digits, suffix = ""] = COMMON.exec(String(quantity)) ?? [];
  const amount = digits === undefined ? NaN : Number(digits) * THOUSANDTHS[suffix]!;
  return Number.isSafeInteger(amount) ? amount : undefined;
}

/** The quantity as a whole number of the smallest units. */
function scaled(quantity: string | number): bigint {
  const written = String(quantity);
  if (!isQuantity(quantity)) throw new TypeError(`Cannot read quantity: ${JSON.stringify(written)}`);
  const [, whole = "", fraction = "", suffix = ""] = PARTS.exec(written) ?? [];
  const digits = BigInt(whole + fraction);
  const power = BINARY.indexOf(suffix);
  if (power > 0) return digits * 1024n ** BigInt(power) * 10n ** BigInt(SCALE - fraction.length);
  const exponent = DECIMAL.get(suffix) ?? Number(suffix.slice(1));
  return digits * 10n ** BigInt(SCALE + exponent - fraction.length);
}
