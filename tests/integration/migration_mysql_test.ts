/**
 * DatabaseMigrations of MariaDB and MySQL: both servers with both tools at once, on simulated nodes. DDL commits at once
 * there, so a version that fails or is killed in its middle stays half applied.
 */
import assert from "node:assert/strict";
import type { KubeObject } from "../../lib/api/object.ts";
import { MysqlServer } from "../jobs/mysql.ts";
import type { Run } from "../jobs/runner.ts";
import { MigrationLab, type MigrationText, TEAM } from "../migrations/lab.ts";
import { waitFor } from "../wait.ts";
import { condition } from "./previews.ts";

const VALUE = '$ ${x} $${y} ${PATH} $(id) $$(X) "quoted" `id` 😀 %s ? :name {d} -- no # comment';
const TEXT = `-- comment with 'a quote, $dollar and \${x}
# another; with "one
-- changeset x:y
-- rollback nothing
/* ; \${z} */
CREATE TABLE odd (id int AUTO_INCREMENT PRIMARY KEY, t text) CHARACTER SET utf8mb4; # ; not an end
INSERT INTO odd (t) VALUES ('it''s \\'${VALUE}'); -- ; neither
CREATE PROCEDURE tell(IN times int)
BEGIN
  WHILE times > 0 DO
    INSERT INTO odd (t) VALUES ("\${user.name}; -- not a comment"); -- ; comment
    SET times = times - 1;
  END WHILE;
END;
CALL tell(2);
# the end;`;
const DELIMITED = `DELIMITER //
CREATE PROCEDURE more() BEGIN INSERT INTO odd (t) VALUES ('//'); END //
DELIMITER ;
CALL more();`;
const PERSONS: MigrationText[] = [
  { version: "1", sql: "CREATE TABLE person (id int AUTO_INCREMENT PRIMARY KEY, name varchar(99) NOT NULL);" },
  { version: "1.9", sql: "INSERT INTO person (name) VALUES ('first');" },
  { version: "1.10", sql: TEXT },
];
const BAD: MigrationText = {
  version: "2.0",
  sql: "ALTER TABLE person ADD COLUMN email varchar(99);\nINSERT INTO nobody VALUES (1);",
};
/** What is left to do of it. */
const MENDED: MigrationText = { version: "2.0", sql: "UPDATE person SET email = 'none';" };
const LAST: MigrationText = { version: "3", sql: "CREATE INDEX person_email ON person (email); -- done" };
const COUNTER: MigrationText = { version: "4", sql: "CREATE TABLE counter (n int); INSERT INTO counter VALUES (0);" };
/** Runs for a while, and would count twice if it ran twice. */
const SLOW: MigrationText = { version: "5", sql: "UPDATE counter SET n = n + 1 + SLEEP(5);" };
const ALL = [...PERSONS, MENDED, LAST, COUNTER, SLOW];
const UNDONE: MigrationText = {
  version: "6",
  sql: "CREATE TABLE b (i int)",
  rollback: `DROP TABLE b; INSERT INTO odd (t) VALUES ('undone: ${VALUE}'); # with an end`,
};
const HALF: MigrationText = {
  version: "7",
  sql: "CREATE TABLE c (i int);\nSELECT * FROM nobody",
  rollback: "DROP TABLE IF EXISTS c;",
};

/** One server with one tool. */
interface Lane {
  server: MysqlServer;
  tool: "flyway" | "liquibase";
  /** Of the object. */
  name: string;
  database: string;
}

/** Version and whether it was applied, in the order of the tool's history. */
async function historyOf({ server, tool, database }: Lane): Promise<string[]> {
  const sql = tool === "flyway"
    ? "SELECT version, success FROM flyway_schema_history ORDER BY installed_rank"
    : "SELECT id, exectype FROM DATABASECHANGELOG ORDER BY orderexecuted";
  return (await server.query(sql, database)).map((row) => row.join(" "));
}

function applied({ tool }: Lane, ...versions: string[]): string[] {
  return versions.map((version) => `${version} ${tool === "flyway" ? "1" : "EXECUTED"}`);
}

async function tablesOf({ server, database }: Lane): Promise<string[]> {
  const names = (await server.query("SHOW TABLES", database)).map(([name]) => name!);
  return names.filter((name) => !/flyway|DATABASECHANGE|maquette/.test(name)).sort();
}

