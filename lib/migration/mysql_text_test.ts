import assert from "node:assert/strict";
import { upToLastStatement } from "./mysql_text.ts";

const CASES: Record<string, [sql: string, expected: string]> = {
  "a statement without an end": ["SELECT 1", "SELECT 1"],
  "semicolons and room": ["SELECT 1 ;\n;\n ", "SELECT 1"],
  "comments of every kind": ["SELECT 1; -- a\n# b;\n/* c;\n*/ --", "SELECT 1"],
  "what looks like a comment in quotes": [
    "SELECT '-- it''s \\' ;', \"# \\\";\", `/* ;`;",
    "SELECT '-- it''s \\' ;', \"# \\\";\", `/* ;`",
  ],
  "comments between statements": ["-- a\nSELECT 1; # b\nSELECT 2;", "-- a\nSELECT 1; # b\nSELECT 2"],
  "two minus signs that are no comment": ["SELECT 1--1", "SELECT 1--1"],
  "a comment that is SQL": ["SELECT 1; /*!40101 SET NAMES utf8mb4 */;", "SELECT 1; /*!40101 SET NAMES utf8mb4 */"],
  "a quote that never ends": ["SELECT 'a; -- b", "SELECT 'a; -- b"],
  "nothing but comments": ["-- nothing\n;", "DO 0"],
  "nothing": ["", "DO 0"],
};

for (const [what, [sql, expected]] of Object.entries(CASES)) {
  Deno.test(`a script that MySQL is sent as a whole: ${what}`, () => assert.equal(upToLastStatement(sql), expected));
}

Deno.test("a megabyte between quotes is one piece", () => {
  const sql = `SELECT '${"é''\\'".repeat(250_000)}'`;
  assert.equal(upToLastStatement(`${sql}; -- end`), sql);
});
