import assert from "node:assert/strict";
import type { KubeObject } from "../api/object.ts";
import { digestOfFiles, fileName } from "./files.ts";
import { migrationRun, undoRun } from "./job.ts";
import { requestDigest } from "./request.ts";
import { dbm, OPTIONS, requestOf, THREE } from "./test_migrations.ts";

function runOf(owner = dbm(), isHeld = false): ReturnType<typeof migrationRun> {
  return migrationRun(owner, requestOf(owner, isHeld), OPTIONS);
}

/** Variables of the container by name. */
function envOf({ spec }: KubeObject): Record<string, unknown> {
  const variables: { name: string; value?: string; valueFrom?: unknown }[] = spec.template.spec.containers[0].env;
  return Object.fromEntries(variables.map(({ name, value, valueFrom }) => [name, valueFrom ?? value]));
}

Deno.test("Flyway reads a file for each version, in its own naming", () => {
  const { configMaps } = runOf(
    dbm({ migrations: [...THREE, { version: "2.0", description: "Über-Größe: ${x}", sql: "x" }] }),
  );
  assert.deepEqual(Object.keys(configMaps[0]!.data), [
    "versions",
    "V1__change.sql",
    "V1.9__change.sql",
    "V1.10__change.sql",
    "V2.0__U_ber_Gro_e_x.sql",
  ]);
  assert.equal(configMaps[0]!.data.versions, "1\n1.9\n1.10\n2.0\n");
});

Deno.test("descriptions that can stand in a file's name stay as they are, as a history may know them", () => {
  const long = "x".repeat(100);
  for (const description of ["create-users", "v1.2 of  it", "snake_case", long]) {
    assert.equal(fileName({ version: "1", description }), `V1__${description.replaceAll(" ", "_")}.sql`);
  }
  assert.ok(fileName({ version: "1".repeat(50), description: "x".repeat(200) }).length <= 253);
});

Deno.test("the files of a run are those that its Job knows, and nobody changes them", () => {
  const { configMaps, job } = runOf();
  assert.deepEqual(configMaps.map(({ immutable }) => immutable), [true]);
  assert.match(envOf(job).DIGEST as string, /^[0-9a-f]{64}$/);
  assert.equal(digestOfFiles({ b: "2", a: "1" }), digestOfFiles({ a: "1", b: "2" }));
  assert.notEqual(digestOfFiles({ a: "2" }), digestOfFiles({ a: "1" }));
});

Deno.test("Liquibase reads a changelog, and its scripts mean no property", () => {
  const owner = dbm({ tool: "liquibase", migrations: [{ version: "1", sql: "SELECT '${PATH} $x $${y}'" }] });
  const { data } = runOf(owner).configMaps[0]!;
  assert.equal(data["V1__change.sql"], "SELECT '${MAQUETTE_DOLLAR}{PATH} $x $${MAQUETTE_DOLLAR}{y}'");
  const [{ changeSet }] = JSON.parse(data["changelog.json"]).databaseChangeLog;
  assert.deepEqual([changeSet.id, changeSet.author, changeSet.logicalFilePath], ["1", "maquette", "maquette"]);
  assert.deepEqual(changeSet.changes.at(-2), {
    sqlFile: { path: "V1__change.sql", splitStatements: false, stripComments: false, encoding: "UTF-8" },
  });
  assert.deepEqual([changeSet.changes.length, changeSet.changes.at(-1).sql.sql.slice(0, 6)], [4, "RESET "]);
  assert.equal(envOf(runOf(owner).job).MAQUETTE_DOLLAR, "$$");
});

Deno.test("without transactions for DDL the mark comes last: it must not stand for half a change", () => {
  const database = { ...dbm().spec.database, engine: "mysql" as const };
  const owner = dbm({ tool: "liquibase", database, migrations: [{ version: "1", sql: "SELECT '${x}'; -- end" }] });
  const { data } = runOf(owner).configMaps[0]!;
  const [{ changeSet }] = JSON.parse(data["changelog.json"]).databaseChangeLog;
  assert.deepEqual(changeSet.changes.map((change: Record<string, unknown>) => Object.keys(change)[0]), [
    ...["sql", "sqlFile", "sql"],
  ]);
  assert.match(changeSet.changes[2].sql.sql, /^INSERT INTO maquette_changes/);
  assert.equal(data["V1__change.sql"], "SELECT '${MAQUETTE_DOLLAR}{x}'");
  assert.equal(
    runOf({ ...owner, spec: { ...owner.spec, tool: "flyway" } }).configMaps[0]!.data["V1__change.sql"],
    "SELECT '${x}'; -- end",
  );
});

Deno.test("scripts that fill more than one ConfigMap are split over several, which are one folder", () => {
  const migrations = ["1", "2", "3"].map((version) => ({ version, sql: "x".repeat(400_000) }));
  const { configMaps, job, name } = runOf(dbm({ migrations }));
  assert.deepEqual(configMaps.map(({ metadata }) => metadata.name), [`${name}-1`, `${name}-2`]);
  const [files] = job.spec.template.spec.volumes;
  assert.deepEqual(files.projected.sources, [{ configMap: { name: `${name}-1` } }, {
    configMap: { name: `${name}-2` },
  }]);
});

