import assert from "node:assert/strict";
import { changeProblems, changesOf, checksumOf, migrationsOfFiles } from "./migration_set.ts";

Deno.test("changes stand in the order of their versions, whatever the list's", () => {
  const changes = changesOf([
    { version: "1.10", sql: "b", stage: "contract" },
    { version: "1.9", sql: "a", rollback: "undo", description: "first" },
  ]);
  assert.deepEqual(changes, [
    { version: "1.9", description: "first", sql: "a", rollback: "undo", isContract: false, checksum: checksumOf("a") },
    { version: "1.10", description: "", sql: "b", isContract: true, checksum: checksumOf("b") },
  ]);
});

Deno.test("an empty rollback text is none", () => {
  assert.equal(changesOf([{ version: "1", sql: "a", rollback: "" }])[0]!.rollback, undefined);
});

Deno.test("one version in two spellings is found", () => {
  assert.deepEqual(changeProblems([{ version: "1.0", sql: "a" }, { version: "1", sql: "b" }]), [
    { index: 1, field: "version", message: 'Is version "1.0" in other words' },
  ]);
});

Deno.test("scripts are measured in bytes", () => {
  const [problem, ...others] = changeProblems([{
    version: "1",
    sql: "ü".repeat(500_001),
    rollback: "ü".repeat(500_000),
  }]);
  assert.equal(others.length, 0);
  assert.equal(problem!.field, "sql");
  assert.match(
    problem!.message,
    /^Must have at most 1000000 bytes as UTF-8: 1000002; a ConfigMap takes no more, split it$/,
  );
});

Deno.test("files are migrations by their names", () => {
  const files = {
    "V1_2__add_person.sql": "a",
    "U1.2__add_person.sql": "b",
    "V2__contract_drop_it.sql": "c",
    "V3__.sql": "d",
  };
  assert.deepEqual(migrationsOfFiles(files), [
    { version: "1.2", description: "add person", sql: "a", rollback: "b" },
    { version: "2", description: "contract drop it", sql: "c", stage: "contract" },
    { version: "3", description: "", sql: "d" },
  ]);
});

const REFUSED: Record<string, [files: Record<string, string>, says: RegExp]> = {
  "is called otherwise": [{ "readme.md": "" }, /^File "readme.md" must be called/],
  "has no version": [{ "V__x.sql": "" }, /^File "V__x.sql" must be called/],
  "undoes nothing": [{ "U1__x.sql": "" }, /^Rollback of version "1" has no change: V1__….sql is missing$/],
};

for (const [what, [files, says]] of Object.entries(REFUSED)) {
  Deno.test(`a file that ${what} is refused`, () => {
    assert.throws(() => migrationsOfFiles(files), { message: says });
  });
}
