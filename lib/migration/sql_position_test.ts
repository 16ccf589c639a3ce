import assert from "node:assert/strict";
import { lineOf } from "./sql_position.ts";

const CASES: Record<string, [sql: string, error: string, line: number | undefined]> = {
  "the first statement": ["\nINSERT INTO nobody VALUES (1)", 'relation "nobody" does not exist\n  Position: 14', 2],
  "a later statement": [
    "SELECT 1;\n\nINSERT INTO nobody VALUES (1);",
    'relation "nobody" does not exist\n  Position: 15',
    3,
  ],
  "a statement behind quotes and comments": [
    "SELECT ';', $$;$$, $a$;$$;$a$; -- ;\n/* ; */ INSERT INTO nobody VALUES (1);",
    'relation "nobody" does not exist\n  Position: 27',
    2,
  ],
  "a name in quotes": ['SELECT 1;\nSELECT * FROM "No One";', 'relation "No One" does not exist\n  Position: 16', 2],
  "what MySQL shows the rest of": [
    "SELECT 1;\nALTER TABEL x ADD y int",
    "check the manual for the right syntax to use near 'TABEL x...' at line 1",
    2,
  ],
  "a name that MySQL quotes": [
    "SELECT * FROM nobody2;\nINSERT INTO nobody VALUES (1)",
    "Table 'shop.nobody' doesn't exist",
    2,
  ],
  "a name that MySQL quotes and that stands in several lines": [
    "INSERT a;\nINSERT a",
    "Table 'x.a' doesn't exist",
    undefined,
  ],
  "an error without position": ["SELECT 1", "division by zero", undefined],
  "a position that fits no statement": ["SELECT 1; SELECT 2", 'relation "x" does not exist\n  Position: 3', undefined],
};

for (const [what, [sql, error, line]] of Object.entries(CASES)) {
  Deno.test(`the line of ${what}`, () => assert.equal(lineOf(sql, error), line));
}
