import assert from "node:assert/strict";
import fc from "fast-check";
import type { KubeObject } from "../../api/object.ts";
import type { PreviewEnvironment } from "../../api/preview_environment.ts";
import { hostClaim } from "../../hosts.ts";
import type { Plan } from "../../runtime/definition.ts";
import { copyOf } from "../../runtime/copies.ts";
import { decide } from "./decide.ts";
import type { Seen } from "./gather.ts";
import { child, CREATED, deployment, pod, preview, rolledOut, seen, SETTINGS } from "./test_objects.ts";
import { previews, settings } from "./test_specs.ts";

const HOUR = 3_600_000;
const hourly = { ttl_seconds: 3600 };

function planned(owner: PreviewEnvironment, parts: Partial<Seen> = {}, now = CREATED): Plan {
  return decide(seen(owner, parts), now);
}

Deno.test("an environment of which nothing is there is Provisioning, and all of it is desired", () => {
  const owner = preview(hourly);
  const { desired, report, deleteOwner } = planned(owner);
  assert.equal(deleteOwner, undefined);
  assert.equal(desired?.[0]?.kind, "Namespace");
  assert.deepEqual(report, {
    phase: "Provisioning",
    state: "reconciling",
    reason: "RollingOut",
    message: 'Image "ghcr.io/acme/shop:v1" is being rolled out',
    fields: {
      url: "https://pr-7.preview.test",
      namespace: "preview-pr-7",
      image: "ghcr.io/acme/shop:v1",
      updatedAt: "2026-01-01T00:00:00Z",
      expiresAt: "2026-01-01T01:00:00Z",
    },
    conditions: [],
    lookAgainAt: CREATED + HOUR - 360_000,
  });
});

Deno.test("an environment that is rolled out is Ready and says where", () => {
  const owner = preview();
  const { report } = planned(owner, rolledOut(owner));
  assert.equal(report.phase, "Ready");
  assert.equal(report.state, "ready");
  assert.equal(report.message, 'Image "ghcr.io/acme/shop:v1" serves at https://pr-7.preview.test');
  assert.deepEqual(report.outcome, { outcome: "Ready", image: "ghcr.io/acme/shop:v1", reason: "Ready" });
  assert.equal(report.lookAgainAt, undefined);
  assert.ok(!("expiresAt" in report.fields!));
});

Deno.test("a rollout that is stuck is Failed and stalled, and goes into the history", () => {
  const owner = preview();
  const failing = pod(owner);
  const failure = {
    pod: failing,
    container: "app",
    reason: "ImagePullBackOff",
    message: "Cannot pull",
    mayPass: false,
  };
  const { report, desired } = planned(owner, { deployment: deployment(owner), pods: [failing], failure });
  assert.deepEqual([report.phase, report.state, report.reason], ["Failed", "stalled", "ImagePullBackOff"]);
  const outcome = {
    outcome: "Failed",
    image: "ghcr.io/acme/shop:v1",
    reason: "ImagePullBackOff",
    message: "Cannot pull",
  };
  assert.deepEqual(report.outcome, outcome);
  assert.ok(desired, "what is there stays, and is repaired");
});

Deno.test("an environment that lost its Pod is Degraded, on its way, and no news for the history", () => {
  const owner = preview({}, { status: { phase: "Ready", observedGeneration: 1 } });
  const { report } = planned(owner, { deployment: deployment(owner, { status: { replicas: 1, updatedReplicas: 1 } }) });
  assert.deepEqual([report.phase, report.state, report.outcome], ["Degraded", "reconciling", undefined]);
});

Deno.test("a Secret that is missing is named, and nothing is changed without it", () => {
  const { report, desired } = planned(preview({ ...hourly, image_pull_secrets: [{ name: "pull" }] }));
  assert.equal(desired, undefined);
  assert.deepEqual([report.phase, report.state, report.reason], ["Failed", "stalled", "SourceMissing"]);
  assert.equal(report.message, 'Secret "pull" does not exist in namespace "team-a"');
  assert.equal(report.lookAgainAt, CREATED + HOUR - 360_000, "its time runs on");
});

Deno.test("a Secret that would show the certificate's key is refused, whether it exists or not", () => {
  const tls = { mode: "wildcard", secret: "wild" } as const;
  const owner = preview({ env_from: [{ secretRef: { name: "wild", optional: true } }] });
  const { report, desired } = planned(owner, { settings: { ...SETTINGS, tls } });
  assert.equal(desired, undefined);
  assert.equal(report.reason, "SourceRefused");
  assert.match(report.message, /^Secret "wild" has the name of the environment's certificate/);
});

Deno.test("the sources that were found are copied", () => {
  const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "pull", namespace: "team-a", uid: "u" } };
  const { desired } = planned(preview({ image_pull_secrets: [{ name: "pull" }] }), {
    sources: new Map([["Secret team-a/pull", secret]]),
  });
  const copy = desired!.find(({ kind }) => kind === "Secret");
  assert.deepEqual(copy, copyOf(secret, { namespace: "preview-pr-7", name: "pull" }));
});

Deno.test("an environment whose time is over is Expired and deleted, and nothing more is made for it", () => {
  const owner = preview(hourly);
  for (const now of [CREATED + HOUR, CREATED + 1000 * HOUR]) {
    const { report, desired, deleteOwner } = planned(owner, rolledOut(owner), now);
    assert.equal(deleteOwner, true);
    assert.equal(desired, undefined);
    assert.deepEqual([report.phase, report.state, report.reason], ["Expired", "reconciling", "Expired"]);
    assert.equal(report.message, "Its time was over at 2026-01-01T01:00:00Z; it is being deleted");
    assert.equal(report.outcome?.outcome, "Expired");
    assert.deepEqual([report.conditions, report.lookAgainAt], [[], undefined], "what is over is not about to be");
  }
});

