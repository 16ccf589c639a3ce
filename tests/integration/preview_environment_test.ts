/**
 * PreviewEnvironments through kubectl alone, as a new user would: against a real API server, real controllers and the
 * operator as its own process under its own ServiceAccount.
 */
import assert from "node:assert/strict";
import { statusRules } from "../../lib/runtime/status_rules.ts";
import { startControlPlane } from "../control_plane/control_plane.ts";
import { install, NAMESPACE } from "../installed.ts";
import { waitFor, waitUntil } from "../wait.ts";
import { condition, preview, Terminal } from "./previews.ts";

Deno.test("a preview environment through kubectl alone", async (t) => {
  await using plane = await startControlPlane();
  await using operator = await install(plane, { flags: ["--tls=wildcard", "--cleanup-deadline-seconds=3"] });
  const terminal = new Terminal(plane);
  const step = (name: string, run: () => Promise<void>): Promise<boolean> =>
    t.step(name, async () => {
      await run();
      for (const object of await terminal.list("prenv", "--all-namespaces")) assert.deepEqual(statusRules(object), []);
    });
  const image = async (pr: number): Promise<string> =>
    (await terminal.get("deployment", `pr-${pr}-app`, `preview-pr-${pr}`))?.spec.template.spec.containers[0].image;

  await step("without the wildcard Secret it is Stalled and says which one is missing", async () => {
    await terminal.create(preview(7));
    const owner = await terminal.untilReason("pr-7", "SourceMissing");
    assert.equal(owner.status.phase, "Failed");
    assert.match(condition(owner, "Stalled")!.message, /Secret "preview-wildcard-tls" .*namespace "maquette-system"/);
  });

  await step("with the Secret it becomes Ready, and kubectl get tells all of it", async () => {
    const data = { "tls.crt": btoa("certificate"), "tls.key": btoa("key") };
    await terminal.create({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "preview-wildcard-tls", namespace: NAMESPACE },
      type: "kubernetes.io/tls",
      data,
    });
    await plane.kubectl(["wait", "--for=condition=Ready", "prenv/pr-7", "--timeout=180s"]);
    const { stdout } = await plane.kubectl(["get", "prenv"]);
    assert.match(stdout, /NAME +PR +PHASE +URL +IMAGE +EXPIRES +AGE/);
    assert.match(stdout, /pr-7 +7 +Ready +https:\/\/pr-7\.preview\.localhost +ghcr\.io\/acme\/shop:v1 +20\d\d-/);
    const copy = await terminal.get("secret", "preview-wildcard-tls", "preview-pr-7");
    assert.deepEqual(copy?.data, data);
    assert.equal(copy?.type, "kubernetes.io/tls");
  });

  await step("the wildcard Secret's renewal reaches the copy", async () => {
    await terminal.patch("secret", "preview-wildcard-tls", { data: { "tls.crt": btoa("renewed") } }, NAMESPACE);
    await waitUntil(
      "the copy to be renewed",
      async () => (await terminal.get("secret", "preview-wildcard-tls", "preview-pr-7"))?.data["tls.crt"],
      (value) => value === btoa("renewed"),
    );
  });

  await step("all children carry our labels, and the namespace its own", async () => {
    const owner = (await terminal.get("prenv", "pr-7"))!;
    for (const entry of owner.status.inventory) {
      const child = await terminal.get(entry.kind, entry.name, entry.namespace ?? "default");
      assert.equal(child?.metadata.labels?.["app.kubernetes.io/managed-by"], "maquette", entry.name);
      assert.equal(child?.metadata.labels?.["maquette.dev/owner-uid"], owner.metadata.uid, entry.name);
      assert.equal(
        child?.metadata.annotations?.["maquette.dev/owner"],
        "PreviewEnvironment.devops.orima.com/default/pr-7",
      );
    }
    const namespace = (await terminal.get("namespace", "preview-pr-7"))!;
    assert.equal(namespace.metadata.labels!["pr-number"], "7");
    assert.equal(namespace.metadata.labels!["pod-security.kubernetes.io/enforce"], "baseline");
  });

  await step("a new tag rolls the Deployment", async () => {
    await terminal.patch("prenv", "pr-7", { spec: { image_tag: "v2" } });
    await terminal.untilPhase("pr-7", "Ready");
    assert.equal(await image(7), "ghcr.io/acme/shop:v2");
  });

  await step("an image that does not exist is Failed with the reason, and the old version keeps serving", async () => {
    await terminal.patch("prenv", "pr-7", { spec: { image_tag: "missing" } });
    await waitUntil(
      "the reason to be told",
      () => terminal.get("prenv", "pr-7"),
      (object) =>
        object?.status.phase === "Failed" &&
        /cannot pull image "ghcr\.io\/acme\/shop:missing".*keeps serving/s.test(condition(object, "Ready")!.message),
    );
    assert.equal((await terminal.get("deployment", "pr-7-app", "preview-pr-7"))?.status.availableReplicas, 1);
  });

  await step("an image that crashes is Failed with exit code and log", async () => {
    await terminal.patch("prenv", "pr-7", { spec: { image_tag: "crash" } });
    const owner = await waitUntil(
      "the crash to be told",
      () => terminal.get("prenv", "pr-7"),
      (object) =>
        /exited with code 1.*the last lines of its log:\n.*panic/s.test(condition(object, "Ready")?.message ?? "") &&
        object!.status.phase === "Failed",
    );
    assert.equal(condition(owner, "Stalled")?.status, "True");
  });

  await step("mended, it is Ready again, and the history tells what happened", async () => {
    await terminal.patch("prenv", "pr-7", { spec: { image_tag: "v3" } });
    const owner = await terminal.untilPhase("pr-7", "Ready");
    const outcomes = owner.status.history.map((entry: { outcome: string; image: string }) =>
      `${entry.outcome} ${entry.image}`
    );
    assert.equal(outcomes[0], "Ready ghcr.io/acme/shop:v3");
    assert.ok(outcomes.includes("Failed ghcr.io/acme/shop:missing"), String(outcomes));
    const reasons = await terminal.eventReasons("pr-7");
    for (const reason of ["Ready", "ImagePullBackOff", "SourceMissing"]) {
      assert.ok(reasons.includes(reason), String(reasons));
    }
  });

  await step("a child that is deleted or edited by hand comes back", async () => {
    for (
      const [kind, name] of [["service", "pr-7-svc"], ["ingress", "pr-7-ingress"], [
        "networkpolicy",
        "default-deny",
      ]] as const
    ) {
      await terminal.remove(kind, name, "preview-pr-7");
      await waitFor(`${kind} to be back`, () => terminal.get(kind, name, "preview-pr-7"));
    }
    await terminal.patch("networkpolicy", "default-deny", { spec: { ingress: [{}] } }, "preview-pr-7");
    await waitUntil(
      "the opened policy to be closed",
      async () => (await terminal.get("networkpolicy", "default-deny", "preview-pr-7"))?.spec.ingress,
      (ingress) => ingress === undefined,
    );
    await plane.kubectl(["-n", "preview-pr-7", "set", "image", "deployment/pr-7-app", "app=evil:v1"]);
    await waitUntil("the image to be set back", () => image(7), (name) => name === "ghcr.io/acme/shop:v3");
    await terminal.patch("secret", "preview-wildcard-tls", { data: { "tls.key": btoa("forged") } }, "preview-pr-7");
    await waitUntil(
      "the copied Secret to be set back",
      async () => (await terminal.get("secret", "preview-wildcard-tls", "preview-pr-7"))?.data["tls.key"],
      (value) => value === btoa("key"),
    );
    await terminal.untilPhase("pr-7", "Ready");
    assert.ok((await terminal.eventReasons("pr-7")).includes("Repaired"));
  });

  await step("a namespace that is deleted by hand comes back with everything in it", async () => {
    const { uid } = (await terminal.get("namespace", "preview-pr-7"))!.metadata;
    await terminal.remove("namespace", "preview-pr-7");
    await waitFor("a new namespace", async () => {
      const namespace = await terminal.get("namespace", "preview-pr-7");
      return namespace && namespace.metadata.uid !== uid && !namespace.metadata.deletionTimestamp;
    });
    await terminal.untilPhase("pr-7", "Ready");
  });

  await step("paused, nothing is changed until it is taken back", async () => {
    await plane.kubectl(["annotate", "prenv", "pr-7", "maquette.dev/paused=true"]);
    await waitUntil(
      "it to say so",
      () => terminal.get("prenv", "pr-7"),
      (o) => condition(o, "Paused")?.status === "True",
    );
    await terminal.patch("prenv", "pr-7", { spec: { image_tag: "v4" } });
    const owner = await terminal.untilReason("pr-7", "Paused");
    assert.match(condition(owner, "Ready")!.message, /1 change waits/);
    assert.equal(await image(7), "ghcr.io/acme/shop:v3");
    await plane.kubectl(["annotate", "prenv", "pr-7", "maquette.dev/paused-"]);
    await terminal.untilPhase("pr-7", "Ready");
    assert.equal(await image(7), "ghcr.io/acme/shop:v4");
  });

  await step("extended, it expires later", async () => {
    const before = (await terminal.get("prenv", "pr-7"))!.status.expiresAt;
    const until = new Date(Date.parse(before) + 3_600_000).toISOString().replace(".000Z", "Z");
    await plane.kubectl(["annotate", "prenv", "pr-7", `maquette.dev/extend-until=${until}`]);
    await waitUntil(
      "it to be extended",
      async () => (await terminal.get("prenv", "pr-7"))!.status.expiresAt,
      (at) => at === until,
    );
  });

  await step("pr_number cannot be changed", async () => {
    await assert.rejects(terminal.patch("prenv", "pr-7", { spec: { pr_number: 8 } }), /pr_number.*[Ii]mmutable/s);
  });

  await step("a second one for the same environment is refused, naming the first", async () => {
    assert.match(await terminal.refusal(preview(7, {}, { name: "other" })), /default\/pr-7/);
    const elsewhere = preview(7, { namespace: "elsewhere" }, { name: "other" });
    assert.match(await terminal.refusal(elsewhere), /Host .*default\/pr-7/);
  });

  await step("registry ports and digests are valid images", async () => {
    const digest = `sha256:${"a".repeat(64)}`;
    await terminal.create(preview(70, { image: "localhost:5000/app:v1", image_tag: undefined }));
    await terminal.create(preview(71, { image: `ghcr.io/acme/shop@${digest}`, image_tag: undefined }));
    await terminal.untilPhase("pr-70", "Ready");
    await terminal.untilPhase("pr-71", "Ready");
    assert.equal(await image(70), "localhost:5000/app:v1");
    assert.equal(await image(71), `ghcr.io/acme/shop@${digest}`);
    await Promise.all([terminal.remove("prenv", "pr-70"), terminal.remove("prenv", "pr-71")]);
  });

  await step("a namespace that somebody else made is untouched by creation and deletion", async () => {
    await terminal.create(
      { apiVersion: "v1", kind: "Namespace", metadata: { name: "preview-pr-9" } },
      {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "data", namespace: "preview-pr-9" },
        data: { precious: "yes" },
      },
    );
    const before = await terminal.get("namespace", "preview-pr-9");
    await terminal.create(preview(9));
    const owner = await terminal.untilReason("pr-9", "NotOwned");
    assert.match(condition(owner, "Stalled")!.message, /Namespace "preview-pr-9"/);
    await terminal.remove("prenv", "pr-9", "default", "--timeout=120s");
    assert.deepEqual(await terminal.get("namespace", "preview-pr-9"), before);
    assert.equal((await terminal.get("configmap", "data", "preview-pr-9"))?.data.precious, "yes");
  });

  await step("when that namespace is deleted by its owner, a waiting environment takes its place", async () => {
    await terminal.create(preview(9));
    await terminal.untilReason("pr-9", "NotOwned");
    await terminal.remove("namespace", "preview-pr-9");
    await terminal.untilPhase("pr-9", "Ready");
    await terminal.remove("prenv", "pr-9");
  });

  await step("two repositories can both have PR 7", async () => {
    await terminal.create(preview(7, { repository: "acme/shop" }, { name: "shop-7" }));
    await terminal.create(preview(7, { repository: "acme/site" }, { name: "site-7" }));
    const [shop, site] = [await terminal.untilPhase("shop-7", "Ready"), await terminal.untilPhase("site-7", "Ready")];
    assert.equal(shop.status.namespace, "preview-acme-shop-pr-7");
    assert.equal(shop.status.url, "https://pr-7-acme-shop.preview.localhost");
    assert.notEqual(site.status.url, shop.status.url);
    await plane.kubectl(["delete", "prenv", "shop-7", "site-7"]);
  });

  await step("Secrets and ConfigMaps that it names are copied, kept in step and pruned", async () => {
    const envFrom = [{ configMapRef: { name: "settings" } }, { secretRef: { name: "absent", optional: true } }];
    await terminal.create(
      { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "settings", namespace: "default" }, data: { A: "1" } },
      preview(72, { env_from: envFrom, image_pull_secrets: [{ name: "pull" }] }),
    );
    const owner = await terminal.untilReason("pr-72", "SourceMissing");
    assert.match(condition(owner, "Ready")!.message, /Secret "pull"/);
    await plane.kubectl([
      "create",
      "secret",
      "docker-registry",
      "pull",
      "--docker-server=ghcr.io",
      "--docker-username=u",
      "--docker-password=p",
    ]);
    await terminal.untilPhase("pr-72", "Ready");
    assert.equal((await terminal.get("secret", "pull", "preview-pr-72"))?.type, "kubernetes.io/dockerconfigjson");
    await terminal.patch("configmap", "settings", { data: { A: "2" } });
    await waitUntil(
      "the copy to follow",
      async () => (await terminal.get("configmap", "settings", "preview-pr-72"))?.data.A,
      (a) => a === "2",
    );
    await terminal.patch("prenv", "pr-72", { spec: { env_from: null } });
    await terminal.untilGone("configmap", "settings", "preview-pr-72");
    await terminal.untilPhase("pr-72", "Ready");
    await terminal.remove("prenv", "pr-72");
  });

  await step("deleted and created again at once, it is Ready when the old namespace is gone", async () => {
    await terminal.remove("prenv", "pr-7", "default", "--wait=false");
    await terminal.untilGone("prenv", "pr-7");
    await terminal.create(preview(7));
    await terminal.untilPhase("pr-7", "Ready");
  });

  await step("a deletion that is stuck says what blocks it, and goes on when it is freed", async () => {
    await terminal.create({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "stuck", namespace: "preview-pr-7", finalizers: ["example.com/held"] },
    });
    await terminal.remove("prenv", "pr-7", "default", "--wait=false");
    const owner = await waitUntil(
      "it to name the blocker",
      () => terminal.get("prenv", "pr-7"),
      (object) => /stuck.*example\.com\/held/s.test(condition(object, "Stalled")?.message ?? ""),
    );
    assert.equal(condition(owner, "Ready")?.reason, "DeletionBlocked");
    await terminal.patch("configmap", "stuck", { metadata: { finalizers: null } }, "preview-pr-7");
    await terminal.untilGone("prenv", "pr-7");
    await terminal.untilGone("namespace", "preview-pr-7");
  });

  await t.step("nothing is left, and the metrics say so", async () => {
    await waitFor(
      "no environment to be left",
      async () => (await terminal.list("prenv", "--all-namespaces")).length === 0,
    );
    const left = await terminal.list("namespaces", "-l", "app.kubernetes.io/managed-by=maquette");
    await Promise.all(left.map((namespace) => terminal.untilGone("namespace", namespace.metadata.name)));
    assert.equal(await operator.metric("preview_environments_active"), 0);
    assert.equal(await operator.metric("maquette_watch_missed_events_total"), 0);
    assert.equal(
      await operator.metric("preview_environments_reconcile_total"),
      0,
      "labels of pull requests must go with them",
    );
    assert.ok(await operator.metric("preview_environment_creation_duration_seconds_count") >= 7);
  });

  await t.step("SIGTERM ends it with exit code 0", async () => {
    assert.equal(await operator.stop(), 0);
  });
});
