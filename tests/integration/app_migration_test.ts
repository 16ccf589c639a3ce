/**
 * Two schema changes under a running application, with the real Flyway and a real PostgreSQL: `expand` before a version
 * rolls, `contract` after the rollout is complete, and no version ever meets a schema that it cannot work with.
 */
import assert from "node:assert/strict";
import type { KubeObject } from "../../lib/api/object.ts";
import { statusRules } from "../../lib/runtime/status_rules.ts";
import { startControlPlane } from "../control_plane/control_plane.ts";
import { install } from "../installed.ts";
import { PostgresServer } from "../jobs/postgres.ts";
import { JobRunner } from "../jobs/runner.ts";
import { toolImages } from "../migrations/tools.ts";
import { waitUntil } from "../wait.ts";
import { app, AppTerminal, secret, TEAM } from "./apps.ts";
import { condition } from "./previews.ts";

const REF = { migrationRef: { name: "schema" } };
const FLAGS = ["--tls=none", "--flyway-image=local.test/flyway-unready:10.22.0"];
const DROP_B = "alter table items drop column b";
const COLUMNS = "select column_name from information_schema.columns where table_name = 'items' order by 1";

/** What the versions of the application do with the database, all day long. */
const STATEMENTS: Readonly<Record<string, string>> = {
  v1: "insert into items (name) values ('x'); select count(name) from items",
  v2: "insert into items (label) values ('x'); select count(label) from items",
};

interface Change {
  version: string;
  sql: string;
  stage?: "expand" | "contract";
}

const CREATE: Change = { version: "1", sql: "create table items (id bigserial primary key, name text);" };
const ADD: Change = {
  version: "2",
  stage: "expand",
  sql: "alter table items add column label text; update items set label = name;",
};
const DROP: Change = { version: "3", stage: "contract", sql: "alter table items drop column name;" };