Deno.test("an environment whose time is over is deleted also when a source is missing", () => {
  const owner = preview({ ...hourly, image_pull_secrets: [{ name: "pull" }] });
  assert.equal(planned(owner, {}, CREATED + HOUR).deleteOwner, true);
});

Deno.test("an environment is looked at when it is to be warned about, and again when its time is over", () => {
  const owner = preview({ ttl_seconds: 7200 });
  const warnAt = CREATED + 2 * HOUR - 600_000;
  const before = planned(owner, rolledOut(owner), warnAt - 1).report;
  assert.deepEqual([before.conditions, before.lookAgainAt], [[], warnAt]);
  const after = planned(owner, rolledOut(owner), warnAt).report;
  assert.equal(after.lookAgainAt, CREATED + 2 * HOUR);
  assert.equal(after.phase, "Ready", "it serves until the end");
  assert.deepEqual(after.conditions, [{
    type: "Expiring",
    status: "True",
    reason: "Expiring",
    message: 'Will be deleted at 2026-01-01T02:00:00Z; annotation "maquette.dev/extend-until" keeps it longer',
  }]);
});

Deno.test("an extension takes the warning back", () => {
  const annotations = { "maquette.dev/extend-until": "2026-01-02T00:00:00Z" };
  const owner = preview(hourly, { metadata: { annotations } });
  const { report } = planned(owner, {}, CREATED + HOUR - 1);
  assert.deepEqual(report.conditions, []);
  assert.equal(report.fields!.expiresAt, "2026-01-02T00:00:00Z");
});

Deno.test("the earlier of two reasons to look again counts", () => {
  const owner = preview({ ttl_seconds: 60 });
  const failure = { pod: pod(owner), container: "", reason: "Unschedulable", message: "No node", mayPass: true };
  const at = (since: number): number | undefined =>
    planned(owner, { failure: { ...failure, since } }).report.lookAgainAt;
  assert.equal(at(CREATED), CREATED + 30_000);
  assert.equal(at(CREATED + 29_000), CREATED + 54_000);
});

Deno.test("a smaller spec keeps the larger quota until the last Pod of the larger one is replaced", () => {
  const large = preview({ resources: { limits: { memory: "4Gi" } } });
  const small = preview({}, { metadata: { generation: 2 } });
  const quota = child(large, "ResourceQuota");
  const memory = (parts: Partial<Seen>): string =>
    planned(small, { quota, ...parts }).desired!.find(({ kind }) => kind === "ResourceQuota")!.spec
      .hard["limits.memory"];
  assert.equal(memory(rolledOut(large)), "20Gi", "before the Deployment is changed");
  const updating = { replicas: 2, updatedReplicas: 1, availableReplicas: 1 };
  assert.equal(memory({ deployment: deployment(small, { status: updating }) }), "20Gi", "while it rolls");
  assert.equal(memory(rolledOut(small)), "1280Mi", "afterwards");
});

Deno.test("decide() gives the same for the same, changes nothing that it sees and asks only for JSON", () => {
  fc.assert(fc.property(previews, settings, fc.integer({ min: 0, max: 10 ** 9 }), (owner, given, later) => {
    const look = { ...seen(owner, rolledOut(owner)), settings: given };
    const before = structuredClone(look);
    const plan = decide(look, CREATED + later);
    assert.deepEqual(decide(structuredClone(look), CREATED + later), plan);
    assert.deepEqual(look, before);
    const objects: readonly KubeObject[] = plan.desired ?? [];
    assert.deepEqual(JSON.parse(JSON.stringify(objects)), objects);
  }));
});

Deno.test("an environment whose host another one had before is Stalled, naming it, and makes nothing", () => {
  const owner = preview({ namespace: "mine" });
  const older = preview({ namespace: "theirs" });
  older.metadata = { ...older.metadata, name: "first", uid: "other", creationTimestamp: "2020-01-01T00:00:00Z" };
  const ingress = child(owner, "Ingress");
  const parts = { rivals: [hostClaim(older, SETTINGS.domain)], ingresses: [ingress] };
  const { desired, report, revoked } = decide(seen(owner, parts), CREATED);
  assert.deepEqual([desired, revoked], [undefined, [ingress]]);
  assert.equal(report.reason, "HostTaken");
  assert.match(report.message, /team-a\/first/);
  assert.equal(report.fields!.url, undefined);
});

Deno.test("the environment that had the host first keeps it", () => {
  const owner = preview({ namespace: "mine" });
  const younger = preview({ namespace: "theirs" });
  younger.metadata = { ...younger.metadata, uid: "other", creationTimestamp: "2099-01-01T00:00:00Z" };
  assert.ok(decide(seen(owner, { rivals: [hostClaim(younger, SETTINGS.domain)] }), CREATED).desired);
});

Deno.test("a reserved namespace is Stalled and makes nothing, also where admission was not asked", () => {
  for (const namespace of [SETTINGS.operatorNamespace, "reserved-a"]) {
    const { desired, report } = decide(seen(preview({ namespace })), CREATED);
    assert.equal(desired, undefined);
    assert.equal(report.reason, "NamespaceReserved");
  }
});
