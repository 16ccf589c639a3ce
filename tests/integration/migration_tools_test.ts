/** What tools make of odd runs, told by the Jobs' own commands against a real PostgreSQL, without a cluster. */
import assert from "node:assert/strict";
import { failureIn, isEdited } from "../../lib/migration/report.ts";
import { PostgresServer } from "../jobs/postgres.ts";
import { DirectRuns } from "../migrations/direct.ts";
import { toolImages } from "../migrations/tools.ts";

interface Bench {
  tool: string;
  database: string;
  runs: DirectRuns;
  query(sql: string): Promise<string[][]>;
  tables(): Promise<string[]>;
}

type Case = (bench: Bench) => Promise<void>;

const TABLES = "select schemaname || '.' || tablename from pg_tables where tablename ~ '^[a-z]$' order by 1";
const COUNTED = "CREATE TABLE IF NOT EXISTS a (i int); INSERT INTO a VALUES (1)";

function versions(...scripts: string[]): { version: string; sql: string }[] {
  return scripts.map((sql, index) => ({ version: String(index + 1), sql }));
}

const CASES: Record<string, Case> = {
  "what a script sets for its session ends with it": async ({ tool, database, runs, tables, query }) => {
    await query(`create role owner_${tool}; grant create on schema public to owner_${tool}`);
    const migrations = versions(
      "SELECT pg_catalog.set_config('search_path', '', false); CREATE TABLE public.a (i int)",
      `SET ROLE owner_${tool}; CREATE TABLE b (i int)`,
      "CREATE TABLE c (i int)",
    );
    const { exitCode, report } = await runs.migrate(database, { tool, migrations });
    assert.deepEqual([exitCode, report.error, report.after], [0, "", ["1", "2", "3"]]);
    assert.deepEqual(await tables(), ["public.a", "public.b", "public.c"]);
    const owners = await query("select tableowner from pg_tables where tablename in ('b', 'c') order by tablename");
    assert.deepEqual(owners, [[`owner_${tool}`], ["postgres"]]);
  },
  "a rollback text may set its session, too": async ({ tool, database, runs, tables }) => {
    const migrations = versions("CREATE SCHEMA app; CREATE TABLE app.a (i int)", "CREATE TABLE app.b (i int)");
    const undone = migrations.map((each, at) => ({
      ...each,
      rollback: at ? "SET search_path TO app; DROP TABLE b" : "",
    }));
    await runs.migrate(database, { tool, migrations: undone });
    const { exitCode, report } = await runs.undo(database, { tool, migrations: undone }, ["2"]);
    assert.deepEqual([exitCode, report.error, report.after], [0, "", ["1"]]);
    assert.deepEqual(await tables(), ["app.a"]);
  },
  "files that somebody has changed are not run": async ({ tool, database, runs, tables }) => {
    const tampered = await runs.migrate(database, { tool, migrations: versions("CREATE TABLE a (i int)") }, (files) => {
      files["V1__change.sql"] = "CREATE TABLE e (i int)";
    });
    assert.equal(tampered.exitCode, 75);
    assert.match(tampered.report.error, /^The files are not those that were asked for/);
    assert.deepEqual(await tables(), []);
  },
  "another spelling of a version applies nothing twice": async ({ tool, database, runs, query }) => {
    await runs.migrate(database, { tool, migrations: [{ version: "1", sql: COUNTED }] });
    const { report } = await runs.migrate(database, { tool, migrations: [{ version: "1.0", sql: COUNTED }] });
    assert.deepEqual(await query("select count(*) from a"), [["1"]]);
    if (tool === "liquibase") assert.deepEqual(report.respelled, { version: "1.0", applied: "1" });
  },
  "another description is told from an error of SQL": async ({ tool, database, runs }) => {
    const one = { version: "1", sql: "CREATE TABLE a (i int)" };
    await runs.migrate(database, { tool, migrations: [{ ...one, description: "one" }] });
    const { report } = await runs.migrate(database, { tool, migrations: [{ ...one, description: "two" }] });
    if (tool === "liquibase") return assert.equal(report.error, "");
    assert.equal(isEdited(report.error), true);
    assert.deepEqual(failureIn(report.error), { version: "1" });
  },
};

Deno.test("odd runs come to what they should", async (t) => {
  await using server = await PostgresServer.start();
  await using runs = await DirectRuns.in(server, await toolImages());
  for (const tool of ["flyway", "liquibase"]) {
    for (const [at, [sentence, run]] of Object.entries(CASES).entries()) {
      await t.step(`${tool}: ${sentence}`, async () => {
        const database = `${tool}${at}`;
        await server.query("postgres", `create database ${database}`);
        const query = (sql: string): Promise<string[][]> => server.query(database, sql);
        const tables = async (): Promise<string[]> => (await query(TABLES)).map(([name]) => name!);
        await run({ tool, database, runs, query, tables });
      });
    }
  }
});
