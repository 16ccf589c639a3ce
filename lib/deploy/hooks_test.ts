import assert from "node:assert/strict";
import type { KubeObject } from "../api/object.ts";
import { JOB, POD, SECRET } from "../api/resources.ts";
import { FakeDeployment, RENDERED } from "./fake_deployment.ts";
import { type Hook, hooksNotRun } from "./hooks.ts";

const { config, migration, app } = RENDERED;

function hook(name: string, event: string, rest: Partial<Hook> = {}): Hook {
  const object = { ...migration, metadata: { name } };
  return { object, events: [event], weight: 0, deletePolicies: ["before-hook-creation"], ...rest };
}

const BEFORE = [hook("b", "pre-install"), hook("a", "pre-install"), hook("last", "pre-install", { weight: 5 })];

/** Looks until everything that is not a Job of a hook is done, ending each Job as soon as it runs. */
async function deployed(bench: FakeDeployment, revision: string, hooks: readonly Hook[]): Promise<void> {
  for (let looks = 0; looks < 20; looks++) {
    const report = await bench.look([config], { revision, hooks });
    if (report.deployed === revision) return;
    for (const { object } of hooks) {
      const job = bench.find(JOB, object.metadata.name);
      if (job && !job.status) await bench.endJob(job.metadata.name, "Complete");
    }
  }
  throw new Error("Not deployed after 20 looks");
}

Deno.test("hooks run before the objects are applied, one after the other, by weight and name", async () => {
  await using bench = await new FakeDeployment().start();
  for (const name of ["a", "b", "last"]) {
    const started = await bench.look([config], { hooks: BEFORE });
    assert.deepEqual([started.state, started.reason, started.message], [
      ...["inProgress", "HookRunning", `Hook "pre-install" (Job "shop-pr-7/${name}") is started`],
    ]);
    const runs = await bench.look([config], { hooks: BEFORE });
    assert.equal(runs.message, `Hook "pre-install" (Job "shop-pr-7/${name}") runs`);
    await bench.endJob(name, "Complete");
  }
  assert.equal(bench.calls.includes("apply configmaps settings"), false);
  assert.equal((await bench.look([config], { hooks: BEFORE })).state, "ready");
  assert.deepEqual(bench.calls.filter((call) => call.startsWith("apply")), [
    ...["apply jobs a", "apply jobs b", "apply jobs last", "apply configmaps settings"],
  ]);
});

Deno.test("hooks after the objects run when all of them are ready", async () => {
  await using bench = await new FakeDeployment().start();
  const hooks = [hook("after", "post-install")];
  await bench.look([app], { hooks });
  assert.equal(bench.find(JOB, "after"), undefined);
  await bench.rollOut();
  const report = await bench.look([app], { hooks });
  assert.deepEqual([report.state, report.deployed], ["inProgress", undefined]);
  await bench.endJob("after", "Complete");
  assert.deepEqual((await bench.look([app], { hooks })).deployed, "r1");
});

Deno.test("a hook runs once for a revision, whatever happens to the process or to its Job", async () => {
  await using bench = await new FakeDeployment().start();
  const hooks = [hook("before", "pre-install")];
  await bench.look([config], { hooks });
  await bench.endJob("before", "Complete");
  await bench.restart();
  await bench.look([config], { hooks });
  await bench.remove(JOB, "before");
  bench.server.forget();
  await bench.look([config], { hooks });
  assert.deepEqual(bench.calls, []);
});

Deno.test("the next revision upgrades: the older Job goes first, and hooks of an installation do not run again", async () => {
  await using bench = await new FakeDeployment().start();
  const hooks = [hook("once", "pre-install"), hook("each", "", { events: ["pre-install", "pre-upgrade"] })];
  await deployed(bench, "r1", hooks);
  const older = bench.find(JOB, "each")!.metadata.uid;
  bench.server.forget();
  assert.match((await bench.look([config], { revision: "r2", hooks })).message, /waiting until the older Job is gone/);
  await deployed(bench, "r2", hooks);
  assert.notEqual(bench.find(JOB, "each")!.metadata.uid, older);
  assert.equal(bench.calls.some((call) => call.startsWith("apply jobs once")), false);
});

