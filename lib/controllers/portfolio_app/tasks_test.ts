import assert from "node:assert/strict";
import type { KubeObject } from "../../api/object.ts";
import { literal } from "../../workload/literal.ts";
import { backupTask, locationOf, restoreTask, scheduledBackup, taskJob } from "./backup_job.ts";
import { type SeenTask, type TaskState, taskState } from "./tasks.ts";
import { app, CREATED, SETTINGS, task } from "./test_objects.ts";

const AT = new Date(CREATED).toISOString();
const FAILED = { succeeded: false, at: AT, reason: "BackoffLimitExceeded", message: "no" };
const WISH = { kind: "backup" as const, digest: "digest", subject: "subject" };
const DONE = { succeeded: true, at: AT, reason: "", message: "" };
const DATABASE = { host: "db", name: "$(HOST)'\\", secretRef: { name: "db" } };
const PLACE = { pvc: { claimName: "b", path: "x/y" } };
const S3 = { s3: { endpoint: "https://s3.test/", bucket: "bucket", prefix: "p/", secretRef: { name: "s3" } } };

function saved(destination: unknown): ReturnType<typeof app> {
  return app({ backup: { tool: "pg_dump", database: DATABASE, destination } });
}

Deno.test("taskState(): what failed waits longer each time, at most ten minutes", () => {
  const waits = [1, 2, 3, 4, 5, 6, 9].map((attempt) => {
    const state = taskState([task({ kind: "backup", attempt, end: FAILED })], WISH, CREATED);
    return state.is === "failed" ? (state.retryAt - CREATED) / 1000 : state.is;
  });
  assert.deepEqual(waits, [30, 60, 120, 240, 480, 600, 600]);
});

Deno.test("taskState(): a success counts, whatever login has changed since", () => {
  assert.equal(taskState([task({ kind: "backup", digest: "older", end: DONE })], WISH, CREATED).is, "done");
});

Deno.test("taskState(): a success at something else, or to somewhere else, is none", () => {
  const tasks = [task({ kind: "backup", digest: "older", subject: "other", end: DONE })];
  assert.deepEqual(taskState(tasks, WISH, CREATED), { is: "due", attempt: 2 });
});

/** What a Job says that has not ended. */
function waiting(parts: Partial<SeenTask>, now = CREATED): TaskState {
  return taskState([task({ kind: "backup", ...parts })], WISH, now);
}

const pod: KubeObject = { apiVersion: "v1", kind: "Pod", metadata: { name: "p" } };
const atWork: KubeObject = { ...pod, status: { initContainerStatuses: [{ name: "save", state: { running: {} } }] } };
const unschedulable = {
  pod,
  container: "",
  reason: "Unschedulable",
  message: "no claim",
  mayPass: true,
  since: CREATED,
};
const unstartable = {
  pod,
  container: "save",
  reason: "CreateContainerConfigError",
  message: "no Secret",
  mayPass: false,
};

Deno.test("taskState(): what cannot start is begun anew when what is to be done has changed", () => {
  for (const parts of [{}, { pod }, { pod, failure: unschedulable }, { pod: atWork, failure: unstartable }]) {
    assert.deepEqual(waiting({ ...parts, digest: "older" }), { is: "due", attempt: 2 });
  }
  assert.equal(waiting({ pod: atWork, digest: "older" }).is, "running", "what is at work is left to it");
});

Deno.test("taskState(): what keeps a Job is told: at once where nothing but a person mends it, or after a while", () => {
  const told = (state: TaskState): unknown => state.is === "running" && [state.message, state.lookAgainAt];
  const later = CREATED + 30_000;
  assert.deepEqual(told(waiting({ pod: atWork }, later)), [undefined, undefined]);
  assert.deepEqual(told(waiting({ pod, failure: unstartable })), ["no Secret", undefined]);
  assert.deepEqual(told(waiting({ pod, failure: unschedulable })), [undefined, later]);
  assert.deepEqual(told(waiting({ pod, failure: unschedulable }, later)), ["no claim", undefined]);
  assert.deepEqual(told(waiting({})), [undefined, later]);
  assert.match(String(told(waiting({}, later))), /Job "backup-1" has no Pod yet/);
});

