import assert from "node:assert/strict";
import type { KubeObject } from "../api/object.ts";
import { failureIn, isEdited, isWithoutDriver, readReport, reportsOf, spokenIn, whole } from "./report.ts";

const VERSIONS = ["1", "1.9", "1.10", "2.0", "3"];
const FLYWAY = `ERROR: Migration of schema "public" to version "2.0 - x" failed! Changes successfully rolled back.
ERROR: Script V2.0__x.sql failed
SQL State  : 42P01
Error Code : 0
Message    : ERROR: relation "nobody" does not exist
  Position: 13
Location   : /maquette/files/V2.0__x.sql (/maquette/files/V2.0__x.sql)
Line       : 3
`;
const LIQUIBASE = `Unexpected error running Liquibase: Migration failed for changeset maquette::2.0::maquette:
     Reason: liquibase.exception.DatabaseException: ERROR: relation "nobody" does not exist
  Position: 13
`;

Deno.test("a report tells what was applied before and after, and the highest version", () => {
  assert.deepEqual(readReport("before 1-2\ncurrent 1.9\nafter 1-3,5\ncurrent 7\n", VERSIONS), {
    before: ["1", "1.9"],
    after: ["1", "1.9", "1.10", "3"],
    current: "7",
    half: [],
    error: "",
  });
});

Deno.test("a report of an empty history says so", () => {
  const { before, after, current } = readReport("before \ncurrent \n", VERSIONS);
  assert.deepEqual([before, after, current], [[], undefined, ""]);
});

Deno.test("a report tells what failed half-way, and what was refused", () => {
  assert.deepEqual(readReport("before 1-2\nhalf 4 \n", VERSIONS).half, ["2.0"]);
  assert.deepEqual(readReport("order 2 1.10\n", VERSIONS).outOfOrder, { version: "1.9", current: "1.10" });
  assert.deepEqual(readReport("spelled 4 2\n", VERSIONS).respelled, { version: "2.0", applied: "2" });
  assert.deepEqual(readReport("held 2 4\n", VERSIONS).held, { version: "1.9", before: "2.0" });
});

Deno.test("what the tool said is the rest, whatever is in it", () => {
  const { error, after } = readReport("before 1\ncurrent 1\nerror\nafter 1-5\nerror\nx", VERSIONS);
  assert.equal(error, "after 1-5\nerror\nx");
  assert.equal(after, undefined);
});

for (const [tool, error] of Object.entries({ FLYWAY, LIQUIBASE })) {
  Deno.test(`${tool}: version and words of a failure`, () => {
    assert.deepEqual(failureIn(error), tool === "FLYWAY" ? { version: "2.0", line: 3 } : { version: "2.0" });
    assert.equal(spokenIn(error), 'ERROR: relation "nobody" does not exist\n  Position: 13');
    assert.equal(isEdited(error), false);
  });
}

Deno.test("what MariaDB's driver says of its connections is left out, and what Flyway says several times is said once", () => {
  const refused = "Access denied for user 'app'@'localhost'";
  const error = `ERROR: Unable to obtain connection from database for user 'app': (conn=9) ${refused}
SQL State  : 28000
Error Code : 1045
Message    : Could not connect to address=(host=db) : (conn=9) ${refused}
ERROR: (conn=9) ${refused}`;
  assert.equal(spokenIn(error), `Could not connect to address=(host=db) : ${refused}`);
  const liquibase = `Unexpected error running Liquibase: Migration failed for changeset maquette::2.0::maquette:
     Reason: liquibase.exception.DatabaseException: (conn=34) Table 'shop.nobody' doesn't exist`;
  assert.equal(spokenIn(liquibase), "Table 'shop.nobody' doesn't exist");
});

Deno.test("an image without the driver is told from other failures", () => {
  const missing = "Unexpected error running Liquibase: Cannot find database driver: org.mariadb.jdbc.Driver";
  assert.deepEqual([missing, LIQUIBASE, FLYWAY].map(isWithoutDriver), [true, false, false]);
});

const EDITED = {
  flyway:
    "ERROR: Validate failed: Migrations have failed validation\nMigration checksum mismatch for migration version 1.9\n-> Applied",
  liquibase:
    "Validation Failed:\n     1 changesets check sum\n          maquette::1.9::maquette was: 9:b but is now: 9:1",
};

for (const [tool, error] of Object.entries(EDITED)) {
  Deno.test(`${tool}: an edited version is told by name`, () => {
    assert.equal(failureIn(error).version, "1.9");
    assert.equal(isEdited(error), true);
  });
}

function podWith(message: string | undefined, finishedAt: string): KubeObject {
  const state = { terminated: { exitCode: 1, message, finishedAt } };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "x" },
    status: { containerStatuses: [{ name: "sidecar" }, { name: "migrate", state }] },
  };
}

Deno.test("several Pods of a run tell one story: before the first, after the last", () => {
  const pods = [
    podWith("before 1-2\ncurrent 1.9\nafter 1-4\ncurrent 2.0\n", "2026-01-01T00:02:00Z"),
    podWith(undefined, "2026-01-01T00:01:00Z"),
    podWith("before 1\ncurrent 1\n", "2026-01-01T00:00:00Z"),
  ];
  const { before, after } = whole(reportsOf(pods, VERSIONS))!;
  assert.deepEqual([before, after], [["1"], ["1", "1.9", "1.10", "2.0"]]);
  assert.equal(whole([]), undefined);
});
