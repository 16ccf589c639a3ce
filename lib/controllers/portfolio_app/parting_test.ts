import assert from "node:assert/strict";
import type { PortfolioApp } from "../../api/portfolio_app.ts";
import { backupTask, type TaskSpec } from "./backup_job.ts";
import type { Seen } from "./gather.ts";
import { part } from "./parting.ts";
import { app, child, CREATED, deployment, pod, seen, SETTINGS, task } from "./test_objects.ts";

const BACKUP = { tool: "volume", destination: { pvc: { claimName: "b" } } };
const VOLUME = { storage: { size: "1Gi" } };
const CLAIM = child("PersistentVolumeClaim", "shop-data");
const AT = "2026-01-01T00:00:00Z";

function stoppedAt(time: string): Record<string, unknown> {
  return { type: "TrafficStopped", status: "True", reason: "EndpointsRemoved", message: "x", lastTransitionTime: time };
}

function leaving(spec: Record<string, unknown>, conditions: unknown[] = []): PortfolioApp {
  const status = { image: "ghcr.io/acme/shop:v1", conditions };
  return app(spec, { status, metadata: { deletionTimestamp: AT } });
}

/** Everything is there: traffic, Pods, a volume. */
function standing(owner: PortfolioApp): Partial<Seen> {
  return {
    deployment: deployment(owner, { status: { replicas: 1, availableReplicas: 1, updatedReplicas: 1 } }),
    frontage: [child("Service", "shop-service"), child("Ingress", "shop-ingress")],
    endpointSlices: [child("EndpointSlice", "s")],
    allPods: [pod(owner)],
    claim: CLAIM,
  };
}

/** No traffic, no Pods. */
function drained(owner: PortfolioApp): Partial<Seen> {
  return { deployment: deployment(owner, { spec: { replicas: 0 }, status: { replicas: 0 } }), claim: CLAIM };
}

function taskOf(owner: PortfolioApp): Pick<TaskSpec, "digest" | "subject"> {
  const { digest, subject } = backupTask(owner, owner.spec.backup!, { settings: SETTINGS, more: [[], ""] });
  return { digest, subject };
}

const SUCCEEDED = { succeeded: true, at: AT, reason: "", message: "" };
const FAILED = { succeeded: false, at: AT, reason: "BackoffLimitExceeded", message: "it failed" };

Deno.test("part() takes traffic away first, and keeps everything else", () => {
  const owner = leaving(VOLUME);
  const plan = part(seen(owner, standing(owner)), CREATED)!;
  assert.deepEqual([plan.report.reason, plan.desired], ["StoppingTraffic", []]);
  assert.deepEqual(plan.keep!.map(({ kind }) => kind), ["Deployment", "PersistentVolumeClaim"]);
});

Deno.test("part() waits until no endpoint is left", () => {
  const owner = leaving(VOLUME);
  const plan = part(seen(owner, { ...standing(owner), frontage: [] }), CREATED)!;
  assert.equal(plan.report.reason, "StoppingTraffic");
});

Deno.test("part() lets Pods answer for a moment before they are told to end", () => {
  const owner = leaving(VOLUME);
  const quiet = { ...standing(owner), frontage: [], endpointSlices: [] };
  const first = part(seen(owner, quiet), CREATED)!;
  assert.deepEqual([first.report.reason, first.desired, first.report.lookAgainAt], ["Draining", [], CREATED + 5_000]);
  const later = leaving(VOLUME, [stoppedAt(AT)]);
  const plan = part(seen(later, quiet), CREATED + 5_000)!;
  assert.equal(plan.desired![0]!.spec.replicas, 0);
});

Deno.test("part() says which Pods do not end", () => {
  const owner = leaving(VOLUME, [stoppedAt(AT)]);
  const quiet = { ...standing(owner), frontage: [], endpointSlices: [] };
  const { report } = part(seen(owner, quiet), CREATED + 100_000)!;
  assert.deepEqual([report.state, report.reason], ["stalled", "DrainBlocked"]);
  assert.match(report.message, /"shop-1"/);
});

Deno.test("part() backs up when the last Pod has gone, and keeps everything meanwhile", () => {
  const owner = leaving({ ...VOLUME, backup: BACKUP });
  const plan = part(seen(owner, drained(owner)), CREATED)!;
  assert.deepEqual(plan.desired!.map(({ kind }) => kind), ["Job"]);
  assert.deepEqual(plan.keep!.map(({ kind }) => kind), ["Deployment", "PersistentVolumeClaim"]);
});