Deno.test("taskState(): what a schedule does is no backup before deletion", () => {
  assert.deepEqual(taskState([task({ kind: "scheduled", end: DONE })], WISH, CREATED), { is: "due", attempt: 1 });
});

Deno.test("a Job carries no login and no text of a user in its script", () => {
  const owner = saved(PLACE);
  const { pod } = backupTask(owner, owner.spec.backup!, { settings: SETTINGS });
  // deno-lint-ignore no-explicit-any
  const [{ env, command }] = pod.containers as any[];
  const variables = new Map<string, { value?: string; valueFrom?: unknown }>(
    env.map((each: { name: string }) => [each.name, each]),
  );
  assert.deepEqual(variables.get("PGPASSWORD")!.valueFrom, { secretKeyRef: { name: "db", key: "password" } });
  assert.equal(variables.get("PGDATABASE")!.value, literal(DATABASE.name));
  assert.ok(!command.join().includes("HOST"));
});

Deno.test("a name of a database is no connection string", () => {
  const restoreFrom = { archive: "a.dump", tool: "pg_dump", source: PLACE, database: DATABASE };
  const owner = app({ restoreFrom });
  const { pod } = restoreTask(owner, owner.spec.restoreFrom!, { settings: SETTINGS, more: [] });
  // deno-lint-ignore no-explicit-any
  const { value } = (pod.containers as any[])[0].env.find(({ name }: { name: string }) => name === "DATABASE");
  assert.equal(value, literal("dbname='$(HOST)\\'\\\\'"));
});

Deno.test("to a store it goes in two steps, the second with the store's login alone", () => {
  const owner = saved(S3);
  const { pod } = backupTask(owner, owner.spec.backup!, { settings: SETTINGS });
  // deno-lint-ignore no-explicit-any
  const [save, store] = [...(pod.initContainers as any[]), ...(pod.containers as any[])];
  const names = ({ env }: { env: { name: string }[] }): string[] => env.map(({ name }) => name);
  assert.deepEqual([save.image, store.image], ["postgres:18", "curl:8"]);
  assert.ok(!names(store).includes("PGPASSWORD") && !names(save).includes("SECRET_ACCESS_KEY"));
  assert.equal(store.env[0].value, "https://s3.test/bucket/p");
});

Deno.test("locationOf() says where an archive is", () => {
  const places = [PLACE, { pvc: { claimName: "b" } }, S3].map((place) => saved(place).spec.backup!.destination);
  assert.deepEqual(places.map((place) => locationOf(place, "a")), ["pvc:b/x/y/a", "pvc:b/a", "s3://bucket/p/a"]);
});

Deno.test("names of Jobs have 63 characters at most, and those of CronJobs 52", () => {
  const owner = { ...saved(PLACE), metadata: { ...saved(PLACE).metadata, name: "n".repeat(63) } };
  const backup = { ...owner.spec.backup!, when: "schedule" as const, schedule: "@daily" };
  const job = taskJob(owner, backupTask(owner, backup, { settings: SETTINGS }), 12);
  assert.ok(job.metadata.name.length <= 63);
  assert.ok(scheduledBackup(owner, backup, SETTINGS).metadata.name.length <= 52);
});

Deno.test("a backup of a volume of one node runs where the application has it", () => {
  const owner = app({ storage: { size: "1Gi" }, backup: { tool: "volume", destination: PLACE } });
  const affinity = (of: typeof owner): unknown => backupTask(of, of.spec.backup!, { settings: SETTINGS }).pod.affinity;
  assert.ok(affinity(owner));
  assert.equal(affinity(saved(PLACE)), undefined, "a database is anywhere");
});
