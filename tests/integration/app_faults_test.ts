/**
 * Applications that go and that stay where something is wrong: Pods that were evicted, specs that the API server
 * refuses, backups that cannot start, namespaces that are deleted, an operator that is killed at every step.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { KubeObject } from "../../lib/api/object.ts";
import { startControlPlane } from "../control_plane/control_plane.ts";
import { install } from "../installed.ts";
import { JobRunner } from "../jobs/runner.ts";
import { waitFor, waitUntil } from "../wait.ts";
import { app, AppTerminal, claim, TEAM } from "./apps.ts";
import { condition } from "./previews.ts";

const IMAGE = "local.test/tools-unready:1";
const VOLUME = { storage: { size: "1Gi" } };
const SAVED = { tool: "volume", destination: { pvc: { claimName: "backups" } }, timeoutSeconds: 600 };
const DUMPED = { ...SAVED, tool: "pg_dump", database: { host: "db.invalid", name: "shop", secretRef: { name: "db" } } };

Deno.test("applications go, and are saved, whatever is wrong", async (t) => {
  await using plane = await startControlPlane();
  const flags = ["--tls=none", `--backup-image=${IMAGE}`, `--backup-store-image=${IMAGE}`];
  await using operator = await install(plane, { flags });
  await using runner = await JobRunner.start(plane);
  const terminal = await AppTerminal.open(plane);
  await terminal.create(claim("backups"));

  const running = async (name: string, spec: Record<string, unknown>): Promise<void> => {
    await terminal.create(app(name, spec));
    await terminal.untilAppPhase(name, "Running");
  };
  const remove = (name: string, ...args: string[]): Promise<void> =>
    terminal.remove("papp", name, TEAM, "--wait=false", ...args);
  const podsOf = (name: string): Promise<KubeObject[]> =>
    terminal.list("pods", "-n", TEAM, "-l", `app.kubernetes.io/name=${name}-deployment`);
  const archivesOf = async (name: string): Promise<string[]> => {
    const names: string[] = [];
    for await (const entry of Deno.readDir(await runner.claim(TEAM, "backups"))) names.push(entry.name);
    return names.filter((each) => each.includes(`.${name}-`) && each.endsWith(".tar.gz"));
  };
  /** Reasons of Ready, each once, until it is gone. */
  const watched = async (name: string, at: (reason: string) => Promise<void> = async () => {}): Promise<string[]> => {
    const reasons: string[] = [];
    await waitFor(`${name} to be gone`, async () => {
      const object = await terminal.app(name);
      const reason = object?.metadata.deletionTimestamp && condition(object, "Ready")?.reason;
      if (reason && !reasons.includes(reason)) {
        reasons.push(reason);
        await at(reason);
      }
      return object === undefined;
    }, 60_000);
    return reasons;
  };

  await t.step("a Pod that was evicted keeps no application from going", async () => {
    await running("evicted", {});
    const [pod] = await podsOf("evicted");
    const patch = JSON.stringify({
      status: { phase: "Failed", reason: "Evicted", message: "The node was low on disk" },
    });
    await plane.kubectl([
      ...["patch", "pod", pod!.metadata.name, "-n", TEAM, "--subresource=status", "--type=merge", "-p", patch],
    ]);
    await waitUntil("another Pod", () => podsOf("evicted"), ({ length }) => length === 2);
    await terminal.untilAppPhase("evicted", "Running");
    await remove("evicted");
    await terminal.untilGone("papp", "evicted", TEAM, 30_000);
  });

  await t.step("deleted in the foreground it is saved before its volume goes", async () => {
    await running("foreground", { ...VOLUME, config: { A: "1" }, replicas: 2, backup: SAVED });
    await remove("foreground", "--cascade=foreground");
    await watched("foreground");
    assert.equal((await archivesOf("foreground")).length, 1);
    assert.equal(await terminal.child("pvc", "foreground-data"), undefined);
  });

  await t.step("its Deployment deleted along with it, the Pods end before it is saved", async () => {
    await running("headless", { ...VOLUME, backup: SAVED });
    await plane.kubectl([
      ...["delete", "papp/headless", "deployment/headless-deployment", "-n", TEAM, "--wait=false"],
    ]);
    let left: unknown[] = [];
    await watched("headless", async (reason) => {
      if (reason === "BackingUp") left = await podsOf("headless");
    });
    assert.deepEqual(left, []);
    assert.equal((await archivesOf("headless")).length, 1);
  });

  await t.step("an Ingress that does not go is named, and nothing is drained before it has gone", async () => {
    await running("held", { ingress: { enabled: true } });
    const hold = (finalizers: string[] | null): Promise<unknown> =>
      terminal.patch("ingress", "held-ingress", { metadata: { finalizers } }, TEAM);
    await hold(["test.example.com/hold"]);
    await remove("held");
    const owner = await terminal.untilApp(
      "held",
      "to say what keeps it",
      (object) => condition(object, "Stalled")?.reason === "TrafficBlocked",
      90_000,
    );
    assert.match(
      condition(owner, "Stalled")!.message,
      /Ingress "team\/held-ingress" \(held by finalizers test\.example/,
    );
    assert.equal((await podsOf("held")).length, 1);
    await hold(null);
    await terminal.untilGone("papp", "held", TEAM, 30_000);
  });

  await t.step("a volume that its class does not let grow keeps no new version from rolling, and says so", async () => {
    await running("grown", VOLUME);
    await terminal.change("grown", { version: "v2", storage: { size: "2Gi" } });
    const isTold = (object: KubeObject): boolean => /resize/.test(condition(object, "Ready")?.message ?? "");
    const owner = await terminal.untilApp("grown", "to say what refuses", isTold);
    assert.deepEqual([condition(owner, "Ready")!.status, owner.status.replicas], ["False", 1]);
    const image = async (): Promise<string> =>
      (await terminal.child("deployment", "grown-deployment"))!.spec.template.spec.containers[0].image;
    assert.match(await image(), /:v2$/);
  });

  await t.step("a backup that cannot start says why, and starts anew when the spec is mended", async () => {
    await running("stuck", { ...VOLUME, backup: { ...SAVED, destination: { pvc: { claimName: "missing" } } } });
    await remove("stuck");
    const owner = await terminal.untilApp(
      "stuck",
      "to say what is missing",
      (object) => /persistentvolumeclaim "missing" not found/.test(condition(object, "Ready")?.message ?? ""),
    );
    assert.equal(condition(owner, "Stalled")?.reason, "BackupFailed");
    await terminal.change("stuck", { backup: { destination: { pvc: { claimName: "backups" } } } });
    await terminal.untilGone("papp", "stuck", TEAM, 30_000);
    assert.equal((await archivesOf("stuck")).length, 1);
  });

  await t.step("what has no volume has none to save", async () => {
    await running("bare", { backup: SAVED });
    await remove("bare");
    await terminal.untilGone("papp", "bare", TEAM, 30_000);
  });

  await t.step("a volume for one Pod alone lets a new version start when the old one has ended", async () => {
    await running("alone", { storage: { size: "1Gi", accessModes: ["ReadWriteOncePod"] } });
    await terminal.change("alone", { version: "v2" });
    await terminal.untilApp("alone", "to roll", ({ status }) => status.version === "v2" && status.phase === "Running");
  });

  await t.step("killed at any step, the operator goes on where it was", async () => {
    for (const step of ["StoppingTraffic", "Draining", "BackingUp"]) {
      const name = `killed-${step.toLowerCase()}`;
      await running(name, { ...VOLUME, backup: SAVED });
      await Deno.writeTextFile(join(await runner.claim(TEAM, `${name}-data`), "file"), "text");
      await remove(name);
      await watched(name, async (reason) => {
        if (reason !== step) return;
        await operator.stop("SIGKILL");
        await operator.start();
      });
      assert.equal((await archivesOf(name)).length, 1, step);
      assert.equal(await terminal.child("pvc", `${name}-data`), undefined, step);
    }
  });

  await t.step("with its namespace an application goes without a backup, if it may", async () => {
    await plane.kubectl(["create", "namespace", "going"]);
    const backup = { ...DUMPED, onFailure: "Continue" };
    await terminal.create({ ...app("going", { ...VOLUME, backup }), metadata: { name: "going", namespace: "going" } });
    await plane.kubectl(["wait", "--for=condition=Ready", "papp/going", "-n", "going", "--timeout=180s"]);
    await plane.kubectl(["delete", "namespace", "going", "--wait=false"]);
    await terminal.untilGone("namespace", "going", "default", 60_000);
  });

  await t.step("with Block it keeps its namespace, says so, and lets it go when it may", async () => {
    await plane.kubectl(["create", "namespace", "held"]);
    await terminal.create({
      ...app("held", { ...VOLUME, backup: DUMPED }),
      metadata: { name: "held", namespace: "held" },
    });
    await plane.kubectl(["wait", "--for=condition=Ready", "papp/held", "-n", "held", "--timeout=180s"]);
    await plane.kubectl(["delete", "namespace", "held", "--wait=false"]);
    const owner = await waitUntil(
      "it to say so",
      () => terminal.get("papp", "held", "held"),
      (object) => condition(object, "Stalled")?.reason === "BackupFailed",
    );
    assert.match(condition(owner, "Stalled")!.message, /Namespace "held" is being deleted.*onFailure/);
    await terminal.patch("papp", "held", { spec: { backup: { onFailure: "Continue" } } }, "held");
    await terminal.untilGone("namespace", "held", "default", 60_000);
  });
});
