import assert from "node:assert/strict";
import { compareQuantities, isQuantity, multiplyQuantity } from "./quantity.ts";

const ORDER: [less: string | number, more: string | number][] = [
  ["0", "1n"],
  ["999n", "1u"],
  ["1m", "2m"],
  ["999m", "1"],
  [".5", "501m"],
  ["1.", "1.1"],
  ["1k", "1Ki"],
  ["1G", "1Gi"],
  ["1e3", "1Ki"],
  ["999Pi", "1Ei"],
  ["1E", "1Ei"],
  ["1e-3", "2m"],
  [1, "1001m"],
  [0, "1e-99"],
  ["0.0000000000000000000000000001", "1e-27"],
  ["9007199254740992", "9007199254740993"],
];

const SAME: [string | number, string | number][] = [
  ["0.1", "100m"],
  ["1000m", 1],
  ["1.5Gi", "1536Mi"],
  ["1024", "1Ki"],
  ["1e3", "1k"],
  ["1E3", "1000"],
  ["1E+3", "1000"],
  ["0", "0Gi"],
  ["5.", "5"],
];

Deno.test("compareQuantities() orders exactly, whatever the units", () => {
  for (const [less, more] of ORDER) {
    assert.ok(compareQuantities(less, more) < 0, `${less} < ${more}`);
    assert.ok(compareQuantities(more, less) > 0, `${more} > ${less}`);
  }
});

Deno.test("compareQuantities() takes two spellings of one amount as equal", () => {
  for (const [a, b] of SAME) assert.equal(compareQuantities(a, b), 0, `${a} = ${b}`);
});

const NOT_QUANTITIES = [
  "",
  " 1",
  "1 ",
  "-1",
  "+1",
  "1MB",
  "1mi",
  "1K",
  "Mi",
  ".",
  "1e",
  "1e100",
  "0x1",
  "NaN",
  "1\n",
  "1".repeat(33),
];

Deno.test("isQuantity() and compareQuantities() refuse what the schema refuses", () => {
  for (const text of NOT_QUANTITIES) {
    assert.equal(isQuantity(text), false, text);
    assert.throws(() => compareQuantities(text, "1"), TypeError, text);
    assert.throws(() => multiplyQuantity(text, 2), TypeError, text);
  }
  for (const value of [-1, NaN, Infinity, null, undefined, true, {}, ["1"]]) assert.equal(isQuantity(value), false);
});

Deno.test("multiplyQuantity() keeps the unit and every digit", () => {
  const cases: [string | number, number, string][] = [
    ["1.5Gi", 3, "4.5Gi"],
    ["100m", 42, "4200m"],
    [2, 21, "42"],
    [".05", 3, "0.15"],
    ["1e3", 5, "5e3"],
    ["0.1", 0, "0.0"],
    ["9007199254740993", 3, "27021597764222979"],
  ];
  for (const [quantity, times, product] of cases) assert.equal(multiplyQuantity(quantity, times), product);
});
