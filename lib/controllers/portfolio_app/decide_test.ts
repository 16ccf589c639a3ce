import assert from "node:assert/strict";
import { hostClaim } from "../../hosts.ts";
import type { Plan } from "../../runtime/definition.ts";
import { restoreTask } from "./backup_job.ts";
import { decide } from "./decide.ts";
import type { Seen } from "./gather.ts";
import { app, child, CREATED, deployment, rolledOut, seen, SETTINGS, task } from "./test_objects.ts";

function names({ desired = [] }: Plan): string[] {
  return desired.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
}

function decided(spec: Record<string, unknown>, parts: Partial<Seen> = {}, now = CREATED): Plan {
  return decide(seen(app(spec), parts), now);
}

const CHILDREN: Record<string, [spec: Record<string, unknown>, children: string[]]> = {
  "the least": [{}, ["Service shop-service", "Deployment shop-deployment"]],
  "configuration": [{ config: { A: "1" } }, [
    "ConfigMap shop-config",
    "Service shop-service",
    "Deployment shop-deployment",
  ]],
  "a volume": [{ storage: { size: "1Gi" } }, [
    "PersistentVolumeClaim shop-data",
    "Service shop-service",
    "Deployment shop-deployment",
  ]],
  "an ingress": [{ ingress: { enabled: true } }, [
    "Service shop-service",
    "Ingress shop-ingress",
    "Deployment shop-deployment",
  ]],
  "an ingress that is off": [{ ingress: { enabled: false, host: "a.b" } }, [
    "Service shop-service",
    "Deployment shop-deployment",
  ]],
  "two replicas": [{ replicas: 2 }, [
    "Service shop-service",
    "PodDisruptionBudget shop-budget",
    "Deployment shop-deployment",
  ]],
  "an autoscaler": [{ autoscaling: { maxReplicas: 3 } }, [
    "Service shop-service",
    "HorizontalPodAutoscaler shop-autoscaler",
    "PodDisruptionBudget shop-budget",
    "Deployment shop-deployment",
  ]],
  "an autoscaler of one Pod": [{ replicas: 2, autoscaling: { maxReplicas: 1 } }, [
    "Service shop-service",
    "HorizontalPodAutoscaler shop-autoscaler",
    "Deployment shop-deployment",
  ]],
  "a schedule": [{
    storage: { size: "1Gi" },
    backup: { when: "schedule", schedule: "@daily", tool: "volume", destination: { pvc: { claimName: "b" } } },
  }, [
    "PersistentVolumeClaim shop-data",
    "Service shop-service",
    "CronJob shop-backup",
    "Deployment shop-deployment",
  ]],
};

for (const [sentence, [spec, children]] of Object.entries(CHILDREN)) {
  Deno.test(`decide() wants for ${sentence}: ${children.join(", ")}`, () => {
    assert.deepEqual(names(decided(spec)), children);
  });
}

Deno.test("decide() says Running when all Pods serve, and which version that is", () => {
  const owner = app({ version: "v2" });
  const { report } = decide(seen(owner, rolledOut(owner)), CREATED);
  const { version, image, ready, url } = report.fields!;
  assert.deepEqual([report.phase, report.state], ["Running", "ready"]);
  assert.deepEqual([version, image, ready, url], [
    "v2",
    "ghcr.io/acme/shop:v2",
    "1/1",
    "http://shop-service.team.svc",
  ]);
});

Deno.test("decide() keeps the version of before until the next one is rolled out", () => {
  const owner = app({ version: "v2" }, { status: { image: "ghcr.io/acme/shop:v1" } });
  const { report } = decide(seen(owner), CREATED);
  assert.deepEqual([report.phase, report.fields!.version], ["Progressing", "v1"]);
});

Deno.test("decide() keeps a volume that is asked for no more, and says so", () => {
  const claim = child("PersistentVolumeClaim", "shop-data");
  const plan = decided({}, { claim });
  assert.deepEqual(plan.keep, [claim]);
  assert.match(plan.report.conditions!.find(({ type }) => type === "HasWarnings")!.message, /"shop-data" is kept/);
});

