/**
 * Deploying as an environment's ServiceAccount, against a real API server: what becomes of an application.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { KubeObject } from "../../lib/api/object.ts";
import type { Hook } from "../../lib/deploy/hooks.ts";
import { serviceAccountUser } from "../../lib/kube/impersonation.ts";
import { auditMark, brief, requestsSince, writes } from "../audit.ts";
import { startControlPlane } from "../control_plane/control_plane.ts";
import { waitFor } from "../wait.ts";
import { application, deployment, migration } from "./deployed_objects.ts";
import { ACCOUNT, applied, Deployments, environmentObjects, OPERATOR, refused } from "./deployments.ts";

const SHOP = "shop-pr-7";

function hook(image: string): Hook {
  const template = { spec: { restartPolicy: "Never", containers: [{ name: "main", image }] } };
  const metadata = { name: "before" };
  return {
    object: { apiVersion: "batch/v1", kind: "Job", metadata, spec: { backoffLimit: 0, template } },
    events: ["pre-install", "pre-upgrade"],
    weight: 0,
    deletePolicies: ["before-hook-creation"],
  };
}

function without(objects: KubeObject[], ...names: string[]): KubeObject[] {
  return objects.filter(({ kind, metadata }) => !names.includes(`${kind}/${metadata.name}`));
}

Deno.test("an application is deployed as its environment's ServiceAccount", async (t) => {
  await using plane = await startControlPlane({ nodes: 1 });
  await using bench = await Deployments.install(plane);
  await applied(plane, environmentObjects(SHOP));
  const objects = application();

  await t.step("the account has the groups of a ServiceAccount, although none is sent", async () => {
    const kube = bench.kube.with({ impersonate: serviceAccountUser(SHOP, ACCOUNT) });
    const review = await kube.request({
      method: "POST",
      path: "/apis/authentication.k8s.io/v1/selfsubjectreviews",
      body: { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" },
      counts: { verb: "create", resource: "selfsubjectreviews" },
    }, (response) => response.json());
    assert.deepEqual(review.status.userInfo, {
      username: `system:serviceaccount:${SHOP}:${ACCOUNT}`,
      groups: ["system:serviceaccounts", `system:serviceaccounts:${SHOP}`, "system:authenticated"],
    });
  });

  await t.step("all of it becomes ready, a custom resource too", async () => {
    const report = await bench.untilReady(SHOP, objects);
    assert.equal(report.deployed, "r1");
    assert.equal(report.inventory.length, objects.length);
    const owners = await plane.kubectl([
      "get",
      "deployment",
      "shop",
      "-n",
      SHOP,
      "-o",
      "json",
      "--show-managed-fields",
    ]);
    const { metadata } = JSON.parse(owners.stdout);
    assert.equal(
      metadata.managedFields.find((each: { operation: string }) => each.operation === "Apply").manager,
      "maquette",
    );
  });

  await t.step("a restart over it writes nothing", async () => {
    const log = plane.auditLogPath;
    const mark = log ? await auditMark(log) : 0;
    await bench.restart();
    const report = await bench.look(SHOP, objects);
    assert.equal(report.state, "ready");
    assert.deepEqual(report.changes.update.map((each) => `${each.observed.kind}: ${each.why}`), []);
    const requests = log ? await requestsSince(log, mark, OPERATOR) : [];
    assert.deepEqual(writes(requests).map(brief), []);
  });

  await t.step("what is changed or deleted by hand comes back", async () => {
    await plane.kubectl(["patch", "widget", "w", "-n", SHOP, "--type=merge", "-p", '{"spec":{"size":2}}']);
    await plane.kubectl([
      "patch",
      "configmap",
      "shop",
      "-n",
      SHOP,
      "--type=merge",
      "-p",
      '{"data":{"app.conf":"a=2"}}',
    ]);
    await plane.kubectl(["delete", "service", "shop", "-n", SHOP]);
    await waitFor("repairs", async () => {
      await bench.look(SHOP, objects);
      const [widget, config] = [await bench.find(SHOP, "widget", "w"), await bench.find(SHOP, "configmap", "shop")];
      return widget?.spec.size === 1 && config?.data["app.conf"] === "a=1\n" &&
        await bench.find(SHOP, "service", "shop");
    });
  });

  await t.step("a Job whose template changed is made anew", async () => {
    const before = await bench.find(SHOP, "job", "migrate");
    const changed = [...without(objects, "Job/migrate"), migration("2")];
    await bench.untilReady(SHOP, changed, { revision: "r2" });
    const after = await bench.find(SHOP, "job", "migrate");
    assert.notEqual(after!.metadata.uid, before!.metadata.uid);
    assert.deepEqual(after!.spec.template.spec.containers[0].args, ["2"]);
  });

  await t.step("a selector that changed is left as it is, and what to do is said", async () => {
    const { uid } = (await bench.find(SHOP, "deployment", "shop"))!.metadata;
    const labels = { app: "other" };
    const template = { metadata: { labels }, spec: { containers: [{ name: "app", image: "shop:v1" }] } };
    const changed = [
      ...without(objects, "Deployment/shop"),
      deployment("shop", { selector: { matchLabels: labels }, template }),
    ];
    await refused(
      bench.look(SHOP, changed),
      "ImmutableField",
      /Deployment "shop-pr-7\/shop"/,
      /spec\.selector/,
      /delete the object/,
    );
    assert.equal((await bench.find(SHOP, "deployment", "shop"))!.metadata.uid, uid);
  });

  await t.step("so are a StatefulSet and a binding", async () => {
    const database = objects.find(({ kind }) => kind === "StatefulSet")!;
    const renamed = { ...database, spec: { ...database.spec, serviceName: "other" } };
    await refused(bench.look(SHOP, [...without(objects, "StatefulSet/db"), renamed]), "ImmutableField", /StatefulSet/);
    const binding = objects.find(({ kind }) => kind === "RoleBinding")!;
    const bound = (kind: string, name: string): KubeObject[] => [
      ...without(objects, "RoleBinding/reads"),
      { ...binding, roleRef: { ...binding.roleRef, kind, name } },
    ];
    await refused(bench.look(SHOP, bound("ClusterRole", "view")), "ImmutableField", /RoleBinding/);
    await refused(bench.look(SHOP, bound("Role", "nobodys")), "Refused", /RoleBinding .* "nobodys" not found/);
  });

  await t.step("what left the source is deleted, claims stay", async () => {
    const fewer = without(objects, "Widget/w", "CronJob/clean", "Ingress/shop", "PersistentVolumeClaim/uploads");
    const report = await bench.untilReady(SHOP, fewer);
    for (const kind of ["widget", "cronjob", "ingress"]) {
      const name = { widget: "w", cronjob: "clean", ingress: "shop" }[kind]!;
      await waitFor(`${kind} to be gone`, async () => await bench.find(SHOP, kind, name) === undefined);
    }
    assert.ok(await bench.find(SHOP, "pvc", "uploads"));
    assert.deepEqual(report.warnings.length, 1);
    assert.match(
      report.warnings[0]!,
      /PersistentVolumeClaim "shop-pr-7\/uploads" is in the source no more and is kept/,
    );
    await bench.untilReady(SHOP, objects);
  });

  await t.step("an object of somebody else stays as it is", async () => {
    await plane.kubectl(["create", "configmap", "theirs", "-n", SHOP, "--from-literal=a=1"]);
    const ours = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "theirs" }, data: { a: "2" } };
    await refused(bench.look(SHOP, [...objects, ours]), "NotOwned", /ConfigMap "shop-pr-7\/theirs" exists/);
    const { data, metadata } = (await bench.find(SHOP, "configmap", "theirs"))!;
    assert.deepEqual([data, metadata.labels], [{ a: "1" }, undefined]);
  });

  await t.step("a hook runs once for a revision, before the objects", async () => {
    await bench.untilReady(SHOP, objects, { revision: "r3", hooks: [hook("shop:v1")] });
    const { uid } = (await bench.find(SHOP, "job", "before"))!.metadata;
    await bench.untilReady(SHOP, objects, { revision: "r3", hooks: [hook("shop:v1")] });
    assert.equal((await bench.find(SHOP, "job", "before"))!.metadata.uid, uid);
  });

  await t.step("and when it fails, its log is told and nothing of the revision is applied", async () => {
    const more = [...objects, { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "more" }, data: {} }];
    const failed = await waitFor("the hook to fail", async () => {
      const report = await bench.look(SHOP, more, { revision: "r4", hooks: [hook("shop:crash")] });
      return report.state === "failed" && report;
    });
    assert.equal(failed.reason, "HookFailed");
    assert.match(failed.message, /^Hook "pre-upgrade" \(Job "shop-pr-7\/before"\) failed \(BackoffLimitExceeded\)/);
    assert.match(failed.message, /nothing of this revision was applied, the one before is still deployed/);
    assert.match(
      failed.message,
      /exited with code 3.*the last lines of its log:\n.*panic: cannot connect to database/s,
    );
    assert.equal(await bench.find(SHOP, "configmap", "more"), undefined);
    await bench.untilReady(SHOP, more, { revision: "r5", hooks: [hook("shop:v1")] });
  });

  await t.step("a kind that the cluster does not know is named", async () => {
    const unknown = { apiVersion: "nowhere.io/v1", kind: "Thing", metadata: { name: "t" } };
    await refused(
      bench.look(SHOP, [unknown]),
      "Refused",
      /"Thing" of "nowhere.io\/v1": no such API group is installed/,
    );
  });

  await t.step("a field that the kind does not have is refused, naming object and field", async () => {
    const odd = deployment("odd", { replica: 2 });
    await refused(bench.look(SHOP, [...objects, odd]), "Refused", /Deployment "shop-pr-7\/odd"/, /replica/);
  });
});
