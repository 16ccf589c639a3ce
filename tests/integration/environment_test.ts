/**
 * From a commit in a git repository to a Ready environment, with a real git server, the real renderer and a real API
 * server.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { KubeObject } from "../../lib/api/object.ts";
import { auditMark, brief, requestsSince, writes } from "../audit.ts";
import { startControlPlane } from "../control_plane/control_plane.ts";
import { install } from "../installed.ts";
import { waitFor, waitUntil } from "../wait.ts";
import { environment, EnvironmentTerminal, planned, project, Repository, TEAM, webObjects } from "./environments.ts";
import { HOSTILE, hostileFiles } from "./hostile_sources.ts";
import { condition, OPERATOR } from "./previews.ts";

const FLAGS = ["--domain=preview.test", "--tls=none", "--git-allow-loopback=true"];

const CHART = {
  "chart/Chart.yaml": { apiVersion: "v2", name: "shop", version: "0.1.0" },
  "chart/values.yaml": { text: "hello", image: { repository: "ghcr.io/acme/web", tag: "v1" } },
  "chart/templates/app.yaml": `apiVersion: apps/v1
kind: Deployment
metadata: {name: "{{ .Release.Name }}-web"}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: app
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
          env: [{name: TEXT, value: "{{ .Values.text }}"}]
---
apiVersion: v1
kind: Service
metadata: {name: "{{ .Release.Name }}-web"}
spec: {selector: {app: web}, ports: [{name: http, port: 80}]}
`,
};
const KUSTOMIZATION = {
  "base/all.yaml": webObjects("web", "base"),
  "base/kustomization.yaml": { resources: ["all.yaml"] },
  "overlays/pr/kustomization.yaml": { resources: ["../../base"], namePrefix: "pr-" },
};

/** As many charts have it. */
function managedByHelm([deployment, ...others]: KubeObject[]): KubeObject[] {
  deployment!.spec.template.metadata.labels["app.kubernetes.io/managed-by"] = "Helm";
  return [deployment!, ...others];
}

function textOf(deployment: KubeObject | undefined): string {
  return deployment?.spec.template.spec.containers[0].env.find(({ name }: { name: string }) => name === "TEXT")?.value;
}

