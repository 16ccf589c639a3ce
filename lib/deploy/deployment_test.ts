import assert from "node:assert/strict";
import { CONFIG_MAP, DEPLOYMENT, JOB, SECRET, SERVICE } from "../api/resources.ts";
import { KubeError } from "../kube/errors.ts";
import { Stalled, Waiting } from "../runtime/errors.ts";
import { CLUSTER_ROLE, FakeDeployment, RENDERED, WIDGET } from "./fake_deployment.ts";

const { config, service, app, widget, migration } = RENDERED;
const USUAL = [app, service, config];

Deno.test("what Pods live under is made before what leads to them, workloads come last, and the account makes all of it", async () => {
  await using bench = await new FakeDeployment().start();
  const report = await bench.look(USUAL);
  assert.deepEqual(bench.calls, [
    ...["get configmaps settings", "apply configmaps settings", "get services shop", "apply services shop"],
    ...["get deployments shop", "apply deployments shop"],
  ]);
  assert.deepEqual([report.state, report.reason], ["inProgress", "Progressing"]);
  assert.equal(report.message, 'Deployment "shop-pr-7/shop": Not looked at yet');
  assert.equal(report.deployed, undefined);
});

Deno.test("it is deployed when all of it is as asked for", async () => {
  await using bench = await new FakeDeployment().start();
  await bench.look(USUAL);
  await bench.rollOut();
  const report = await bench.look(USUAL);
  assert.deepEqual([report.state, report.message, report.deployed], ["ready", "", "r1"]);
  assert.deepEqual(report.inventory.map(({ kind, name }) => `${kind}/${name}`).sort(), [
    ...["ConfigMap/settings", "Deployment/shop", "Service/shop"],
  ]);
});

Deno.test("a look over what is as it was rendered asks for nothing, in a new process, too", async () => {
  await using bench = await new FakeDeployment().start();
  await bench.look(USUAL);
  await bench.rollOut();
  await bench.look(USUAL);
  await bench.restart();
  bench.server.forget();
  assert.equal((await bench.look(USUAL)).state, "ready");
  assert.deepEqual(bench.calls, []);
});

Deno.test("what was changed or deleted by hand comes back, and nothing else is touched", async () => {
  await using bench = await new FakeDeployment().start();
  await bench.look(USUAL);
  await bench.write(CONFIG_MAP, "settings", (object) => object.data = { greeting: "bye" });
  await bench.remove(SERVICE, "shop");
  bench.server.forget();
  await bench.look([...USUAL]);
  assert.deepEqual(bench.calls, ["apply configmaps settings", "get services shop", "apply services shop"]);
  assert.deepEqual(bench.find(CONFIG_MAP, "settings")!.data, { greeting: "hello" });
});

Deno.test("what left the source is deleted, and a kind that nobody watches is found by the inventory", async () => {
  await using bench = await new FakeDeployment().start();
  await bench.look([...USUAL, widget]);
  await bench.look([...USUAL, widget]);
  assert.ok(bench.find(WIDGET, "w"));
  await bench.restart();
  await bench.look([app]);
  assert.deepEqual([bench.find(WIDGET, "w"), bench.find(SERVICE, "shop"), bench.find(CONFIG_MAP, "settings")], [
    ...[undefined, undefined, undefined],
  ]);
  assert.ok(bench.find(DEPLOYMENT, "shop"));
});

Deno.test("a kind that nobody watches is written down before anything is made", async () => {
  await using bench = await new FakeDeployment().start();
  const first = await bench.look([widget, config]);
  assert.deepEqual(bench.calls, []);
  assert.deepEqual([first.state, first.reason, first.lookAgainAt], ["inProgress", "Recording", bench.clock.now()]);
  assert.deepEqual(first.inventory.map(({ kind }) => kind), ["Widget", "ConfigMap"]);
  await bench.look([widget, config]);
  assert.ok(bench.find(WIDGET, "w"));
});

