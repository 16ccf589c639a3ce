/**
 * The end of an environment's time: on time, and right after a start when it passed while the operator was down.
 */
import assert from "node:assert/strict";
import { requestsSince } from "../audit.ts";
import { startControlPlane } from "../control_plane/control_plane.ts";
import { install } from "../installed.ts";
import { TimedProbe, waitFor } from "../wait.ts";
import { OPERATOR, preview, Terminal } from "./previews.ts";

const SHORTEST = { ttl_seconds: 60 };

Deno.test("environments expire", async (t) => {
  await using plane = await startControlPlane();
  await using operator = await install(plane, { flags: ["--tls=none"] });
  const terminal = new Terminal(plane);

  await t.step("one expires on time, after a warning", async () => {
    await terminal.create(preview(1, SHORTEST), preview(2, { ...SHORTEST, ttl_seconds: 120 }));
    const { expiresAt } = (await terminal.untilPhase("pr-1", "Ready")).status;
    const isWarned = async (): Promise<boolean> => (await terminal.eventReasons("pr-1")).includes("Expiring");
    await waitFor("the warning", isWarned, 90_000);
    const probe = new TimedProbe(() => terminal.get("prenv", "pr-1"));
    await waitFor("it to be gone", async () => await probe.ask() === undefined, 90_000);
    assert.ok((await terminal.eventReasons("pr-1")).includes("Expired"));
    assert.equal(await operator.metric("preview_environments_expired_total"), 1);
    if (!plane.auditLogPath) return;
    const [deletion] = (await requestsSince(plane.auditLogPath, 0, OPERATOR)).filter(({ verb, uri }) =>
      verb === "delete" && uri.includes("/previewenvironments/pr-1")
    );
    // The contract gives a time: at most 2 s late (SPEC section 3), and never early. A busy machine is late by itself.
    const lateMs = deletion!.at - Date.parse(expiresAt);
    assert.ok(lateMs >= 0 && lateMs <= 2_000 + probe.slowestMs, `deleted ${lateMs} ms after its time`);
  });

  await t.step("one whose time passes while the operator is down is deleted right after its start", async () => {
    const { expiresAt } = (await terminal.get("prenv", "pr-2"))!.status;
    await operator.stop();
    const over = Date.parse(expiresAt) + 1_000;
    await waitFor("its time to be over", () => Date.now() > over, 120_000);
    assert.ok(await terminal.get("prenv", "pr-2"), "nobody else deletes it");
    await operator.start();
    await terminal.untilGone("prenv", "pr-2");
    await terminal.untilGone("namespace", "preview-pr-2");
  });
});
