/** DatabaseMigrations among people who mean no good, or do not know what they do. */
import assert from "node:assert/strict";
import type { DatabaseMigration } from "../../lib/api/database_migration.ts";
import type { KubeObject } from "../../lib/api/object.ts";
import { migrationRun } from "../../lib/migration/job.ts";
import { changesOf } from "../../lib/migration/migration_set.ts";
import { requestFor } from "../../lib/migration/request.ts";
import { OPTIONS } from "../../lib/migration/test_migrations.ts";
import { auditMark, beyondWatching, brief, requestsSince } from "../audit.ts";
import { MigrationLab, type MigrationText, TEAM } from "../migrations/lab.ts";
import { condition, OPERATOR } from "./previews.ts";

const ONE: MigrationText = { version: "1", sql: "CREATE TABLE a (i int)" };
const PAUSED = "maquette.dev/paused";
const OTHER = "other";

/** Name of the Job that an object has run. */
function runName(object: KubeObject): string {
  const owner = object as DatabaseMigration;
  return migrationRun(owner, requestFor(owner, changesOf(owner.spec.migrations!), false), OPTIONS).name;
}

/** A Job that does nothing for as long as it is there. */
function idleJob(name: string, namespace: string, labels: Record<string, string> = {}): KubeObject {
  const container = { name: "idle", image: "local.test/idle:1" };
  const template = { spec: { restartPolicy: "Never", containers: [container] } };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, namespace, labels },
    spec: { suspend: true, template },
  };
}

Deno.test("others cannot stop a migration, or have it taken for done", async (t) => {
  await using lab = await MigrationLab.open();
  const { terminal } = lab;
  await lab.database("work");
  await lab.terminal.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: OTHER } });
  await lab.team("second");
  const still = async (name: string): Promise<KubeObject> => {
    const object = lab.migration("work", [ONE], {}, { name });
    await lab.apply({ ...object, metadata: { ...object.metadata, annotations: { [PAUSED]: "true" } } });
    return await lab.untilReason(name, "Paused");
  };
  const goOn = (name: string): Promise<void> =>
    terminal.patch("dbm", name, { metadata: { annotations: { [PAUSED]: null } } }, TEAM);

  await t.step("a Job of another namespace that carries our labels is nobody's run", async () => {
    const object = await still("forged");
    const name = runName(object);
    await terminal.create(idleJob(name, OTHER, {
      "app.kubernetes.io/managed-by": "maquette",
      "maquette.dev/owner-uid": object.metadata.uid!,
      "maquette.dev/migration-run": name,
    }));
    await goOn("forged");
    await lab.until("forged", "Completed");
    await terminal.remove("dbm", "forged", TEAM, "--timeout=180s");
    assert.ok(await terminal.get("job", name, OTHER));
  });

  await t.step("who cannot have its Job made does not keep others from the database", async () => {
    const object = await still("blocked");
    const name = runName(object);
    await terminal.create(idleJob(name, TEAM));
    await goOn("blocked");
    const found = await lab.untilReason("blocked", "NotOwned");
    assert.match(condition(found, "Stalled")!.message, new RegExp(`Job "${TEAM}/${name}" exists`));
    await lab.apply(lab.migration("work", [ONE], {}, { name: "second", namespace: "second" }));
    await lab.until("second", "Completed", "second");
    assert.ok(await terminal.get("job", name, TEAM));
    await terminal.remove("job", name, TEAM);
    await lab.until("blocked", "Completed");
  });

  await t.step("nobody changes the files of a run", async () => {
    const [part] = await terminal.list("configmaps", "-n", TEAM, "-l", "app.kubernetes.io/instance=blocked");
    const patch = { data: { "V1__change.sql": "DROP TABLE a" } };
    await assert.rejects(terminal.patch("configmap", part!.metadata.name, patch, TEAM), /immutable/);
  });

  await t.step("what has nothing to do asks for nothing", async () => {
    await lab.apply(lab.migration("work", [ONE, { version: "2", sql: "broken" }], {}, { name: "failed" }));
    await lab.until("failed", "Failed");
    const missing = lab.migration("work", [], { source: { configMapRef: { name: "missing" } } }, { name: "missing" });
    delete missing.spec.migrations;
    await lab.apply(missing);
    await lab.untilReason("missing", "SourceMissing");
    const slow = { version: "3", sql: "SELECT pg_sleep(600)" };
    await lab.apply(lab.migration("work", [ONE, slow], {}, { name: "slow" }));
    await lab.untilReason("slow", "Migrating");
    await lab.apply(lab.migration("work", [ONE], {}, { name: "busy", namespace: "second" }));
    await lab.untilReason("busy", "DatabaseBusy", "second");
    await lab.server.query("postgres", "select pg_sleep(5)");
    const mark = await auditMark(lab.plane.auditLogPath!);
    await lab.server.query("postgres", "select pg_sleep(30)");
    const requests = await requestsSince(lab.plane.auditLogPath!, mark, OPERATOR);
    assert.deepEqual(beyondWatching(requests).map(brief), []);
  });

  await t.step("deletion leaves nothing, whatever they were at", async () => {
    const all = await terminal.list("dbm", "-A");
    assert.ok(all.length >= 6);
    for (const { metadata } of all) await terminal.remove("dbm", metadata.name, metadata.namespace!, "--timeout=180s");
    const ours = "app.kubernetes.io/part-of=databasemigration";
    await terminal.untilNone("leases,jobs,configmaps,pods", "-A", "-l", ours);
  });
});