Deno.test("Environments come from commits", async (t) => {
  await using plane = await startControlPlane({ nodes: 1 });
  await using installed = await install(plane, { flags: FLAGS });
  await using repository = await Repository.open();
  const at = new EnvironmentTerminal(plane);
  await plane.kubectl(["create", "namespace", TEAM]);
  const first = await repository.commit({
    ...{ ...CHART, ...KUSTOMIZATION, "manifests/web.yaml": webObjects("web", "one") },
    ...hostileFiles(),
    "crash/web.yaml": managedByHelm(webObjects("crash", "one")),
  });
  const source = { commitSha: first };

  await t.step("without its Project an Environment waits", async () => {
    await at.create(environment("plain", "shop", { source }));
    await at.untilReason("plain", "ProjectMissing");
  });

  await t.step("plain manifests: from commit to Ready, with a URL", async () => {
    await at.create(project("shop", repository.url));
    const found = await at.untilEnv("plain", "Ready", first);
    assert.equal(found.status.url, "http://plain.preview.test");
    assert.equal(found.status.namespace, "acme-shop-plain");
    const ingress = await at.get("ingress", "maquette", "acme-shop-plain");
    assert.equal(ingress!.spec.rules[0].host, "plain.preview.test");
  });

  await t.step("a second commit rolls, and what left the source goes", async () => {
    const second = await repository.commit({ "manifests/web.yaml": webObjects("web", "two") });
    const config = { envVars: [{ name: "LOG_LEVEL", value: "debug" }] };
    await at.patch("env", "plain", { spec: { source: { commitSha: second }, config } }, TEAM);
    await at.untilEnv("plain", "Ready", second);
    const app = await at.get("deployment", "web", "acme-shop-plain");
    assert.equal(textOf(app), "two");
    assert.deepEqual(app!.spec.template.spec.containers[0].env.at(-1), { name: "LOG_LEVEL", value: "debug" });
  });

  await t.step("a Helm chart, with the Project's values; a change of the Project rolls its environments", async () => {
    const deployment = { type: "helm", path: "chart", values: { text: "values" } };
    await at.create(project("charted", repository.url, { deployment }));
    await at.create(environment("helm", "charted", { source }));
    const found = await at.untilEnv("helm", "Ready", first);
    assert.equal(found.status.service, "charted-web");
    assert.equal(textOf(await at.get("deployment", "charted-web", "acme-charted-helm")), "values");
    const mark = await auditMark(plane.auditLogPath!);
    await at.patch("proj", "charted", { spec: { deployment: { values: { text: "newer" } } } }, TEAM);
    await waitFor(
      "the new values to be deployed",
      async () => textOf(await at.get("deployment", "charted-web", "acme-charted-helm")) === "newer",
    );
    await at.untilEnv("helm", "Ready", first);
    const made = writes(await requestsSince(plane.auditLogPath!, mark, OPERATOR));
    assert.ok(!JSON.stringify(made).includes("acme-shop-plain"), "another Project's environment is not touched");
  });

  await t.step("a kustomization", async () => {
    const deployment = { type: "kustomize", path: "overlays/pr" };
    await at.create(project("layered", repository.url, { deployment }));
    await at.create(environment("kustomize", "layered", { source }));
    const found = await at.untilEnv("kustomize", "Ready", first);
    assert.equal(found.status.service, "pr-web");
  });

  await t.step("a plan shows the same without a cluster, from a folder", async () => {
    const deployment = { type: "helm", path: "chart", values: { text: "planned" } };
    const file = [project("charted", repository.url, { deployment }), environment("helm", "charted", { source })];
    const text = file.map((object) => JSON.stringify(object)).join("\n---\n");
    const args = ["plan", "-f", "-", "--source", repository.folder, ...FLAGS];
    const objects = await planned(args, text);
    const app = objects.find(({ kind }) => kind === "Deployment")!;
    assert.deepEqual([app.metadata.name, textOf(app)], ["charted-web", "planned"]);
    const ingress = objects.find(({ kind }) => kind === "Ingress")!;
    assert.equal(ingress.spec.rules[0].host, "helm.preview.test");
  });

  for (const [name, { message }] of Object.entries(HOSTILE)) {
    await t.step(`a source is refused by name, and nothing of it exists: ${name}`, async () => {
      const deployment = { type: HOSTILE[name]!.type ?? "manifest", path: `hostile/${name}` };
      await at.create(project(`hostile-${name}`, repository.url, { deployment }));
      await at.create(environment(`bad-${name}`, `hostile-${name}`, { source }));
      const found = await at.untilEnv(`bad-${name}`, "Failed");
      const conditions = ["SourceReady", "DeploymentReady"].map((type) => condition(found, type)!.message);
      assert.match(conditions.join(" "), message);
      const { namespace } = found.status;
      const { stdout } = await plane.kubectl(["get", "deployments,services,pods,roles", "-n", namespace, "-o", "name"]);
      assert.equal(stdout, "");
    });
  }

  await t.step("and nothing of it exists beyond the environments", async () => {
    assert.equal(await at.get("clusterrole", "hostile"), undefined);
    assert.equal(await at.get("configmap", "elsewhere", "default"), undefined);
  });

  await t.step("what is deleted or changed by hand comes back", async () => {
    const key = ["deployment", "web", "acme-shop-plain"] as const;
    const { uid } = (await at.get(...key))!.metadata;
    await at.remove(...key);
    await waitFor("the Deployment", async () => ((await at.get(...key))?.metadata.uid ?? uid) !== uid);
    await at.patch("deployment", "web", { spec: { replicas: 3 } }, "acme-shop-plain");
    await waitFor("the number of Pods", async () => (await at.get(...key))!.spec.replicas === 1);
    await at.untilEnv("plain", "Ready");
  });

  await t.step("an application that crashes is Failed with its exit code and log", async () => {
    await at.create(project("crash", repository.url, { deployment: { type: "manifest", path: "crash" } }));
    await at.create(environment("crashing", "crash", { source }));
    await at.untilEnv("crashing", "Failed");
    await waitUntil(
      "the log to be told",
      async () => condition(await at.env("crashing"), "DeploymentReady")!.message,
      (message) => /exited with code 1[^]*last lines of its log:\n.+/.test(message),
    );
    // It restarts again and again, and says how often.
    await plane.kubectl(["delete", "env", "crashing", "-n", TEAM, "--timeout=180s"]);
  });

  await t.step("a namespace that somebody else made is not touched", async () => {
    await plane.kubectl(["create", "namespace", "acme-shop-taken"]);
    await at.create(environment("taken", "shop", { source }));
    await at.untilReason("taken", "NotOwned");
    await plane.kubectl(["delete", "env", "taken", "-n", TEAM, "--timeout=120s"]);
    assert.equal((await at.get("namespace", "acme-shop-taken"))!.metadata.deletionTimestamp, undefined);
    await plane.kubectl(["delete", "namespace", "acme-shop-taken", "--wait=false"]);
  });

  await t.step("Secrets are copied, kept in step, and shown nowhere", async () => {
    await plane.kubectl(["create", "secret", "generic", "database", "-n", TEAM, "--from-literal=password=hunter2"]);
    await at.patch("proj", "shop", { spec: { secrets: ["database"] } }, TEAM);
    const copy = (): Promise<KubeObject | undefined> => at.get("secret", "database", "acme-shop-plain");
    await waitFor("the copy", async () => (await copy())?.data.password === btoa("hunter2"));
    await at.patch("secret", "database", { stringData: { password: "hunter3" } }, TEAM);
    await waitFor("the newer copy", async () => (await copy())?.data.password === btoa("hunter3"));
    const shown = JSON.stringify(await at.env("plain")) + await installed.log();
    assert.doesNotMatch(shown, /hunter|aHVudGVy/);
  });

  await t.step("the second of two that name one namespace is told so at admission", async () => {
    const twin = environment("plain-twin", "shop", { source, namespace: "acme-shop-plain" });
    assert.match(await at.refusal(twin), /belongs to another Environment already: "acme\/plain"/);
  });

  await t.step("a restart writes nothing", async () => {
    await at.untilEnv("plain", "Ready");
    await installed.stop();
    const mark = await auditMark(plane.auditLogPath!);
    await installed.start();
    // Each is looked at when it is listed, when its source is there, and when it is rendered.
    const looks = 3 * (await at.list("env", "-n", TEAM)).length;
    const labels = { kind: "Environment" };
    await waitFor(
      "all environments to be looked at",
      async () => await installed.metric("maquette_reconcile_duration_seconds_count", labels) >= looks,
    );
    await waitFor("the operator to be idle", async () => await installed.metric("maquette_queue_depth") === 0);
    const made = writes(await requestsSince(plane.auditLogPath!, mark, OPERATOR));
    assert.deepEqual(made.map(brief), []);
  });

  await t.step("a Project waits for its Environments, and names them", async () => {
    await plane.kubectl(["delete", "proj", "shop", "-n", TEAM, "--wait=false"]);
    const found = await waitUntil(
      "the Project to say what it waits for",
      () => at.get("proj", "shop", TEAM),
      (object) => condition(object, "Stalled")?.reason === "EnvironmentsExist",
    );
    assert.match(condition(found, "Stalled")!.message, /"acme\/plain"/);
  });

  await t.step("deletion leaves nothing", async () => {
    await plane.kubectl(["delete", "env", "--all", "-n", TEAM, "--timeout=180s"]);
    await at.untilGone("proj", "shop", TEAM);
    const { stdout } = await plane.kubectl(["get", "namespaces", "-o", "name"]);
    assert.doesNotMatch(stdout, /acme-/);
    await waitFor("the checkouts to be gone", async () => {
      for await (const _ of Deno.readDir(`${plane.folder}/sources/entries`)) return false;
      return true;
    });
  });
});
