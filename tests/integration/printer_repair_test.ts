/** What becomes of Printers when things go wrong: failures, drift, restarts, deletion. */
import assert from "node:assert/strict";
import { brief, writes } from "../audit.ts";
import { waitFor, waitUntil } from "../wait.ts";
import { condition } from "./previews.ts";
import { NAMESPACE, printer, PrinterLab } from "./printers.ts";

Deno.test("Printers mend", async (t) => {
  await using lab = await PrinterLab.open();
  await lab.start();

  await t.step("a Completed one stays so when its Pod is deleted, and prints nothing again", async () => {
    await lab.create(printer("done"));
    await lab.untilPhase("done", "Completed");
    await lab.remove("pod", "done");
    const owner = await lab.until(["prt", "done"], "to have no child", ({ status }) => status.inventory.length === 0);
    assert.deepEqual([owner.status.phase, owner.status.output], ["Completed", "Hello"]);
    assert.equal(await lab.get("pod", "done"), undefined);
  });

  await t.step("a Pod that is deleted while it runs is made again", async () => {
    await lab.create(printer("slow", { image: "busybox:slow-30s" }));
    await lab.untilPhase("slow", "Running");
    const before = await lab.uidOf("pod", "slow");
    await lab.remove("pod", "slow");
    await lab.until(["pod", "slow"], "to be another one", ({ metadata }) => metadata.uid !== before);
  });

  await t.step("labels that are changed by hand are set back, and the Pod stays", async () => {
    await lab.untilPhase("slow", "Running");
    const before = (await lab.get("pod", "slow"))!.metadata;
    const labels = { "app.kubernetes.io/instance": "mine", "app.kubernetes.io/part-of": null };
    await lab.terminal.patch("pod", "slow", { metadata: { labels } }, NAMESPACE);
    const { metadata } = await lab.until(
      ["pod", "slow"],
      "to have its labels",
      (pod) => pod.metadata.labels?.["app.kubernetes.io/instance"] === "slow",
    );
    assert.equal(metadata.uid, before.uid);
    assert.deepEqual(metadata.labels, before.labels);
    await lab.untilPhase("slow", "Completed");
  });

  await t.step(
    "a container that fails is Failed with exit code and log, and tried again when its Pod is deleted",
    async () => {
      await lab.create(printer("crash", { image: "busybox:crash" }));
      const owner = await lab.untilPhase("crash", "Failed");
      const { message } = condition(owner, "Stalled")!;
      assert.equal(owner.status.exitCode, 3);
      assert.match(message, /exited with code 3 \(Error\).*; the last lines of its log:\nHello$/s);
      assert.ok(lab.events.includes("crash Warning Error"), String(lab.events));
      const before = await lab.uidOf("pod", "crash");
      await lab.remove("pod", "crash");
      await lab.until(["pod", "crash"], "to be another one", ({ metadata }) => metadata.uid !== before);
      await lab.untilPhase("crash", "Failed");
    },
  );

  await t.step("an image that cannot be pulled is Failed, and Completed once it can", async () => {
    await lab.create(printer("pull", { image: "busybox:missing" }));
    const owner = await lab.untilPhase("pull", "Failed");
    assert.equal(condition(owner, "Stalled")!.reason, "ImagePullBackOff");
    const annotations = { "simulate.maquette.dev/behaviour": "ready" };
    await lab.terminal.patch("pod", "pull", { metadata: { annotations } }, NAMESPACE);
    const mended = await lab.untilPhase("pull", "Completed");
    const outcomes = mended.status.history.map((entry: { outcome: string }) => entry.outcome);
    assert.deepEqual(outcomes, ["Completed", "Failed"]);
  });

  await t.step("an operator image that cannot be pulled is Failed until the operator has another", async () => {
    await lab.stop();
    await lab.start("busybox:missing");
    await lab.create(printer("default"));
    await lab.untilPhase("default", "Failed");
    await lab.stop();
    await lab.start();
    await lab.untilPhase("default", "Completed");
  });

  await t.step("a Pod of somebody else is never touched", async () => {
    const security = {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      runAsNonRoot: true,
      seccompProfile: { type: "RuntimeDefault" },
    };
    const spec = { containers: [{ name: "x", image: "busybox:unready", securityContext: security }] };
    await lab.create({ apiVersion: "v1", kind: "Pod", metadata: { name: "theirs", namespace: NAMESPACE }, spec });
    await lab.create(printer("theirs"));
    const owner = await lab.until(
      ["prt", "theirs"],
      "to be NotOwned",
      (found) => condition(found, "Stalled")?.reason === "NotOwned",
    );
    assert.match(condition(owner, "Stalled")!.message, /Pod "team\/theirs" exists/);
    await lab.remove("prt", "theirs");
    assert.equal((await lab.get("pod", "theirs"))?.metadata.deletionTimestamp, undefined);
    await lab.remove("pod", "theirs");
  });

  await t.step("a paused one waits and says so", async () => {
    await lab.create(printer("paused", {}, { "maquette.dev/paused": "true" }));
    const owner = await lab.until(["prt", "paused"], "to say so", (it) => condition(it, "Paused")?.status === "True");
    assert.equal(condition(owner, "Ready")!.reason, "Paused");
    assert.equal(await lab.get("pod", "paused"), undefined);
    await lab.plane.kubectl(["annotate", "prt", "paused", "-n", NAMESPACE, "maquette.dev/paused-"]);
    await lab.untilPhase("paused", "Completed");
  });

  await t.step("a new Printer costs its Pod, its finalizer, a log and a status for each phase", async () => {
    const mark = await lab.mark();
    await lab.create(printer("cost"));
    await lab.untilPhase("cost", "Completed");
    await lab.idle();
    const made = writes(await lab.requestsSince(mark)).map(({ verb, uri }) => `${verb} ${uri.split("?")[0]}`);
    const owner = `patch /apis/cadumillani.com.br/v1/namespaces/${NAMESPACE}/printers/cost`;
    assert.deepEqual(made.filter((write) => !write.endsWith("/status")).sort(), [
      `create /api/v1/namespaces/${NAMESPACE}/pods`,
      owner,
    ]);
    assert.ok(made.filter((write) => write === `${owner}/status`).length <= 3, made.join("\n"));
  });

  await t.step(
    "a restart over settled Printers asks for lists and watches alone, with another image, too",
    async () => {
      const mark = await lab.mark();
      await lab.stop();
      await lab.start("busybox:another");
      await lab.idle();
      const requests = await lab.requestsSince(mark);
      assert.ok(requests.filter(({ verb }) => verb === "list").length >= 3);
      assert.deepEqual(requests.filter(({ verb }) => verb !== "list" && verb !== "watch").map(brief), []);
    },
  );

  await t.step("what happened while the operator was down is made good", async () => {
    await lab.create(printer("down", { image: "busybox:slow-60s" }), printer("gone", { image: "busybox:slow-60s" }));
    for (const name of ["down", "gone"]) await lab.untilPhase(name, "Running");
    await lab.stop();
    await lab.remove("pod", "down");
    await lab.remove("prt", "gone", "--wait=false");
    await lab.patch("paused", { ttlSecondsAfterFinished: 0 });
    await lab.create(printer("new"));
    await lab.start();
    await lab.until(["pod", "down"], "to be there again", () => true);
    await lab.terminal.untilGone("prt", "gone", NAMESPACE);
    await lab.terminal.untilGone("pod", "paused", NAMESPACE);
    await lab.untilPhase("new", "Completed");
  });

  await t.step("one that is deleted and made again at once prints again", async () => {
    await lab.remove("prt", "new", "--wait=false");
    await waitFor("prt new to be taken again", async () => {
      await lab.create(printer("new", { textToPrint: "again" }));
      return true;
    });
    const owner = await lab.untilPhase("new", "Completed");
    assert.equal(owner.status.output, "again");
  });

  await t.step("deletion leaves nothing", async () => {
    await lab.plane.kubectl(["delete", "prt", "--all", "-n", NAMESPACE, "--timeout=180s"]);
    await waitUntil("no Pod and no Job to be left", async () => {
      const kinds = await Promise.all(["pods", "jobs"].map((kind) => lab.terminal.list(kind, "-n", NAMESPACE)));
      return kinds.flat().map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    }, (left) => left.length === 0);
    await lab.idle();
  });
});
