import assert from "node:assert/strict";
import { withoutParameters } from "./postgres_text.ts";

const CASES: Record<string, [sql: string, expected: string]> = {
  "operators of jsonb": ["SELECT a ? 'b', a ?| c, a ?& d", "SELECT a ?? 'b', a ??| c, a ??& d"],
  "quoted texts": [
    "SELECT '?', 'it''s ?', E'\\'?', \"?\", $$?$$, $a$ $$ ? $a$",
    "SELECT '?', 'it''s ?', E'\\'?', \"?\", $$?$$, $a$ $$ ? $a$",
  ],
  "comments": ["SELECT 1 -- ?\n/* ? */", "SELECT 1 -- ?\n/* ? */"],
};

for (const [what, [sql, expected]] of Object.entries(CASES)) {
  Deno.test(`question marks for PostgreSQL's driver: ${what}`, () => assert.equal(withoutParameters(sql), expected));
}
