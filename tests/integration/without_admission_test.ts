/**
 * Without the webhook: what schema, CEL and ownership alone must hold.
 */
import assert from "node:assert/strict";
import { startControlPlane } from "../control_plane/control_plane.ts";
import { install } from "../installed.ts";
import { condition, preview, Terminal } from "./previews.ts";

Deno.test("with admission away, the API server alone keeps what must hold", async (t) => {
  await using plane = await startControlPlane();
  await using _operator = await install(plane, { flags: ["--tls=none"], webhook: false });
  const terminal = new Terminal(plane);

  await t.step("a second object for the same environment never touches or deletes the first one's", async () => {
    await terminal.create(preview(7));
    await terminal.untilPhase("pr-7", "Ready");
    const before = await terminal.get("namespace", "preview-pr-7");
    await terminal.create(preview(7, { image_tag: "v9" }, { name: "second" }));
    const second = await terminal.untilReason("second", "NotOwned");
    assert.match(condition(second, "Stalled")!.message, /Namespace "preview-pr-7"/);
    await terminal.remove("prenv", "second");
    assert.deepEqual(await terminal.get("namespace", "preview-pr-7"), before);
    assert.equal((await terminal.get("prenv", "pr-7"))?.status.phase, "Ready");
  });

  await t.step("the finalizer is added, and immutable fields stay", async () => {
    assert.deepEqual((await terminal.get("prenv", "pr-7"))?.metadata.finalizers, ["maquette.dev/cleanup"]);
    await assert.rejects(terminal.patch("prenv", "pr-7", { spec: { pr_number: 8 } }), /pr_number/);
    await terminal.remove("prenv", "pr-7");
    await terminal.untilGone("namespace", "preview-pr-7");
  });
});
