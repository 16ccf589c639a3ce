/**
 * What becomes of an application's data: backups before deletion and by schedule, and bringing them back, with the Jobs'
 * own scripts really run against a real PostgreSQL and real files.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { KubeObject } from "../../lib/api/object.ts";
import { statusRules } from "../../lib/runtime/status_rules.ts";
import { startControlPlane } from "../control_plane/control_plane.ts";
import { install } from "../installed.ts";
import { PostgresServer } from "../jobs/postgres.ts";
import { JobRunner } from "../jobs/runner.ts";
import { waitFor, waitUntil } from "../wait.ts";
import { app, AppTerminal, claim, secret, TEAM } from "./apps.ts";
import { condition } from "./previews.ts";

const IMAGE = "local.test/tools-unready:1";
const CLAIM = { pvc: { claimName: "backups", path: "nightly/shop" } };
/** Names and texts that a shell, a connection string or a program's options would read otherwise. */
const HOSTILE_DATABASE = `it's "a" $(touch /tmp/x) -d=b\\c`;
const CHECKSUM = "select count(*), md5(string_agg(id || name, ',' order by id)) from items";

function login(name: string, password: string): unknown {
  return secret(name, { username: "postgres", password });
}

Deno.test("an application's data outlive it", async (t) => {
  await using server = await PostgresServer.start();
  await using plane = await startControlPlane();
  const flags = ["--tls=none", `--backup-image=${IMAGE}`, `--backup-store-image=${IMAGE}`];
  await using _operator = await install(plane, { flags });
  await using runner = await JobRunner.start(plane, {
    images: { tools: { env: { PATH: `${server.bin}:/usr/bin:/bin` } } },
  });
  const terminal = await AppTerminal.open(plane);
  const step = (name: string, run: () => Promise<void>): Promise<boolean> =>
    t.step(name, async () => {
      await run();
      for (const object of await terminal.list("papp", "-n", TEAM)) assert.deepEqual(statusRules(object), []);
    });
  const archives = async (): Promise<string> => join(await runner.claim(TEAM, "backups"), "nightly/shop");
  const database = (name: string, secret = "db"): unknown => ({
    host: server.host,
    port: server.port,
    name,
    secretRef: { name: secret },
  });
  const dumped = (parts: Record<string, unknown> = {}): Record<string, unknown> => ({
    backup: { tool: "pg_dump", database: database(HOSTILE_DATABASE), destination: CLAIM, timeoutSeconds: 60, ...parts },
  });
  const running = async (name: string, spec: Record<string, unknown>): Promise<void> => {
    await terminal.create(app(name, spec));
    await terminal.untilAppPhase(name, "Running");
  };
  const eventsOf = async (name: string): Promise<string[]> =>
    (await terminal.list("events", "-n", TEAM, "--field-selector", `involvedObject.name=${name}`))
      .map(({ reason, message }) => `${reason}: ${message}`);
  let archive = "";

  await terminal.create(claim("backups"), login("db", server.password), login("wrong", "wrong"));
  await server.query("postgres", `create database "${HOSTILE_DATABASE.replaceAll('"', '""')}"`);
  await server.query(
    HOSTILE_DATABASE,
    "create table items (id int primary key, name text); insert into items select n, '🚀 ''$(x)' || n from generate_series(1, 5000) n",
  );
  const before = await server.query(HOSTILE_DATABASE, CHECKSUM);

  await step("deleted, it leaves traffic, drains, and is saved before anything else goes", async () => {
    await running("shop", { replicas: 2, ...dumped() });
    await terminal.remove("papp", "shop", TEAM, "--wait=false");
    const seen: string[] = [];
    await waitFor("it to be gone", async () => {
      const object = await terminal.app("shop");
      const reason = condition(object, "Ready")?.reason;
      if (reason && seen.at(-1) !== reason) seen.push(reason);
      return object === undefined;
    }, 90_000);
    const order = ["StoppingTraffic", "Draining", "BackingUp"].filter((reason) => seen.includes(reason));
    assert.deepEqual(seen.filter((reason) => order.includes(reason)), order);
    const [told] = (await eventsOf("shop")).filter((text) => text.startsWith("SavedBeforeDeletion"));
    archive = /nightly\/shop\/(team\.shop-\d{8}T\d{6}Z\.dump):/.exec(told ?? "")![1]!;
    // The Pods of a Job go after it.
    await terminal.untilNone("deploy,svc,jobs,pods,ingress", "-n", TEAM);
  });

  await step("the archive restores into another database with equal rows", async () => {
    await server.query("postgres", "create database scratch");
    const args = ["--no-owner", "-d", "scratch", join(await archives(), archive)];
    const { code } = await new Deno.Command(join(server.bin, "pg_restore"), { args, env: server.environment() })
      .output();
    assert.equal(code, 0);
    assert.deepEqual(await server.query("scratch", CHECKSUM), before);
  });

  await step("a wrong password blocks, says why, and goes on at once when the Secret is mended", async () => {
    await running("locked", dumped({ database: database(HOSTILE_DATABASE, "wrong") }));
    await terminal.remove("papp", "locked", TEAM, "--wait=false");
    const owner = await terminal.untilAppStalled(
      "locked",
      "BackupFailed",
      /Nothing is deleted before .*password authentication failed/s,
    );
    assert.doesNotMatch(JSON.stringify(owner.status), new RegExp('wrong""'));
    assert.equal((await terminal.child("deployment", "locked-deployment"))?.spec.replicas, 0);
    await terminal.patch("secret", "wrong", { stringData: { password: server.password } }, TEAM);
    await terminal.untilGone("papp", "locked", TEAM, 60_000);
  });

  await step("a full volume blocks, leaves no half archive, and goes on when somebody asks for it", async () => {
    await running("full", dumped());
    const names = (await terminal.list("pvc", "-n", TEAM)).length;
    runner.fill(TEAM, "backups", 16_384);
    await terminal.remove("papp", "full", TEAM, "--wait=false");
    await terminal.untilAppStalled(
      "full",
      "BackupFailed",
      /No space left on device.*is the volume full/s,
    );
    assert.equal((await terminal.list("pvc", "-n", TEAM)).length, names);
    runner.empty(TEAM, "backups");
    const left = join(await archives(), ".team.old-20250101T000000Z.dump.part");
    await Deno.writeTextFile(left, "half");
    await Deno.utime(left, 0, 0);
    await plane.kubectl(["annotate", "papp", "full", "-n", TEAM, "maquette.dev/retry=1"]);
    await terminal.untilGone("papp", "full", TEAM, 60_000);
    for await (const { name } of Deno.readDir(await archives())) assert.ok(!name.startsWith("."), name);
  });

  await step("with Continue a failure is a warning, and the application goes", async () => {
    await terminal.patch("secret", "wrong", { stringData: { password: "wrong" } }, TEAM);
    await running("going", dumped({ database: database(HOSTILE_DATABASE, "wrong"), onFailure: "Continue" }));
    await terminal.remove("papp", "going", TEAM, "--wait=false");
    await terminal.untilGone("papp", "going", TEAM, 90_000);
    assert.ok(
      (await eventsOf("going")).some((text) => /^BackupFailed: onFailure is Continue: .*authentication/s.test(text)),
    );
  });

  await step("a volume is saved with everything in it, and goes with its application", async () => {
    await running("files", { storage: { size: "1Gi" }, backup: { tool: "volume", destination: CLAIM } });
    const folder = await runner.claim(TEAM, "files-data");
    await Deno.mkdir(join(folder, "a b/ü"), { recursive: true });
    await Deno.writeTextFile(join(folder, "a b/ü/new\nline"), "one\n");
    await Deno.writeFile(join(folder, "zeros"), new Uint8Array(300_000), { mode: 0o600 });
    await Deno.symlink("zeros", join(folder, "link"));
    await terminal.remove("papp", "files", TEAM, "--wait=false");
    await terminal.untilGone("papp", "files", TEAM, 90_000);
    assert.equal(await terminal.child("pvc", "files-data"), undefined);
    const [told] = (await eventsOf("files")).filter((text) => text.startsWith("SavedBeforeDeletion"));
    assert.match(told!, /pvc:backups\/nightly\/shop\/team\.files-.*\.tar\.gz: \d+ bytes, 5 entries/);
    archive = /(team\.files-[^:]*):/.exec(told!)![1]!;
  });

  await step("a new application gets the volume back before its first Pod starts", async () => {
    const restoreFrom = { archive, tool: "volume", source: CLAIM };
    await terminal.create(app("again", { storage: { size: "1Gi" }, restoreFrom }));
    const owner = await terminal.untilAppPhase("again", "Running", 90_000);
    const folder = await runner.claim(TEAM, "again-data");
    assert.equal(await Deno.readTextFile(join(folder, "a b/ü/new\nline")), "one\n");
    assert.equal((await Deno.stat(join(folder, "link"))).size, 300_000);
    const pods = await terminal.list("pods", "-n", TEAM, "-l", "app.kubernetes.io/name=again-deployment");
    assert.ok(pods.every(({ metadata }) => metadata.creationTimestamp! >= owner.status.restoredAt));
    await terminal.untilApp("again", "to need the Job no more", ({ status }) => status.restoredAt !== undefined);
    await waitFor(
      "the Job to be gone",
      async () => (await terminal.list("jobs", "-n", TEAM, "-l", "maquette.dev/task=restore")).length === 0,
    );
  });

  await step("a database is brought back into an empty one, and into no other", async () => {
    const dump = await waitFor("an archive", async () => {
      for await (const { name } of Deno.readDir(await archives())) if (/^team\.shop-.*\.dump$/.test(name)) return name;
    });
    await server.query("postgres", "create database fresh");
    const restoreFrom = (name: string): unknown => ({
      archive: dump,
      tool: "pg_dump",
      source: CLAIM,
      database: database(name),
    });
    await running("fresh", { restoreFrom: restoreFrom("fresh") });
    assert.deepEqual(await server.query("fresh", CHECKSUM), before);
    await terminal.create(app("used", { restoreFrom: restoreFrom("scratch") }));
    const owner = await terminal.untilAppReason("used", "RestoreFailed", 60_000);
    assert.match(condition(owner, "Stalled")!.message, /The database is not empty: it has 2? ?1? ?tables?|not empty/);
    assert.equal(await terminal.child("deployment", "used-deployment"), undefined);
    await terminal.remove("papp", "used", TEAM);
  });

  await step("a schedule makes backups of its own", async () => {
    await running("daily", dumped({ when: "schedule", schedule: "@daily" }));
    const cron = (await terminal.child("cronjob", "daily-backup"))!;
    assert.deepEqual([cron.spec.schedule, cron.spec.timeZone], ["@daily", "Etc/UTC"]);
    await plane.kubectl(["create", "job", "by-hand", "-n", TEAM, "--from=cronjob/daily-backup"]);
    const owner = await terminal.untilApp(
      "daily",
      "to have a backup",
      ({ status }) => status.backup?.scheduledAt !== undefined,
    );
    assert.match(owner.status.backup.location, /^pvc:backups\/nightly\/shop\/team\.daily-/);
    assert.equal(condition(owner, "BackedUp")?.reason, "SavedBySchedule");
    await terminal.patch("cronjob", "daily-backup", { spec: { suspend: true } }, TEAM);
    await terminal.untilChild(["cronjob", "daily-backup"], "to be set back", ({ spec }) => spec.suspend === false);
    await terminal.change("daily", { backup: { when: "onDelete" } });
    await terminal.untilNoChild("cronjob", "daily-backup");
  });

  await step("no Pod of a backup could do more than it must", async () => {
    await running("guarded", dumped());
    await terminal.remove("papp", "guarded", TEAM, "--wait=false");
    const pods: KubeObject[] = await waitUntil(
      "the backup's Pod",
      () => terminal.list("pods", "-n", TEAM, "-l", "maquette.dev/task=backup"),
      (found) => found.length > 0,
      60_000,
    );
    const { spec } = pods[0]!;
    assert.equal(spec.automountServiceAccountToken, false);
    assert.equal(spec.securityContext.runAsNonRoot, true);
    assert.deepEqual(spec.containers[0].securityContext.capabilities.drop, ["ALL"]);
    assert.ok(!JSON.stringify(spec).includes(server.password));
    await terminal.untilGone("papp", "guarded", TEAM, 60_000);
  });
});