Deno.test("part() blocks on a failure, says why, and tries again after a while", () => {
  const owner = leaving({ ...VOLUME, backup: BACKUP });
  const tasks = [task({ kind: "backup", ...taskOf(owner), end: FAILED })];
  const plan = part(seen(owner, { ...drained(owner), tasks }), CREATED)!;
  assert.deepEqual([plan.report.state, plan.report.reason], ["stalled", "BackupFailed"]);
  assert.match(plan.report.message, /it failed/);
  assert.equal(plan.report.lookAgainAt, CREATED + 30_000);
  const again = part(seen(owner, { ...drained(owner), tasks }), CREATED + 30_000)!;
  assert.equal(again.desired![0]!.metadata.labels!["maquette.dev/attempt"], "2");
});

Deno.test("part() tries again at once when a Secret or the spec has changed", () => {
  const owner = leaving({ ...VOLUME, backup: BACKUP });
  const tasks = [task({ kind: "backup", digest: "another", end: FAILED })];
  assert.equal(part(seen(owner, { ...drained(owner), tasks }), CREATED)!.desired!.length, 1);
});

Deno.test("part() says where the backup is before anything goes, and lets the volume go with it", () => {
  const owner = leaving({ ...VOLUME, backup: BACKUP });
  const result = { archive: "a.tar.gz", sha256: "x", bytes: 1, entries: 1 };
  const tasks = [task({ kind: "backup", ...taskOf(owner), end: SUCCEEDED, result })];
  const plan = part(seen(owner, { ...drained(owner), tasks }), CREATED)!;
  assert.deepEqual(plan.desired, []);
  const found = new Map(plan.report.conditions!.map(({ type, reason, message }) => [type, `${reason}: ${message}`]));
  assert.match(found.get("BackedUp")!, /pvc:b\/a\.tar\.gz/);
  assert.match(found.get("DeletionAllowed")!, /^VolumeSaved/);
  assert.ok(!found.has("HasWarnings"));
  const allowed = {
    type: "DeletionAllowed",
    status: "True",
    reason: "VolumeSaved",
    message: "x",
    lastTransitionTime: AT,
  };
  const said = leaving({ ...VOLUME, backup: BACKUP }, [allowed]);
  assert.equal(part(seen(said, { ...drained(said), tasks: [] }), CREATED), undefined);
});

Deno.test("part() goes on after a failure with Continue, warns, and lets go of the volume without deleting it", () => {
  const spec = { ...VOLUME, backup: { ...BACKUP, onFailure: "Continue" } };
  const owner = leaving(spec);
  const tasks = [task({ kind: "backup", ...taskOf(owner), end: FAILED })];
  const { report } = part(seen(owner, { ...drained(owner), tasks }), CREATED)!;
  const warning = report.conditions!.find(({ type }) => type === "HasWarnings")!;
  assert.match(warning.message, /it failed.*"shop-data" is kept/s);
  const said = leaving(spec, [{ type: "DeletionAllowed", status: "True", reason: "BackupFailed", message: "x" }]);
  assert.deepEqual(part(seen(said, drained(said)), CREATED)!.further, { release: CLAIM });
});

Deno.test("part() keeps a volume that nobody asked to save", () => {
  const owner = leaving(VOLUME);
  const { report } = part(seen(owner, drained(owner)), CREATED)!;
  assert.equal(report.conditions!.find(({ type }) => type === "HasWarnings")!.reason, "VolumeKept");
});

Deno.test("part() has nothing to say about what has neither volume nor backup, or never ran", () => {
  const owner = leaving({});
  assert.equal(part(seen(owner, { ...drained(owner), claim: undefined }), CREATED), undefined);
  const unborn = app({ backup: BACKUP }, { metadata: { deletionTimestamp: AT } });
  assert.equal(part(seen(unborn), CREATED), undefined);
});

Deno.test("part() saves the volume, although a database was saved before the spec was changed", () => {
  const database = { host: "db", name: "shop", secretRef: { name: "db" } };
  const before = leaving({ ...VOLUME, backup: { ...BACKUP, tool: "pg_dump", database } });
  const tasks = [task({ kind: "backup", ...taskOf(before), end: SUCCEEDED })];
  const owner = leaving({ ...VOLUME, backup: BACKUP });
  assert.deepEqual(part(seen(owner, { ...drained(owner), tasks }), CREATED)!.desired!.map(({ kind }) => kind), ["Job"]);
  const allowed = { type: "DeletionAllowed", status: "True", reason: "Saved", message: "x", lastTransitionTime: AT };
  const said = leaving({ ...VOLUME, backup: BACKUP }, [allowed]);
  assert.deepEqual(part(seen(said, drained(said)), CREATED)!.further, { release: CLAIM });
});

