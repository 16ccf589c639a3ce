/** What happens to DatabaseMigrations that fail, or that ask for what must not be. */
import assert from "node:assert/strict";
import type { KubeObject } from "../../lib/api/object.ts";
import { MigrationLab, type MigrationText, TEAM } from "../migrations/lab.ts";
import { condition } from "./previews.ts";

const FIRST: MigrationText = { version: "1", sql: "CREATE TABLE a (i int)", rollback: "DROP TABLE a" };
const UNDONE: MigrationText[] = [
  { version: "2", sql: "CREATE TABLE b (i int)", rollback: "DROP TABLE b" },
  {
    version: "3",
    sql: `CREATE VIEW c AS SELECT i FROM b WHERE '{"k": 1}'::jsonb ? 'k'`,
    rollback: `INSERT INTO a SELECT 1 WHERE '{"k": 1}'::jsonb ? 'k' AND '\${x}' = '$' || '{x}'; DROP VIEW c -- first`,
  },
];
const BAD: MigrationText = { version: "4", sql: "SELECT 1;\n\nSELECT * FROM nobody", rollback: "DROP TABLE never" };
const PERSON = "CREATE TABLE person (id int)";

Deno.test("migrations fail", async (t) => {
  await using lab = await MigrationLab.open();
  const tables = async (database: string): Promise<string[]> => {
    const sql = "select relname from pg_class where relname in ('a', 'b', 'c', 'person') order by 1";
    return (await lab.server.query(database, sql)).map(([name]) => name!);
  };

  for (const tool of ["flyway", "liquibase"]) {
    const name = `undo_${tool}`;
    await lab.database(name);
    const spec = { tool, rollback: { onFailure: true } };
    const object = (migrations: MigrationText[]): KubeObject =>
      lab.migration(name, migrations, spec, { name: `undo-${tool}` });

    await t.step(`${tool}: what a failed run had applied is undone, and nothing else`, async () => {
      await lab.apply(object([FIRST]));
      await lab.until(`undo-${tool}`, "Completed");
      await lab.apply(object([FIRST, ...UNDONE, BAD]));
      await lab.until(`undo-${tool}`, "RollingBack");
      const found = await lab.until(`undo-${tool}`, "Failed");
      const { message, reason } = condition(found, "Stalled")!;
      assert.equal(reason, "MigrationFailed");
      assert.match(
        message,
        /^Version "4" failed at line 3: ERROR: relation "nobody" does not exist.*undone: "3", "2"$/s,
      );
      assert.deepEqual([found.status.currentVersion, found.status.failedMigration], ["1", "4"]);
      assert.deepEqual(await tables(name), ["a"]);
      assert.deepEqual(await lab.server.query(name, "select i from a"), [["1"]]);
      assert.equal((await lab.history(name, tool)).length, 1);
    });

    await t.step(`${tool}: it is tried again when the annotation gets a new value, and not before`, async () => {
      const jobs = (): number => lab.runner.runs.filter(({ job }) => job.startsWith(`undo-${tool}`)).length;
      const before = jobs();
      await lab.terminal.patch("dbm", `undo-${tool}`, { metadata: { labels: { some: "label" } } }, TEAM);
      await lab.terminal.patch(
        "dbm",
        `undo-${tool}`,
        { metadata: { annotations: { "maquette.dev/retry": "1" } } },
        TEAM,
      );
      await lab.untilIt("to have tried again", ({ status }) => status.phase === "Failed" && status.run.isUndone, {
        name: `undo-${tool}`,
      });
      await lab.untilIt(
        "to run",
        () => lab.runner.runs.filter(({ job }) => job.startsWith(`undo-${tool}`)).length === before + 2,
        {
          name: `undo-${tool}`,
        },
      );
      await lab.until(`undo-${tool}`, "Failed");
    });

    await t.step(`${tool}: what was fixed is applied as a whole`, async () => {
      await lab.apply(object([FIRST, ...UNDONE, { version: "4", sql: PERSON }]));
      await lab.until(`undo-${tool}`, "Completed");
      assert.deepEqual(await tables(name), ["a", "b", "c", "person"]);
    });
  }

  await t.step(
    "liquibase: what was committed, and not written into the history before the end, is only written",
    async () => {
      await lab.server.query("undo_liquibase", "delete from databasechangelog where id = '4'");
      const jobs = new Set(lab.runner.runs.map(({ job }) => job));
      await lab.terminal.patch(
        "dbm",
        "undo-liquibase",
        { metadata: { annotations: { "maquette.dev/retry": "2" } } },
        TEAM,
      );
      await lab.untilIt(
        "to have run again",
        ({ status }) => status.phase === "Completed" && !jobs.has(status.run.name),
        {
          name: "undo-liquibase",
        },
      );
      assert.equal((await lab.liquibaseHistory("undo_liquibase")).at(-1), "4 MARK_RAN");
      assert.deepEqual(await tables("undo_liquibase"), ["a", "b", "c", "person"]);
    },
  );

  await lab.database("rules");
  await t.step("an applied version whose text changed is refused by name, at admission", async () => {
    await lab.apply(lab.migration("rules", [FIRST, { version: "3", sql: PERSON }]));
    await lab.until("rules", "Completed");
    const edited = await lab.refusal(lab.migration("rules", [{ ...FIRST, sql: "CREATE TABLE other (i int)" }, {
      version: "3.0",
      sql: PERSON,
    }]));
    assert.match(edited, /spec\.migrations\[0\]\.sql: Version "1" is applied, its text must stay/);
    assert.match(edited, /spec\.migrations\[1\]\.version: Is applied as "3"/);
  });

  await t.step("a version below an applied one is refused, unless it is allowed", async () => {
    const late = [FIRST, { version: "2", sql: "CREATE TABLE b (i int)" }, { version: "3", sql: PERSON }];
    assert.match(await lab.refusal(lab.migration("rules", late)), /spec\.migrations\[1\]\.version: Is lower than "3"/);
    await lab.apply(lab.migration("rules", late, { allowOutOfOrder: true }));
    await lab.until("rules", "Completed");
    assert.deepEqual(await lab.flywayHistory("rules"), ["1 true", "3 true", "2 true"]);
  });

  await t.step("another object that does not know what is applied is told by the run", async () => {
    const edited: MigrationText[] = [{ ...FIRST, sql: "CREATE TABLE other (i int)" }, {
      version: "2.5",
      sql: "SELECT 1",
    }];
    const other = (spec: Record<string, unknown> = {}): KubeObject =>
      lab.migration("rules", edited, spec, { name: "other" });
    await lab.apply(other());
    const late = condition(await lab.until("other", "Failed"), "Stalled")!;
    assert.deepEqual([late.reason, late.message.slice(0, 35)], ["OutOfOrder", 'Version "2.5" is lower than "3", wh']);
    await lab.apply(other({ allowOutOfOrder: true }));
    const refused = condition(await lab.until("other", "Failed"), "Stalled")!;
    assert.equal(refused.reason, "AppliedMigrationChanged");
    assert.match(refused.message, /^Version "1" was applied, and its text has changed since/);
  });

  await t.step("a wrong password is said as the database says it", async () => {
    const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "wrong", namespace: TEAM } };
    await lab.terminal.create({ ...secret, stringData: { user: "postgres", word: "no" } });
    const object = lab.migration("rules", [FIRST], {}, { name: "wrong" });
    Object.assign(object.spec.database, { secretRef: { name: "wrong" }, usernameKey: "user", passwordKey: "word" });
    await lab.apply(object);
    const found = await lab.until("wrong", "Failed");
    assert.match(found.status.error, /password authentication failed for user "postgres"/);
  });

  await t.step("deletion waits for the Job, and leaves nothing behind", async () => {
    await lab.database("slow");
    await lab.apply(lab.migration("slow", [{ version: "1", sql: "SELECT pg_sleep(600)" }]));
    await lab.until("slow", "Running");
    await lab.terminal.remove("dbm", "slow", TEAM, "--timeout=180s");
    // The files of a run go after it.
    await lab.terminal.untilNone("leases,jobs,configmaps", "-A", "-l", "app.kubernetes.io/instance=slow");
  });
});