Deno.test("an application and its schema change together", async (t) => {
  const images = await toolImages();
  await using server = await PostgresServer.start();
  await using plane = await startControlPlane();
  await using _operator = await install(plane, { flags: FLAGS });
  await using _runner = await JobRunner.start(plane, { images });
  const terminal = await AppTerminal.open(plane);
  const step = (name: string, run: () => Promise<void>): Promise<boolean> =>
    t.step(name, async () => {
      await run();
      for (const object of await terminal.list("papp", "-n", TEAM)) assert.deepEqual(statusRules(object), []);
    });
  const migration = (...migrations: Change[]): KubeObject => ({
    apiVersion: "portfolio.example.com/v1alpha1",
    kind: "DatabaseMigration",
    metadata: { name: "schema", namespace: TEAM },
    spec: {
      database: { host: server.host, port: server.port, name: "shop", secretRef: { name: "login" } },
      migrations,
    },
  });
  const columns = async (): Promise<string[]> => (await server.query("shop", COLUMNS)).map(([name]) => name!);
  const image = async (): Promise<string> =>
    (await terminal.child("deployment", "shop-deployment"))?.spec.template.spec.containers[0].image.split(":")[1];
  const untilMigration = async (what: string, accept: (object: KubeObject) => boolean): Promise<KubeObject> =>
    (await waitUntil(
      `the migration ${what}`,
      () => terminal.child("dbm", "schema"),
      (object) => object?.status?.observedGeneration === object?.metadata.generation && !!object && accept(object),
      90_000,
    ))!;
  const applied = async (version: string): Promise<boolean> =>
    (await server.query("shop", `select 1 from flyway_schema_history where version = '${version}' and success`))
      .length > 0;

  await server.query("postgres", "create database shop");
  await terminal.create(secret("login", { username: server.user, password: server.password }));

  await step("without its migration an application waits for it, and says so", async () => {
    await terminal.create(app("shop", { replicas: 2, ...REF }));
    const owner = await terminal.untilAppReason("shop", "MigrationMissing");
    assert.equal(owner.status.phase, "Migrating");
    assert.equal(await terminal.child("deployment", "shop-deployment"), undefined);
  });

  await step("once everything that comes before is applied, it starts", async () => {
    await terminal.create(migration(CREATE));
    await terminal.untilAppPhase("shop", "Running", 90_000);
    assert.deepEqual(await columns(), ["id", "name"]);
  });

  await step("a column is replaced by another while every Pod that serves goes on working", async () => {
    const working = new AbortController();
    const work = serveAll(terminal, server, working.signal);
    await terminal.apply(migration(CREATE, ADD, DROP));
    await terminal.change("shop", { version: "v2-slow-8s" });
    const owner = await terminal.untilApp("shop", "to roll", ({ status }) => status.phase === "Progressing", 90_000);
    assert.ok(await applied("2"), JSON.stringify(owner.status));
    assert.deepEqual(await columns(), ["id", "label", "name"]);
    await terminal.untilAppPhase("shop", "Running", 90_000);
    await untilMigration("to be complete", ({ status }) => status.phase === "Completed");
    assert.deepEqual(await columns(), ["id", "label"]);
    working.abort();
    const { failures, done } = await work;
    assert.deepEqual(failures, []);
    for (const version of ["v1", "v2"]) assert.ok(done[version]! > 0, JSON.stringify(done));
    const { metadata } = (await terminal.child("dbm", "schema"))!;
    assert.equal(metadata.annotations?.["maquette.dev/contract-approved"], String(metadata.generation));
  });

  await step("a rollout that fails never reaches what comes after it", async () => {
    const after: Change = { version: "5", stage: "contract", sql: "alter table items drop column later;" };
    const before: Change = { version: "4", stage: "expand", sql: "alter table items add column later text;" };
    await terminal.apply(migration(CREATE, ADD, DROP, before, after));
    await terminal.change("shop", { version: "missing" });
    await terminal.untilAppPhase("shop", "Failed", 90_000);
    await untilMigration("to wait", (object) => condition(object, "Ready")?.reason === "WaitingForRollout");
    assert.deepEqual(await columns(), ["id", "label", "later"]);
    await terminal.change("shop", { version: "v2-slow-8s" });
    const back = await terminal.untilAppPhase("shop", "Running", 90_000);
    assert.ok(condition(back, "ContractPending"), "what served before may need what would go");
    assert.deepEqual(await columns(), ["id", "label", "later"]);
    await terminal.change("shop", { version: "v3" });
    await terminal.untilAppPhase("shop", "Running", 90_000);
    await untilMigration("to be complete", ({ status }) => status.phase === "Completed");
    assert.deepEqual(await columns(), ["id", "label"]);
  });

  await step("a migration that fails leaves the old version serving, and is told with the application", async () => {
    const current = (await terminal.child("dbm", "schema"))!.spec.migrations;
    await terminal.apply(migration(...current, { version: "6", sql: "alter table nothing add column x int;" }));
    await terminal.change("shop", { version: "v4", config: { WORD: "new" } });
    const owner = await terminal.untilAppReason("shop", "MigrationFailed", 90_000);
    assert.match(condition(owner, "Stalled")!.message, /"schema" failed: .*nothing.*keeps serving/s);
    assert.deepEqual([await image(), owner.status.version, owner.status.ready], ["v3", "v3", "2/2"]);
    assert.equal(await terminal.child("configmap", "shop-config"), undefined);
    await terminal.apply(migration(...current, { version: "6", sql: "alter table items add column x int;" }));
    await terminal.untilApp(
      "shop",
      "to go on",
      ({ status }) => status.phase === "Running" && status.version === "v4",
      90_000,
    );
    assert.ok((await columns()).includes("x"));
  });

  await step("what comes after a rollout waits for the next one, or for a person", async () => {
    const current = (await terminal.child("dbm", "schema"))!.spec.migrations;
    await terminal.apply(
      migration(...current, { version: "7", stage: "contract", sql: "alter table items drop column x;" }),
    );
    const owner = await terminal.untilApp(
      "shop",
      "to say so",
      (object) => !!condition(object, "ContractPending"),
      90_000,
    );
    const { generation } = (await terminal.child("dbm", "schema"))!.metadata;
    assert.match(condition(owner, "ContractPending")!.message, new RegExp(`contract-approved=${generation}`));
    assert.ok((await columns()).includes("x"));
    await plane.kubectl([
      "annotate",
      "dbm",
      "schema",
      "-n",
      TEAM,
      `maquette.dev/contract-approved=${generation}`,
      "--overwrite",
    ]);
    await untilMigration("to be complete", ({ status }) => status.phase === "Completed");
    assert.deepEqual(await columns(), ["id", "label"]);
  });

  await step("what a rollout let go on of a ConfigMap is its content then, and not what follows", async () => {
    await server.query("postgres", "create database files");
    await terminal.create(app("filed", { replicas: 1, migrationRef: { name: "files" } }));
    await terminal.untilAppReason("filed", "MigrationMissing");
    const data: Record<string, string> = { "V1__items.sql": "create table items (a int, b int)" };
    const source = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "changes", namespace: TEAM } };
    await terminal.create({ ...source, data: { ...data, "V2__contract_a.sql": "alter table items drop column a" } });
    const files = migration();
    const { migrations: _none, ...spec } = files.spec;
    Object.assign(spec, {
      database: { ...spec.database, name: "files" },
      source: { configMapRef: { name: "changes" } },
    });
    await terminal.create({ ...files, metadata: { ...files.metadata, name: "files" }, spec });
    const found = async (): Promise<KubeObject> => (await terminal.child("dbm", "files"))!;
    const until = async (what: string, accept: (object: KubeObject) => boolean): Promise<KubeObject> =>
      await waitUntil(`the migration from files ${what}`, found, accept, 120_000);
    const first = await until("to be complete", ({ status }) => status?.phase === "Completed");
    assert.equal(first.metadata.annotations?.["maquette.dev/contract-approved"], first.status.revision);
    const more = { ...data, "V2__contract_a.sql": "alter table items drop column a", "V3__contract_b.sql": DROP_B };
    await terminal.patch("configmap", "changes", { data: more }, TEAM);
    const isDone = ({ status }: KubeObject): boolean =>
      status.revision !== first.status.revision && !["Pending", "Running"].includes(status.phase);
    const isWaiting = (object: KubeObject): boolean =>
      object.status.revision !== first.status.revision && condition(object, "Ready")?.reason === "WaitingForRollout";
    await until("to wait", (object) => isWaiting(object) || isDone(object));
    assert.equal((await server.query("files", COLUMNS)).length, 1);
    await terminal.change("filed", { version: "v2" });
    await until("to be complete again", ({ status }) => status?.phase === "Completed");
    assert.equal((await server.query("files", COLUMNS)).length, 0);
    await terminal.remove("papp", "filed", TEAM, "--timeout=180s");
  });

  await step("deleted, the application goes, whatever becomes of its migration", async () => {
    await terminal.remove("dbm", "schema", TEAM);
    await terminal.remove("papp", "shop", TEAM, "--timeout=180s");
  });
});

/** Does for every Pod that serves what its version does, and keeps what the database said to it. */
async function serveAll(
  terminal: AppTerminal,
  server: PostgresServer,
  signal: AbortSignal,
): Promise<{ failures: string[]; done: Record<string, number> }> {
  const failures: string[] = [];
  const done: Record<string, number> = {};
  while (!signal.aborted) {
    const pods = await terminal.list("pods", "-n", TEAM, "-l", "app.kubernetes.io/name=shop-deployment");
    const serving = pods.filter(({ status }) =>
      status.conditions?.some(({ type, status }: { type: string; status: string }) =>
        type === "Ready" && status === "True"
      )
    );
    for (const { spec } of serving) {
      const version = /:(v\d)/.exec(spec.containers[0].image)![1]!;
      try {
        await server.query("shop", STATEMENTS[version]!);
        done[version] = (done[version] ?? 0) + 1;
      } catch (error) {
        failures.push(`${version}: ${(error as Error).message}`);
      }
    }
  }
  return { failures, done };
}