Deno.test("MariaDB and MySQL are migrated", async (t) => {
  await using mariadb = await MysqlServer.start("mariadb");
  await using mysql = await MysqlServer.start("mysql");
  await using lab = await MigrationLab.open();
  const lanes = [mariadb, mysql].flatMap((server) =>
    (["flyway", "liquibase"] as const).map((tool): Lane => (
      { server, tool, name: `${server.engine}-${tool}`, database: `shop$${tool}` }
    ))
  );
  const object = (
    { server, tool, name, database }: Lane,
    migrations: readonly MigrationText[],
    { login = server.engine as string, spec = {}, metadata = {} }: {
      login?: string;
      spec?: Record<string, unknown>;
      metadata?: { name?: string; namespace?: string };
    } = {},
  ): KubeObject => {
    const { engine, host, port } = server;
    const place = { engine, host, port, name: database, secretRef: { name: login } };
    return lab.migration(database, migrations, { database: place, tool, ...spec }, { name, ...metadata });
  };
  // One watch for each lane: asking again and again would cost more than what is waited for. It leaves the phase before.
  const reached = async (name: string, phase: string, namespace = TEAM): Promise<void> => {
    const reaching = `--for=jsonpath={.status.phase}=${phase}`;
    await lab.plane.kubectl(["wait", reaching, `dbm/${name}`, "-n", namespace, "--timeout=540s"]);
  };
  const until = async (name: string, phase: string, namespace = TEAM): Promise<KubeObject> => {
    await reached(name, phase, namespace);
    return await lab.until(name, phase, namespace);
  };
  const each = async (what: string, scenario: (lane: Lane) => Promise<void>): Promise<void> => {
    await t.step(what, async () => {
      await Promise.all(lanes.map((lane) =>
        scenario(lane).catch((error) => {
          throw new Error(`${lane.name}: ${error.message}`, { cause: error });
        })
      ));
    });
  };
  const secret = async (name: string, login: { username: string; password: string }, namespace = TEAM) => {
    const metadata = { name, namespace };
    await lab.terminal.create({ apiVersion: "v1", kind: "Secret", metadata, stringData: login });
  };
  for (const { engine, user, password } of [mariadb, mysql]) await secret(engine, { username: user, password });
  for (const { server, database } of lanes) await server.database(database);

  await each("an empty database comes to a version, 1.10 after 1.9, and scripts arrive as they stand", async (lane) => {
    await lab.apply(object(lane, [PERSONS[2]!, PERSONS[0]!, PERSONS[1]!]));
    const { status } = await until(lane.name, "Completed");
    assert.equal(status.currentVersion, "1.10");
    assert.deepEqual(await historyOf(lane), applied(lane, "1", "1.9", "1.10"));
    const told = "${user.name}; -- not a comment";
    assert.deepEqual(await lane.server.query("SELECT t FROM odd ORDER BY id", lane.database), [
      ...[[`it's '${VALUE}`], [told], [told]],
    ]);
  });

  await each("a failure names version, line and error, and what it had done stays", async (lane) => {
    await lab.apply(object(lane, [...PERSONS, BAD, LAST]));
    const found = await until(lane.name, "Failed");
    assert.deepEqual([found.status.failedMigration, found.status.currentVersion], ["2.0", "1.10"]);
    const { reason, message } = condition(found, "Stalled")!;
    assert.equal(reason, "MigrationFailed");
    assert.match(message, /^Version "2.0" failed at line 2: Table '.*nobody' doesn't exist/);
    const columns = await lane.server.query("SHOW COLUMNS FROM person LIKE 'email'", lane.database);
    assert.equal(columns.length, 1);
    assert.deepEqual(await historyOf(lane), [
      ...applied(lane, "1", "1.9", "1.10"),
      ...(lane.tool === "flyway" ? ["2.0 0"] : []),
    ]);
  });

  await each(
    "what was mended goes on, and a Job killed in the middle of a version counts nothing twice",
    async (lane) => {
      const { server, database, name } = lane;
      await lab.apply(object(lane, ALL));
      const isPod = ({ job, exitCode }: Run): boolean => job.startsWith(`${name}-`) && exitCode === undefined;
      await waitFor(`a Pod of ${name}`, () => lab.runner.runs.some(isPod), 120_000);
      const pods = await lab.terminal.list("pods", "-n", TEAM, "-l", `app.kubernetes.io/instance=${name}`);
      await waitFor(`${name} to be in its middle`, async () => {
        const sql = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'UPDATE counter%' AND db =";
        return (await server.query(`${sql} '${database}'`))[0]![0] === "1";
      }, 120_000);
      for (const { metadata } of pods) lab.runner.kill(metadata.uid!);
      const { status } = await until(name, "Completed");
      assert.deepEqual([status.currentVersion, status.failedMigration, status.error], ["5", undefined, undefined]);
      const ends = lab.runner.runs.filter(({ job }) => job === status.run.name).map(({ exitCode }) => exitCode);
      assert.deepEqual(ends, [137, 0]);
      assert.deepEqual(await server.query("SELECT n FROM counter", database), [["1"]]);
      assert.deepEqual(await historyOf(lane), applied(lane, ...ALL.map(({ version }) => version)));
    },
  );

  await each("a failed run is undone, the half of what failed too", async (lane) => {
    const spec = { rollback: { onFailure: true } };
    const undone = lane.tool === "flyway" ? { ...UNDONE, sql: `${UNDONE.sql};\n${DELIMITED}` } : UNDONE;
    await lab.apply(object(lane, [...ALL, undone, HALF], { spec }));
    await reached(lane.name, "RollingBack");
    const found = await until(lane.name, "Failed");
    assert.match(condition(found, "Stalled")!.message, /^Version "7" failed at line 2: .*undone: "7", "6"$/s);
    assert.deepEqual([found.status.currentVersion, found.status.failedMigration], ["5", "7"]);
    assert.deepEqual(await tablesOf(lane), ["counter", "odd", "person"]);
    assert.deepEqual(await historyOf(lane), applied(lane, ...ALL.map(({ version }) => version)));
    const rows = await lane.server.query("SELECT t FROM odd WHERE id > 3 ORDER BY id", lane.database);
    assert.deepEqual(rows, [...(lane.tool === "flyway" ? [["//"]] : []), [`undone: ${VALUE}`]]);
  });

  await each("a wrong password and an edited version are said as they are", async (lane) => {
    const { name, tool, server: { engine, user } } = lane;
    const first = { name: `${name}-wrong` };
    await secret(first.name, { username: user, password: "no" });
    await lab.apply(object(lane, ALL, { login: first.name, metadata: first }));
    const wrong = await until(first.name, "Failed");
    assert.match(wrong.status.error, /Access denied for user 'app'/);
    assert.equal(lab.runner.runs.filter(({ job }) => job.startsWith(first.name)).length, 1);
    if (engine === "mysql") return;
    const second = { name: `${name}-edited` };
    const edited = [{ ...PERSONS[0]!, sql: "CREATE TABLE other (i int)" }];
    await lab.apply(object(lane, edited, { metadata: second }));
    const { reason, message } = condition(await until(second.name, "Failed"), "Stalled")!;
    assert.equal(reason, "AppliedMigrationChanged", `${tool}: ${message}`);
    assert.match(message, /^Version "1" was applied, and its text has changed since/);
  });

  await t.step("one database is changed by one at a time, also where one says MariaDB and one MySQL", async () => {
    await mariadb.database("work");
    await mariadb.query("CREATE TABLE work (id int AUTO_INCREMENT PRIMARY KEY, connection int)", "work");
    await lab.team("other");
    await secret("mariadb", { username: mariadb.user, password: mariadb.password }, "other");
    const sql = "INSERT INTO work (connection) VALUES (CONNECTION_ID()); DO SLEEP(0.5);";
    const work = (engine: string, first: number, namespace: string): KubeObject => {
      const migrations = [first, first + 1].map((version) => ({ version: String(version), sql }));
      const lane = { ...lanes[0]!, name: "work", database: "work" };
      const made = object(lane, migrations, { spec: { allowOutOfOrder: true }, metadata: { namespace } });
      Object.assign(made.spec.database, { engine });
      return made;
    };
    await Promise.all([lab.apply(work("mariadb", 1, TEAM)), lab.apply(work("mysql", 3, "other"))]);
    await Promise.all([TEAM, "other"].map((namespace) => until("work", "Completed", namespace)));
    const rows = (await mariadb.query("SELECT connection FROM work ORDER BY id", "work")).map(([row]) => row!);
    const [a, b, c, d] = rows;
    assert.deepEqual([a === b, c === d, b === c, rows.length], [true, true, false, 4]);
  });
});