Deno.test("a hook that failed stops the revision and is not run again, until its Job is deleted or the next one comes", async () => {
  await using bench = await new FakeDeployment().start();
  const hooks = [hook("before", "pre-install", { events: ["pre-install", "pre-upgrade"] })];
  await bench.look([config], { hooks });
  await bench.endJob("before", "Failed");
  const pod = { name: "before-x", namespace: bench.namespace, labels: { "batch.kubernetes.io/job-name": "before" } };
  bench.server.store.create(POD, { apiVersion: "v1", kind: "Pod", metadata: pod });
  await bench.write(POD, "before-x", (object) => {
    object.status = { phase: "Failed", reason: "Evicted", message: "The node was low on memory" };
  });
  for (let looks = 0; looks < 2; looks++) {
    const report = await bench.look([config], { hooks });
    assert.deepEqual([report.state, report.reason, report.deployed], ["failed", "HookFailed", undefined]);
    assert.equal(
      report.message,
      'Hook "pre-install" (Job "shop-pr-7/before") failed (BackoffLimitExceeded): Job has reached its limit; nothing of ' +
        "this revision was applied; delete the Job to run it again; " +
        'Pod "before-x" was ended (Evicted): The node was low on memory',
    );
  }
  await bench.remove(JOB, "before");
  assert.equal((await bench.look([config], { hooks })).reason, "HookRunning");
  await bench.endJob("before", "Failed");
  await deployed(bench, "r2", hooks);
});

Deno.test("a failed upgrade says that the version before stays, a failed end that the rest is there", async () => {
  await using bench = await new FakeDeployment().start();
  await deployed(bench, "r1", []);
  const before = { revision: "r2", hooks: [hook("before", "pre-upgrade")] };
  await bench.look([], before);
  await bench.endJob("before", "Failed");
  const text = (await bench.look([], before)).message;
  assert.match(text, /nothing of this revision was applied, the one before is still deployed \(1 changes wait\)/);
  const after = { revision: "r3", hooks: [hook("after", "post-upgrade")] };
  await bench.look([config], after);
  await bench.endJob("after", "Failed");
  assert.match(
    (await bench.look([config], after)).message,
    /everything else of this revision is deployed; delete the Job/,
  );
});

Deno.test("Jobs of hooks go when it is written down that they are done, if they shall, and those of older revisions", async () => {
  await using bench = await new FakeDeployment().start();
  const succeeded = hook("goes", "pre-install", { deletePolicies: ["hook-succeeded"] });
  await deployed(bench, "r1", [succeeded, hook("stays", "pre-install")]);
  assert.ok(bench.find(JOB, "goes"));
  const report = await bench.look([config], { hooks: [succeeded, hook("stays", "pre-install")] });
  assert.equal(report.state, "ready");
  assert.deepEqual([bench.find(JOB, "goes"), bench.find(JOB, "stays")?.metadata.name], [undefined, "stays"]);
  await deployed(bench, "r2", []);
  await bench.look([config], { revision: "r2" });
  assert.equal(bench.find(JOB, "stays"), undefined);
});

Deno.test("a Job of somebody else is no hook", async () => {
  await using bench = await new FakeDeployment().start();
  const metadata = { name: "before", namespace: bench.namespace };
  bench.server.store.create(JOB, { ...(migration as KubeObject), metadata });
  await assert.rejects(bench.look([config], { hooks: [hook("before", "pre-install")] }), { reason: "NotOwned" });
});

Deno.test("hooksNotRun() names other kinds than Jobs, and events that never come", () => {
  const secret = { apiVersion: SECRET.version, kind: "Secret", metadata: { name: "s" } };
  assert.deepEqual(
    hooksNotRun([
      hook("a", "pre-install"),
      hook("b", "", { events: ["post-delete", "post-install", "test"] }),
      hook("c", "pre-install", { object: secret }),
    ]),
    [
      'Hook "post-delete", "test" (Job "b") is not run',
      'Secret "s" is a hook (pre-install) and no Job: it is not made',
    ],
  );
});
