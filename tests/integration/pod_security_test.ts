/**
 * Namespaces that let only Pods in that may do next to nothing (Pod Security's level "restricted"), and Pods that are let
 * in nowhere.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { KubeObject } from "../../lib/api/object.ts";
import { backupTask, restoreTask, taskJob } from "../../lib/controllers/portfolio_app/backup_job.ts";
import { app as appObject, SETTINGS } from "../../lib/controllers/portfolio_app/test_objects.ts";
import { migrationRun } from "../../lib/migration/job.ts";
import { dbm, OPTIONS, requestOf } from "../../lib/migration/test_migrations.ts";
import { type ControlPlane, startControlPlane } from "../control_plane/control_plane.ts";
import { install } from "../installed.ts";
import { app, AppTerminal, TEAM } from "./apps.ts";
import { condition } from "./previews.ts";

const LEVEL = "pod-security.kubernetes.io/enforce";
const GUARDED = { allowPrivilegeEscalation: false };
const RESTRICTED = { ...GUARDED, runAsNonRoot: true, capabilities: { drop: ["ALL"] } };
const VOLUME = { storage: { size: "1Gi" } };

/** The Pod that a Job would make, where the application lives. */
function podOf({ metadata, spec }: KubeObject): KubeObject {
  const { spec: pod } = spec.template;
  return { apiVersion: "v1", kind: "Pod", metadata: { name: metadata.name, namespace: TEAM }, spec: pod };
}

/** The Job of a backup, as the API server would fill in what its author leaves out. */
function saved(backup: Record<string, unknown>): KubeObject {
  const owner = appObject({ ...VOLUME, backup: { when: "onDelete", ...backup } });
  return taskJob(owner, backupTask(owner, owner.spec.backup!, { settings: SETTINGS }), 1);
}

function broughtBack(restoreFrom: Record<string, unknown>): KubeObject {
  const owner = appObject({ ...VOLUME, restoreFrom });
  return taskJob(owner, restoreTask(owner, owner.spec.restoreFrom!, { settings: SETTINGS, more: undefined }), 1);
}

function jobs(): Record<string, KubeObject> {
  const database = { host: "db", name: "shop", secretRef: { name: "db" } };
  const place = { pvc: { claimName: "backups" } };
  const store = { s3: { endpoint: "https://s3.example.com", bucket: "backups", secretRef: { name: "s3" } } };
  return {
    "a backup of a volume": saved({ tool: "volume", destination: place }),
    "a backup of a database to a store": saved({ tool: "pg_dump", destination: store, database }),
    "what brings a volume back": broughtBack({ archive: "a.tar.gz", tool: "volume", source: place }),
    "a migration by Flyway": migrationRun(dbm(), requestOf(dbm()), OPTIONS).job,
    "a migration by Liquibase": migrationRun(dbm(), requestOf(dbm({ tool: "liquibase" })), OPTIONS).job,
  };
}

async function enforce(plane: ControlPlane, level: string): Promise<void> {
  await plane.kubectl(["label", "namespace", TEAM, "--overwrite", `${LEVEL}${level === "" ? "-" : `=${level}`}`]);
}

Deno.test("applications and their Jobs run where Pods may do next to nothing", async (t) => {
  await using plane = await startControlPlane({ nodes: 1 });
  await using _operator = await install(plane, { flags: ["--tls=none", "--progress-deadline-seconds=10"] });
  const at = await AppTerminal.open(plane);
  const contextOf = async (name: string): Promise<unknown> =>
    (await at.child("deployment", `${name}-deployment`))?.spec.template.spec.containers[0].securityContext;

  await t.step("where a namespace asks for nothing, images may run as root", async () => {
    await at.create(app("early", VOLUME));
    await at.untilAppPhase("early", "Running");
    assert.deepEqual(await contextOf("early"), GUARDED);
  });

  await t.step("a namespace that becomes restricted rolls its applications, and takes their Pods", async () => {
    await enforce(plane, "restricted");
    const isDone = ({ spec, status }: KubeObject): boolean =>
      spec.template.spec.containers[0].securityContext.runAsNonRoot && status?.updatedReplicas === 1 &&
      status.availableReplicas === 1 && status.replicas === 1;
    await at.untilChild(["deployment", "early-deployment"], "to be rolled out anew", isDone);
    await at.untilAppPhase("early", "Running");
    assert.deepEqual(await contextOf("early"), RESTRICTED);
  });

  await t.step("a new one runs there, too", async () => {
    await at.create(app("late", VOLUME));
    await at.untilAppPhase("late", "Running");
    assert.deepEqual(await contextOf("late"), RESTRICTED);
  });

  for (const [sentence, job] of Object.entries(jobs())) {
    await t.step(`the Pod of ${sentence} is taken there`, async () => {
      await plane.kubectl(["create", "--dry-run=server", "-f", "-"], { stdin: JSON.stringify(podOf(job)) });
    });
  }

  await t.step("at any other level images may run as root again", async () => {
    await enforce(plane, "baseline");
    await at.untilChild(
      ["deployment", "early-deployment"],
      "to be as before",
      ({ spec }) => spec.template.spec.containers[0].securityContext.runAsNonRoot === undefined,
    );
    await at.untilAppPhase("early", "Running");
  });

  await t.step("Pods that are refused all the same make it Failed, in the words of who refuses them", async () => {
    await at.create({
      apiVersion: "v1",
      kind: "ResourceQuota",
      metadata: { name: "none", namespace: TEAM },
      spec: { hard: { pods: "0" } },
    });
    await at.untilChild(["resourcequota", "none"], "to count", ({ status }) => status?.hard !== undefined);
    await at.create(app("refused"));
    const owner = await at.untilAppPhase("refused", "Failed");
    const { reason, message } = condition(owner, "Ready")!;
    assert.equal(reason, "FailedCreate");
    assert.match(message, /^Pods cannot be made: .*exceeded quota/);
  });
});