Deno.test("kinds that nobody watches are listed as the account, at most every four seconds, and looked at again", async () => {
  await using bench = await new FakeDeployment().start();
  await bench.look([widget]);
  const made = await bench.look([widget]);
  assert.equal(made.message, 'Widget "shop-pr-7/w": No controller has looked at it yet');
  assert.equal(made.lookAgainAt, bench.clock.now() + 5_000);
  assert.equal(bench.server.count({ verb: "list", resource: "widgets" }), 1);
  await bench.clock.advance(10_000);
  await bench.write(WIDGET, "w", (object) => object.spec.size = 2);
  const later = await bench.look([widget]);
  assert.equal(bench.find(WIDGET, "w")!.spec.size, 1);
  assert.deepEqual([later.state, later.lookAgainAt], ["ready", bench.clock.now() + 60_000]);
});

Deno.test("an object of somebody else is neither changed nor deleted, and is named", async () => {
  await using bench = await new FakeDeployment().start();
  const theirs = { ...config, metadata: { ...config.metadata, namespace: bench.namespace }, data: { theirs: "1" } };
  bench.server.store.create(CONFIG_MAP, theirs);
  await assert.rejects(bench.look(USUAL), (error) => {
    assert.ok(error instanceof Stalled);
    assert.equal(error.reason, "NotOwned");
    assert.match(error.message, /^ConfigMap "shop-pr-7\/settings" exists and was not made for this environment/);
    return true;
  });
  assert.deepEqual(bench.find(CONFIG_MAP, "settings")!.data, { theirs: "1" });
  await bench.look([app]);
  assert.ok(bench.find(CONFIG_MAP, "settings"));
});

Deno.test("somebody who is faster keeps the object", async () => {
  await using bench = await new FakeDeployment().start();
  const theirs = { ...config, metadata: { ...config.metadata, namespace: bench.namespace }, data: { theirs: "1" } };
  bench.server.interpose({ verb: "apply", resource: "configmaps" }, {
    before: () => bench.server.store.create(CONFIG_MAP, theirs),
  });
  await assert.rejects(bench.look([config]), { reason: "NotOwned" });
  assert.deepEqual(bench.find(CONFIG_MAP, "settings")!.data, { theirs: "1" });
});

Deno.test("what the environment itself is made of is not taken for the source's", async () => {
  await using bench = await new FakeDeployment().start();
  const own = { labels: { "maquette.dev/owner-uid": "uid-env", "app.kubernetes.io/managed-by": "maquette" } };
  const object = { ...config, metadata: { name: "settings", namespace: bench.namespace, ...own } };
  bench.server.store.create(CONFIG_MAP, object);
  await bench.look([app]);
  assert.ok(bench.find(CONFIG_MAP, "settings"));
  await assert.rejects(bench.look([config]), /is the environment's own; give the one in the source another name/);
});

Deno.test("a Job that cannot be changed is made anew when the older one is gone", async () => {
  await using bench = await new FakeDeployment().start();
  await bench.look([migration]);
  const { uid } = bench.find(JOB, "migrate")!.metadata;
  const changed = structuredClone(migration);
  changed.spec.template.spec.containers[0]!.image = "shop:v2";
  const refused = new KubeError(422, "Invalid", 'Job.batch "migrate" is invalid: spec.template: field is immutable');
  bench.server.fail({ verb: "apply", resource: "jobs" }, refused);
  await assert.rejects(bench.look([changed]), (error) => error instanceof Waiting && error.reason === "Replacing");
  await bench.look([changed]);
  const job = bench.find(JOB, "migrate")!;
  assert.notEqual(job.metadata.uid, uid);
  assert.equal(job.spec.template.spec.containers[0].image, "shop:v2");
});

Deno.test("anything else that cannot be changed is left, and says what to do", async () => {
  await using bench = await new FakeDeployment().start();
  await bench.look([app]);
  const changed = structuredClone(app);
  changed.spec.selector.matchLabels.app = "other";
  const words = 'Deployment.apps "shop" is invalid: spec.selector: Invalid value: …: field is immutable';
  bench.server.fail({ verb: "apply", resource: "deployments" }, new KubeError(422, "Invalid", words));
  await assert.rejects(bench.look([changed]), (error) => {
    assert.ok(error instanceof Stalled);
    assert.equal(error.reason, "ImmutableField");
    assert.match(error.message, /spec\.selector.*undo the change, or delete the object/);
    return true;
  });
  assert.ok(bench.find(DEPLOYMENT, "shop"));
});

Deno.test("all that people must act on is said at once, and no later stage begins", async () => {
  await using bench = await new FakeDeployment().start();
  for (const resource of ["configmaps", "secrets"]) {
    bench.server.fail({ verb: "apply", resource }, new KubeError(422, "Invalid", `${resource} are bad`));
  }
  const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "s" }, stringData: { a: "1" } };
  await assert.rejects(bench.look([...USUAL, secret]), /configmaps are bad.*; Secret "shop-pr-7\/s".*secrets are bad/);
  assert.equal(bench.find(SERVICE, "shop"), undefined);
  assert.equal(bench.find(DEPLOYMENT, "shop"), undefined);
});

