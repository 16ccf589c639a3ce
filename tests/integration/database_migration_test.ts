/** DatabaseMigrations end to end: the real Flyway, the real Liquibase and a real PostgreSQL, on simulated nodes. */
import assert from "node:assert/strict";
import { MigrationLab, type MigrationText } from "../migrations/lab.ts";
import { condition } from "./previews.ts";

const PERSONS: MigrationText[] = [
  { version: "1", description: "persons", sql: "CREATE TABLE person (id serial PRIMARY KEY, name text NOT NULL);" },
  { version: "1.9", sql: "INSERT INTO person (name) VALUES ('first');" },
  { version: "1.10", sql: "INSERT INTO person (name) VALUES ('second'); -- comment" },
];
const BAD: MigrationText = {
  version: "2.0",
  sql: "ALTER TABLE person\n  ADD COLUMN email text;\nINSERT INTO nobody VALUES (1);",
};
const GOOD: MigrationText = { version: "2.0", sql: "ALTER TABLE person ADD COLUMN email text;" };
const LAST: MigrationText = { version: "3", sql: "CREATE INDEX person_email ON person (email);" };
const DONE: Record<string, string> = { flyway: "true", liquibase: "EXECUTED" };

Deno.test("databases are migrated", async (t) => {
  await using lab = await MigrationLab.open();

  for (const tool of ["flyway", "liquibase"]) {
    const applied = (...versions: string[]): string[] => versions.map((version) => `${version} ${DONE[tool]}`);
    await lab.database(tool);

    await t.step(`${tool}: an empty database comes to a version, 1.10 after 1.9`, async () => {
      await lab.apply(lab.migration(tool, [PERSONS[2]!, PERSONS[0]!, PERSONS[1]!], { tool }));
      const { status } = await lab.until(tool, "Completed");
      assert.equal(status.currentVersion, "1.10");
      assert.deepEqual(status.appliedMigrations.map(({ version }: MigrationText) => version), ["1", "1.9", "1.10"]);
      assert.deepEqual(await lab.history(tool, tool), applied("1", "1.9", "1.10"));
      assert.deepEqual(await lab.server.query(tool, "select name from person order by id"), [["first"], ["second"]]);
      await lab.plane.kubectl(["wait", "--for=condition=Ready", `dbm/${tool}`, "-n", "shop", "--timeout=10s"]);
    });

    await t.step(`${tool}: a failure names version, line and error, and leaves the database as it was`, async () => {
      await lab.apply(lab.migration(tool, [...PERSONS, BAD, LAST], { tool }));
      const object = await lab.until(tool, "Failed");
      const { status } = object;
      assert.deepEqual([status.failedMigration, status.currentVersion], ["2.0", "1.10"]);
      const { reason, message } = condition(object, "Stalled")!;
      assert.equal(reason, "MigrationFailed");
      assert.match(message, /^Version "2.0" failed at line 3: ERROR: relation "nobody" does not exist/);
      assert.match(status.error, /relation "nobody" does not exist/);
      assert.deepEqual(await lab.history(tool, tool), applied("1", "1.9", "1.10"));
    });

    await t.step(`${tool}: what was fixed goes on to version 3`, async () => {
      await lab.apply(lab.migration(tool, [...PERSONS, GOOD, LAST], { tool }));
      const { status } = await lab.until(tool, "Completed");
      assert.deepEqual([status.currentVersion, status.failedMigration, status.error], ["3", undefined, undefined]);
      assert.deepEqual(await lab.history(tool, tool), applied("1", "1.9", "1.10", "2.0", "3"));
    });
  }

  await t.step("kubectl get tells database, phase and version", async () => {
    const { stdout } = await lab.plane.kubectl(["get", "dbm", "flyway", "-n", "shop"]);
    assert.match(stdout, /NAME +DATABASE +PHASE +VERSION +AGE\nflyway +flyway +Completed +3 /);
  });

  await t.step("the password stands in no Job and on no command line", async () => {
    const jobs = JSON.stringify(await lab.terminal.list("jobs", "-n", "shop"));
    assert.ok(!jobs.includes(JSON.stringify(lab.server.password).slice(1, -1)));
    assert.ok(jobs.includes('"secretKeyRef":{"key":"password","name":"login"}'));
  });

  await t.step("nobody holds a database when all is done", async () => {
    const leases = await lab.terminal.list("leases", "-n", "maquette-system");
    assert.deepEqual(leases.map(({ metadata }) => metadata.name).filter((name) => name !== "maquette"), []);
  });
});
