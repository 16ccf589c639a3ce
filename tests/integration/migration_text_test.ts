/** What is written in scripts reaches the database as it stands, whatever tools would make of it; also from files. */
import assert from "node:assert/strict";
import type { KubeObject } from "../../lib/api/object.ts";
import { MigrationLab, type MigrationText, TEAM } from "../migrations/lab.ts";
import { condition } from "./previews.ts";

const VALUE = `$ \${x} $\${y} \${PATH} \${LIQUIBASE_COMMAND_PASSWORD} $(id) $$(X) \`id\` "quoted" 😀 \\ %s ? :name`;
const ODD = `-- comment with 'a quote, $dollar and \${x}
--changeset x:y
-- rollback nothing
/* ; \${z} */
CREATE TABLE odd (t text); -- ; not an end
INSERT INTO odd VALUES ('it''s ${VALUE}');
CREATE FUNCTION told() RETURNS text LANGUAGE plpgsql AS $fn$
BEGIN
  RETURN '\${user.name}; -- not a comment'; -- ; comment
END $fn$;
INSERT INTO odd VALUES (told())`;
const ROWS = 1030;
/** 900 KiB. */
const LONG = `CREATE TABLE long (n int, t text);\n${
  Array.from({ length: ROWS }, (_, n) => `INSERT INTO long VALUES (${n}, '${"é".repeat(420)}');\n`).join("")
}`;
const CHANGES: MigrationText[] = [
  { version: "1", description: "Odd: $ ${x} 'q' 😀", sql: ODD },
  { version: "2", sql: LONG },
  { version: "3", sql: "-- nothing but a comment" },
];

Deno.test("scripts reach the database as they stand", async (t) => {
  await using lab = await MigrationLab.open();
  const rows = async (database: string): Promise<void> => {
    const told = await lab.server.query(database, "select t from odd");
    assert.deepEqual(told, [[`it's ${VALUE}`], ["${user.name}; -- not a comment"]]);
    const [[count, length]] = await lab.server.query(database, "select count(*), min(length(t)) from long") as [
      string[],
    ];
    assert.deepEqual([count, length], [String(ROWS), "420"]);
  };

  for (const tool of ["flyway", "liquibase"]) {
    await t.step(`${tool}: dollars, quotes, comments, emoji, and 900 KiB`, async () => {
      await lab.database(tool);
      await lab.apply(lab.migration(tool, CHANGES, { tool }));
      await lab.until(tool, "Completed");
      await rows(tool);
    });
  }

  await t.step("a script that no ConfigMap takes is refused, saying how long it may be", async () => {
    const sql = `SELECT '${"ü".repeat(500_000)}'`;
    const refused = await lab.refusal(lab.migration("flyway", [...CHANGES.slice(0, 1), { version: "4", sql }]));
    assert.match(refused, /spec\.migrations\[1\]\.sql: Must have at most 1000000 bytes as UTF-8: 1000009/);
  });

  await t.step("files of a ConfigMap are changes by their names, and wait for it", async () => {
    await lab.database("files");
    const object: KubeObject = lab.migration("files", [], { source: { configMapRef: { name: "changes" } } });
    delete object.spec.migrations;
    await lab.apply(object);
    assert.match(
      condition(await lab.untilReason("files", "SourceMissing"), "Ready")!.message,
      /"shop\/changes" does not/,
    );
    const data: Record<string, string> = { "V1__odd.sql": ODD, "V1.1__long.sql": LONG };
    const source = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "changes", namespace: TEAM } };
    await lab.apply({ ...source, data });
    await lab.until("files", "Completed");
    await rows("files");
    await lab.apply({ ...source, data: { ...data, "V2__more.sql": "CREATE TABLE more (i int)" } });
    await lab.untilIt("to be at version 2", ({ status }) => status.currentVersion === "2", { name: "files" });
    assert.deepEqual(await lab.flywayHistory("files"), ["1 true", "1.1 true", "2 true"]);
  });
});
