/** Backups in a store that speaks S3, and back from there: the Jobs' own scripts, with the real curl and PostgreSQL. */
import assert from "node:assert/strict";
import { basename } from "node:path";
import { startControlPlane } from "../control_plane/control_plane.ts";
import { install } from "../installed.ts";
import { ObjectStore } from "../jobs/object_store.ts";
import { PostgresServer } from "../jobs/postgres.ts";
import { JobRunner } from "../jobs/runner.ts";
import { app, AppTerminal, secret, TEAM } from "./apps.ts";

const IMAGE = "local.test/tools-unready:1";
const ARCHIVES = "backups/team/shop";
const CHECKSUM = "select count(*), sum(id) from items";

Deno.test("backups go to a store that speaks S3, and come back from there", async (t) => {
  await using server = await PostgresServer.start();
  await using store = await ObjectStore.start("backups");
  await using plane = await startControlPlane();
  const flags = ["--tls=none", `--backup-image=${IMAGE}`, `--backup-store-image=${IMAGE}`];
  await using _operator = await install(plane, { flags });
  const images = { tools: { env: { PATH: `${server.bin}:/usr/bin:/bin` } } };
  await using runner = await JobRunner.start(plane, { images });
  const terminal = await AppTerminal.open(plane);
  const database = (name: string): unknown => ({
    ...{ host: server.host, port: server.port, name, secretRef: { name: "db" } },
  });
  const s3 = { endpoint: store.endpoint, bucket: "backups", prefix: "team/shop", secretRef: { name: "s3" } };
  await terminal.create(
    secret("db", { username: server.user, password: server.password }),
    secret("s3", { accessKeyId: store.accessKeyId, secretAccessKey: "wrong" }),
  );
  await server.query("postgres", "create database shop");
  await server.query("shop", "create table items (id int); insert into items select generate_series(1, 1000)");
  await server.query("postgres", "create database again");

  await t.step("a store that refuses blocks, and says so", async () => {
    const backup = { tool: "pg_dump", database: database("shop"), destination: { s3 } };
    await terminal.create(app("shop", { backup }));
    await terminal.untilAppPhase("shop", "Running");
    await terminal.remove("papp", "shop", TEAM, "--wait=false");
    await terminal.untilAppStalled(
      "shop",
      "BackupFailed",
      /403.*Cannot write team\.shop-\S+\.dump to the store/s,
    );
    assert.deepEqual(await store.objects(ARCHIVES), []);
  });

  await t.step("with the right key the archive and its checksum are in the store, read back", async () => {
    await terminal.patch("secret", "s3", { stringData: { secretAccessKey: store.secretAccessKey } }, TEAM);
    await terminal.untilGone("papp", "shop", TEAM, 90_000);
    const [archive, ...others] = await store.objects(ARCHIVES);
    assert.match(basename(archive!), /^team\.shop-\d{8}T\d{6}Z\.dump$/);
    assert.deepEqual(others, [`${archive}.sha256`]);
    for (const run of runner.runs) assert.ok(!run.log.includes(store.secretAccessKey), run.log);
  });

  await t.step("it is brought back from there", async () => {
    const [path] = await store.objects(ARCHIVES);
    const restoreFrom = { archive: basename(path!), tool: "pg_dump", source: { s3 }, database: database("again") };
    await terminal.create(app("again", { restoreFrom }));
    await terminal.untilAppPhase("again", "Running", 90_000);
    assert.deepEqual(await server.query("again", CHECKSUM), await server.query("shop", CHECKSUM));
  });

  await t.step("a damaged archive is not brought back", async () => {
    const [path] = await store.objects(ARCHIVES);
    const content = await Deno.readFile(path!);
    content[100]! ^= 1;
    await Deno.writeFile(path!, content);
    await server.query("postgres", "create database third");
    const restoreFrom = { archive: basename(path!), tool: "pg_dump", source: { s3 }, database: database("third") };
    await terminal.create(app("third", { restoreFrom }));
    await terminal.untilAppStalled(
      "third",
      "RestoreFailed",
      /The archive is damaged: its checksum differs/,
    );
  });

  await t.step("one without a checksum is brought back as it is", async () => {
    const [path, sum] = await store.objects(ARCHIVES);
    const content = await Deno.readFile(path!);
    content[100]! ^= 1;
    await Deno.writeFile(path!, content);
    await Deno.remove(sum!);
    await server.query("postgres", "create database fourth");
    const restoreFrom = { archive: basename(path!), tool: "pg_dump", source: { s3 }, database: database("fourth") };
    await terminal.create(app("fourth", { restoreFrom }));
    await terminal.untilAppPhase("fourth", "Running", 90_000);
    assert.deepEqual(await server.query("fourth", CHECKSUM), await server.query("shop", CHECKSUM));
  });
});