Deno.test("the login goes by reference only", () => {
  const env = envOf(runOf().job);
  assert.deepEqual(env.FLYWAY_PASSWORD, { secretKeyRef: { name: "login", key: "password" } });
  assert.deepEqual(env.FLYWAY_USER, { secretKeyRef: { name: "login", key: "username" } });
  assert.deepEqual(envOf(runOf(dbm({ tool: "liquibase" })).job).LIQUIBASE_COMMAND_PASSWORD, env.FLYWAY_PASSWORD);
});

Deno.test("Pods run as the one user who may enter the folder that containers of Liquibase's image start in", () => {
  const { securityContext } = runOf().job.spec.template.spec;
  assert.deepEqual([securityContext.runAsUser, securityContext.runAsGroup], [1001, 1001]);
});

Deno.test("no text becomes code: whatever is asked for, the command is the same", () => {
  const odd = dbm({ migrations: [{ version: "1", description: "$(id)", sql: "`id`" }], allowOutOfOrder: true });
  const commandOf = ({ job }: ReturnType<typeof runOf>): unknown => job.spec.template.spec.containers[0].command;
  assert.deepEqual(commandOf(runOf(odd)), commandOf(runOf()));
});

Deno.test("only what comes before a rollout runs up to the last of it", () => {
  const migrations = THREE.map((each, at) => ({ ...each, ...(at === 1 ? {} : { stage: "contract" as const }) }));
  const env = envOf(runOf(dbm({ migrations }), true).job);
  assert.deepEqual([env.TARGET, env.HELD], ["2", "1"]);
  const all = envOf(runOf(dbm({ migrations })).job);
  assert.deepEqual([all.TARGET, all.HELD], ["3", undefined]);
});

Deno.test("a refused change fails the Job, everything else has it tried again; a drained node does not count", () => {
  const { spec } = runOf().job;
  const [ignored, fails] = spec.podFailurePolicy.rules;
  assert.deepEqual(ignored, { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] });
  assert.deepEqual(fails.onExitCodes, { containerName: "migrate", operator: "In", values: [1] });
  assert.deepEqual([spec.backoffLimit, spec.podReplacementPolicy, spec.activeDeadlineSeconds], [6, "Failed", 1800]);
});

const OTHERS: Record<string, ReturnType<typeof dbm>> = {
  "another text": dbm({ migrations: [{ version: "1", sql: "other" }] }),
  "another login": dbm({ database: { ...dbm().spec.database, secretRef: { name: "other" } } }),
  "another key of the login": dbm({ database: { ...dbm().spec.database, passwordKey: "word" } }),
  "another database": dbm({ database: { ...dbm().spec.database, name: "other" } }),
  "a new value of the retry annotation": dbm({}, { annotations: { "maquette.dev/retry": "2" } }),
  "more time": dbm({ timeoutSeconds: 3600 }),
};

for (const [what, other] of Object.entries(OTHERS)) {
  Deno.test(`${what} is another run`, () => assert.notEqual(runOf(other).name, runOf().name));
}

Deno.test("objects whose names are alike have runs of their own", () => {
  const named = (name: string): string => runOf({ ...dbm(), metadata: { ...dbm().metadata, name } }).name;
  assert.notEqual(named("a.b"), named("a-b"));
});

Deno.test("the operator's own image makes no other run, and the order of the list neither", () => {
  const owner = dbm();
  const request = requestOf(owner);
  const other = migrationRun(owner, request, { ...OPTIONS, flywayImage: "mirror/flyway:11" });
  assert.equal(other.name, runOf().name);
  assert.equal(requestDigest(requestOf(dbm({ migrations: [...THREE].reverse() }))), requestDigest(request));
});

Deno.test("undoing has a Job of its own, with the positions in reverse order", () => {
  const request = requestOf(dbm());
  const { job, configMaps, name } = undoRun(dbm(), { request, of: "orders-1", undo: ["1.10", "1.9"] }, OPTIONS);
  assert.match(name, /^orders-undo-[0-9a-f]{16}$/);
  assert.equal(envOf(job).UNDO, "3 2");
  assert.deepEqual(Object.keys(configMaps[0]!.data), ["versions", "undo-2.sql", "undo-3.sql"]);
});

Deno.test("what failed without a transaction is undone without a row in the history", () => {
  const halfOf = (engine: "postgres" | "mysql"): unknown => {
    const owner = dbm({ tool: "liquibase", database: { ...dbm().spec.database, engine } });
    const undo = { request: requestOf(owner), of: "orders-1", undo: ["1.10", "1.9"], failed: "1.10" };
    return envOf(undoRun(owner, undo, OPTIONS).job).HALF;
  };
  assert.deepEqual([halfOf("mysql"), halfOf("postgres")], ["3", undefined]);
});