Deno.test("decide() keeps volumes that somebody has given it by hand, and that of a restore that is asked for no more", () => {
  const [claim, other] = ["shop-data", "copy"].map((name) => child("PersistentVolumeClaim", name));
  assert.deepEqual(decided({ storage: { size: "1Gi" } }, { claim, otherClaims: [other!] }).keep, [other]);
  const database = { host: "db", name: "shop", secretRef: { name: "db" } };
  const restoreFrom = { archive: "a.dump", tool: "pg_dump", source: { pvc: { claimName: "b" } }, database };
  assert.deepEqual(decided({ restoreFrom }, { claim, otherClaims: [other!] }).keep, [other, claim]);
});

Deno.test("decide() never asks for a smaller volume than there is", () => {
  const claim = child("PersistentVolumeClaim", "shop-data", {
    spec: { resources: { requests: { storage: "10Gi" } } },
  });
  const [wanted] = decided({ storage: { size: "1Gi" } }, { claim }).desired!;
  assert.deepEqual(wanted!.spec.resources, { requests: { storage: "10Gi" } });
});

Deno.test("decide() leaves a host to who had it first", () => {
  const spec = { ingress: { enabled: true, host: "a.apps.test" } };
  const older = hostClaim(app(spec, { metadata: { uid: "0", name: "first" } }), SETTINGS.domain);
  const ingress = child("Ingress", "shop-ingress", { spec: { rules: [{ host: "a.apps.test" }] } });
  const frontage = [ingress, child("Service", "shop-service")];
  const { desired, report, revoked } = decided(spec, { rivals: [older], frontage });
  assert.deepEqual([desired, revoked], [undefined, [ingress]]);
  assert.deepEqual([report.state, report.reason, report.fields!.url], ["stalled", "HostTaken", undefined]);
});

Deno.test("decide() copies the wildcard certificate for each application, and says when there is none", () => {
  const settings = { ...SETTINGS, tls: { mode: "wildcard" as const, secret: "wild" } };
  const ingress = { ingress: { enabled: true } };
  assert.equal(decided(ingress, { settings }).report.reason, "SourceMissing");
  const wildcard = { apiVersion: "v1", kind: "Secret", metadata: { name: "wild", namespace: "maquette-system" } };
  const { desired } = decided(ingress, { settings, wildcard });
  const [copy, made] = ["Secret", "Ingress"].map((kind) => desired!.find((object) => object.kind === kind)!);
  assert.deepEqual([copy!.metadata.name, made!.spec.tls[0].secretName], ["shop-tls", "shop-tls"]);
});

const RESTORE = {
  storage: { size: "1Gi" },
  restoreFrom: { archive: "a.tar.gz", tool: "volume", source: { pvc: { claimName: "b" } } },
};

Deno.test("decide() brings the volume back before anything else is made", () => {
  const plan = decided(RESTORE);
  assert.deepEqual(names(plan).map((name) => name.split(" ")[0]), ["PersistentVolumeClaim", "Job"]);
  assert.deepEqual([plan.report.phase, plan.report.reason], ["Pending", "Restoring"]);
});

Deno.test("decide() goes on when it is brought back, and remembers that it was", () => {
  const end = { succeeded: true, at: "2026-01-01T00:01:00Z", reason: "", message: "" };
  const { spec } = app(RESTORE);
  const { subject } = restoreTask(app(RESTORE), spec.restoreFrom!, { settings: SETTINGS, more: [] });
  const done = task({ kind: "restore", subject, end });
  const plan = decided(RESTORE, { tasks: [done] });
  assert.ok(names(plan).includes("Deployment shop-deployment"));
  assert.equal(plan.report.fields!.restoredAt, end.at);
  assert.deepEqual(plan.keep, [done.job], "until the status knows");
});

Deno.test("decide() never brings anything back under an application that runs", () => {
  const owner = app(RESTORE);
  const plan = decide(seen(owner, { deployment: deployment(owner) }), CREATED);
  assert.ok(!names(plan).some((name) => name.startsWith("Job")));
});

Deno.test("decide() makes no schedule for a volume that is not there, and says so", () => {
  const backup = { when: "schedule", schedule: "@daily", tool: "volume", destination: { pvc: { claimName: "b" } } };
  const plan = decided({ backup });
  assert.ok(!names(plan).some((name) => name.startsWith("CronJob")));
  assert.match(plan.report.conditions!.find(({ type }) => type === "HasWarnings")!.message, /nothing is saved/);
  const kept = decided({ backup }, { claim: child("PersistentVolumeClaim", "shop-data") });
  assert.ok(names(kept).includes("CronJob shop-backup"));
});
