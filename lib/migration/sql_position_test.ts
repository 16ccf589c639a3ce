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
  "an error without position": ["SELECT 1", "division by zero", undefined],
  "a position that fits no statement": ["SELECT 1; SELECT 2", 'relation "x" does not exist\n  Position: 3', undefined],
};

for (const [what, [sql, error, line]] of Object.entries(CASES)) {
  Deno.test(`the line of ${what}`, () => assert.equal(lineOf(sql, error), line));
}
