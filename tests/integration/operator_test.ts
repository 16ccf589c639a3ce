/**
 * The operator as a process: restarted, killed, left alone, late. What a person asked for must hold in the end, and
 * nothing may be written that need not be.
 */
import assert from "node:assert/strict";
import { statusRules } from "../../lib/runtime/status_rules.ts";
import { auditMark, beyondWatching, brief, requestsSince, writes } from "../audit.ts";
import { startControlPlane } from "../control_plane/control_plane.ts";
import { install } from "../installed.ts";
import { waitFor, waitUntil } from "../wait.ts";
import { OPERATOR, preview, Terminal } from "./previews.ts";

const MANY = 200;
const QUIET_MS = 120_000;

Deno.test("the operator over many environments", async (t) => {
  await using plane = await startControlPlane({ nodes: 2 });
  await using operator = await install(plane, { flags: ["--tls=none"] });
  const terminal = new Terminal(plane);
  const audit = plane.auditLogPath;

  await t.step(`${MANY} environments become Ready`, async () => {
    await terminal.create(...Array.from({ length: MANY }, (_, index) => preview(index + 1)));
    await waitUntil(
      "all to be Ready",
      async () => (await terminal.list("prenv")).filter((owner) => owner.status?.phase === "Ready").length,
      (ready) => ready === MANY,
      300_000,
    );
    for (const owner of await terminal.list("prenv")) assert.deepEqual(statusRules(owner), []);
  });

  await t.step("a restart over unchanged environments writes nothing and reads only lists and watches", async () => {
    assert.equal(await operator.stop(), 0);
    const mark = audit ? await auditMark(audit) : 0;
    await operator.start();
    await waitFor(
      "the leader to have looked at all",
      async () =>
        await operator.metric("maquette_reconcile_duration_seconds_count", { kind: "PreviewEnvironment" }) >= MANY,
    );
    assert.equal(await operator.metric("preview_environments_active"), MANY, "active is right after a restart");
    if (!audit) return;
    const requests = (await requestsSince(audit, mark, OPERATOR)).filter(({ uri }) => uri !== "/version");
    assert.deepEqual(writes(requests).map(brief), []);
    assert.deepEqual(beyondWatching(requests).map(brief), []);
  });

  await t.step(`${QUIET_MS / 1000} quiet seconds make no request but watches and lease renewals`, async () => {
    if (!audit) return;
    const mark = await auditMark(audit);
    const until = Date.now() + QUIET_MS;
    await waitFor("the time to pass", () => Promise.resolve(Date.now() >= until), QUIET_MS + 10_000);
    const requests = await requestsSince(audit, mark, OPERATOR);
    assert.deepEqual(requests.filter(({ verb, uri }) => verb !== "watch" && !uri.includes("/leases/")).map(brief), []);
    assert.ok(requests.some(({ uri }) => uri.includes("/leases/")), "it still leads");
  });

  await t.step("what changed while it was down is brought right", async () => {
    await operator.stop();
    await terminal.patch("service", "pr-1-svc", { spec: { selector: { app: "wrong" } } }, "preview-pr-1");
    await terminal.remove("deployment", "pr-2-app", "preview-pr-2");
    // Admission is down with its only replica here: deletion does not need it.
    await terminal.remove("prenv", "pr-3", "default", "--wait=false");
    await operator.start();
    await waitUntil(
      "the Service to be right",
      async () => (await terminal.get("service", "pr-1-svc", "preview-pr-1"))?.spec.selector.app,
      (app) => app === undefined,
    );
    await waitFor("the Deployment to be back", () => terminal.get("deployment", "pr-2-app", "preview-pr-2"));
    await terminal.untilGone("prenv", "pr-3");
    await terminal.untilGone("namespace", "preview-pr-3");
  });

  await t.step("killed in the middle of creates, updates and deletes, it goes on where it was", async () => {
    const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, index) => from + index);
    await terminal.create(...range(301, 40).map((pr) => preview(pr)));
    await waitFor(
      "the creates to be under way",
      async () => (await terminal.list("ns", "-l", "pr-number=305")).length > 0,
    );
    await operator.stop("SIGKILL");
    await operator.start();
    await plane.kubectl(["delete", "prenv", "--wait=false", ...range(101, 20).map((pr) => `pr-${pr}`)]);
    await Promise.all(range(141, 20).map((pr) => terminal.patch("prenv", `pr-${pr}`, { spec: { image_tag: "v2" } })));
    await operator.stop("SIGKILL");
    await operator.start();
    await Promise.all(range(301, 40).map((pr) => terminal.untilPhase(`pr-${pr}`, "Ready", 180_000)));
    await Promise.all(range(101, 20).map((pr) => terminal.untilGone("namespace", `preview-pr-${pr}`, "", 180_000)));
    for (const pr of range(141, 20)) {
      await terminal.untilPhase(`pr-${pr}`, "Ready", 180_000);
      const deployment = await terminal.get("deployment", `pr-${pr}-app`, `preview-pr-${pr}`);
      assert.equal(deployment?.spec.template.spec.containers[0].image, "ghcr.io/acme/shop:v2");
    }
    await assertNothingLeaked(terminal);
  });

  await t.step("the watches missed nothing", async () => {
    assert.equal(await operator.metric("maquette_watch_missed_events_total"), 0);
  });
});

/** Every namespace of ours belongs to an object that exists. */
async function assertNothingLeaked(terminal: Terminal): Promise<void> {
  const owners = new Set((await terminal.list("prenv", "--all-namespaces")).map((owner) => owner.metadata.uid));
  const namespaces = await terminal.list("namespaces", "-l", "app.kubernetes.io/managed-by=maquette");
  const leaked = namespaces.filter(({ metadata }) =>
    !metadata.deletionTimestamp && !owners.has(metadata.labels!["maquette.dev/owner-uid"])
  );
  assert.deepEqual(leaked.map(({ metadata }) => metadata.name), []);
}