Deno.test("a server that is away is no verdict: the error is passed on as it is", async () => {
  await using bench = await new FakeDeployment().start();
  bench.server.fail({ verb: "apply", resource: "configmaps" }, new KubeError(503, "ServiceUnavailable", "later"));
  await assert.rejects(bench.look([config]), (error) => error instanceof KubeError && error.status === 503);
});

Deno.test("secrets are kept nowhere: not in the cache, and not in an annotation", async () => {
  await using bench = await new FakeDeployment().start();
  const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "s" }, stringData: { password: "hunter2" } };
  await bench.look([secret]);
  assert.deepEqual(bench.find(SECRET, "s")!.data, { password: "aHVudGVyMg==" });
  await bench.write(SECRET, "s", (object) => object.data.password = "eA==");
  bench.server.forget();
  await bench.look([secret]);
  assert.deepEqual(bench.calls, ["apply secrets s"]);
  assert.deepEqual(bench.find(SECRET, "s")!.data, { password: "aHVudGVyMg==" });
  assert.doesNotMatch(JSON.stringify(bench.find(SECRET, "s")!.metadata), /hunter|aHVu/);
});

Deno.test("paused, nothing is changed and what waits is told", async () => {
  await using bench = await new FakeDeployment().start();
  const report = await bench.look([...USUAL, widget], { isPaused: true });
  assert.deepEqual(bench.calls, []);
  assert.equal(report.changes.create.length, 4);
});

Deno.test("what must not be in an environment is refused before anything is made, all of it at once", async () => {
  await using bench = await new FakeDeployment().start();
  const role = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", metadata: { name: "r" }, rules: [] };
  const elsewhere = { ...config, metadata: { name: "c", namespace: "kube-system" } };
  const unknown = { apiVersion: "nowhere.io/v1", kind: "Thing", metadata: { name: "t" } };
  await assert.rejects(bench.look([role, elsewhere, unknown, app, app]), (error) => {
    assert.ok(error instanceof Stalled);
    assert.deepEqual(error.message.split("; "), [
      'ClusterRole "r" is not of a namespace: an environment may only have objects in its own',
      'ConfigMap "kube-system/c" is for another namespace than the environment\'s, "shop-pr-7"',
      'Thing "t": The cluster does not know kind "Thing"',
      'Deployment "shop" is there twice',
    ]);
    return true;
  });
  assert.deepEqual(bench.calls, []);
  assert.equal(bench.find(CLUSTER_ROLE, "r"), undefined);
});

Deno.test("an API that is away is waited for", async () => {
  await using bench = await new FakeDeployment().start();
  const away = { apiVersion: "away.io/v1", kind: "Thing", metadata: { name: "t" } };
  await assert.rejects(bench.look([away]), (error) => error instanceof Waiting && error.reason === "ApiUnavailable");
});
