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

Deno.test("no version is 0: Flyway would take it for done in a database that is not empty", () => {
  const message = "Must be higher than 0, which stands for all that was there before";
  assert.deepEqual(changeProblems([{ version: "0.0", sql: "a" }, { version: "0.1", sql: "b" }]), [
    { index: 0, field: "version", message },
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
  "has the version of another": [
    { "V1__a.sql": "a", "V1__b.sql": "b" },
    /^Files "V1__a.sql" and "V1__b.sql" are both version "1"$/,
  ],
  "has the version of another rollback": [
    { "V1__a.sql": "a", "U1__a.sql": "", "U1__b.sql": "" },
    /^Files "U1__a.sql" and "U1__b.sql" are both version "1"$/,
  ],
  "has a version that no history takes": [
    { [`V${"1".repeat(51)}__a.sql`]: "a" },
    /^File "V1+__a.sql": The version must have at most 50 characters$/,
  ],
  "is one too many": [
    Object.fromEntries(Array.from({ length: 501 }, (_, at) => [`V${at + 1}__a.sql`, "a"])),
    /^Must have at most 500 versions: 501$/,
  ],
  "undoes nothing": [{ "U1__x.sql": "" }, /^Rollback of version "1" has no change: V1__….sql is missing$/],
};

for (const [what, [files, says]] of Object.entries(REFUSED)) {
  Deno.test(`a file that ${what} is refused`, () => {
    assert.throws(() => migrationsOfFiles(files), { message: says });
  });
}