Deno.test("part() ends the Pods that there are, whatever the spec asks for by now", () => {
  const owner = leaving(VOLUME, [stoppedAt(AT)]);
  const observed = deployment(app({ ...VOLUME, version: "v0" }), { status: { replicas: 1 } });
  const quiet = { ...standing(owner), deployment: observed, frontage: [], endpointSlices: [] };
  const [scaled] = part(seen(owner, quiet), CREATED + 5_000)!.desired!;
  assert.deepEqual([scaled!.spec.replicas, scaled!.spec.template], [0, observed.spec.template]);
});

Deno.test("part() has no volume to save where there is none", () => {
  const owner = leaving({ backup: BACKUP });
  assert.equal(part(seen(owner, { ...drained(owner), claim: undefined }), CREATED), undefined);
});

Deno.test("part() asks for no backup in a namespace that is being deleted, and says what lets it go", () => {
  const blocked = leaving({ ...VOLUME, backup: BACKUP });
  const { report, desired } = part(seen(blocked, { ...drained(blocked), isNamespaceLeaving: true }), CREATED)!;
  assert.deepEqual([report.state, report.reason, desired], ["stalled", "BackupFailed", []]);
  assert.match(report.message, /Namespace "team" is being deleted.*spec\.backup\.onFailure to Continue/);
  const going = leaving({ ...VOLUME, backup: { ...BACKUP, onFailure: "Continue" } });
  const plan = part(seen(going, { ...drained(going), isNamespaceLeaving: true }), CREATED)!;
  assert.equal(plan.report.conditions!.find(({ type }) => type === "DeletionAllowed")!.reason, "BackupFailed");
});

Deno.test("part() says what keeps traffic coming", () => {
  const owner = leaving(VOLUME);
  const ingress = child("Ingress", "shop-ingress");
  ingress.metadata = { ...ingress.metadata, deletionTimestamp: AT, finalizers: ["load.balancer/hold"] };
  const stuck = { ...standing(owner), frontage: [ingress], endpointSlices: [] };
  const early = part(seen(owner, stuck), CREATED)!.report;
  assert.deepEqual([early.state, early.lookAgainAt], ["reconciling", CREATED + 60_000]);
  const { report } = part(seen(owner, stuck), CREATED + 60_000)!;
  assert.deepEqual([report.state, report.reason], ["stalled", "TrafficBlocked"]);
  assert.match(
    report.message,
    /Ingress "team\/shop-ingress" \(held by finalizers load\.balancer\/hold\) is still there$/,
  );
});

Deno.test("part() stops traffic and waits for the Pods although somebody has deleted the Deployment", () => {
  const owner = leaving({ ...VOLUME, backup: BACKUP });
  const orphans = { ...standing(owner), deployment: undefined };
  assert.equal(part(seen(owner, orphans), CREATED)!.report.reason, "StoppingTraffic");
  const quiet = { ...orphans, frontage: [], endpointSlices: [] };
  const later = leaving({ ...VOLUME, backup: BACKUP }, [stoppedAt(AT)]);
  const draining = part(seen(later, quiet), CREATED + 5_000)!;
  assert.deepEqual([draining.report.reason, draining.desired], ["Draining", []]);
  assert.equal(part(seen(later, quiet), CREATED + 100_000)!.report.reason, "DrainBlocked");
});

Deno.test("part() saves what served before it was complete, its Deployment gone already", () => {
  const conditions = [stoppedAt(AT)];
  const owner = app({ ...VOLUME, backup: BACKUP }, { status: { conditions }, metadata: { deletionTimestamp: AT } });
  assert.deepEqual(part(seen(owner, { claim: CLAIM }), CREATED)!.desired!.map(({ kind }) => kind), ["Job"]);
});

Deno.test("part() lets go of volumes that it did not make, also where its own goes", () => {
  const other = child("PersistentVolumeClaim", "copy");
  const said = leaving({ ...VOLUME, backup: BACKUP }, [{
    ...{ type: "DeletionAllowed", status: "True", reason: "VolumeSaved", message: "x", lastTransitionTime: AT },
  }]);
  assert.deepEqual(part(seen(said, { ...drained(said), otherClaims: [other] }), CREATED)!.further, { release: other });
  const bare = leaving({});
  const { report } = part(seen(bare, { otherClaims: [other] }), CREATED)!;
  assert.match(report.conditions!.find(({ type }) => type === "HasWarnings")!.message, /"copy" is kept/);
});
