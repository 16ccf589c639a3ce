import assert from "node:assert/strict";
import { CONFIG_MAP, POD, SECRET } from "../api/resources.ts";
import { keyOf, type KubeObject } from "../api/object.ts";
import { FakeCluster } from "./fake_cluster.ts";
import { childSelector } from "./ownership.ts";

const bare = (object: KubeObject): KubeObject => object;

Deno.test("InformerSet watches a resource once, however many kinds need it, and children by their label", async () => {
  await using cluster = new FakeCluster();
  const { informers } = cluster;
  const first = informers.need({ resource: CONFIG_MAP, scope: "children" });
  assert.equal(informers.need({ resource: CONFIG_MAP, scope: "children", owners: () => [] }), first);
  assert.notEqual(informers.need({ resource: CONFIG_MAP, scope: "all" }), first);
  assert.equal(informers.get({ resource: CONFIG_MAP, scope: "children" }), first);
  await cluster.start();
  const selectors = cluster.server.requests.filter(({ verb }) => verb === "watch").map(({ query }) =>
    query.labelSelector
  );
  assert.deepEqual(selectors, [childSelector(CONFIG_MAP), undefined]);
  assert.equal(informers.all().length, 2);
});

Deno.test("InformerSet watches one namespace where that is enough", async () => {
  await using cluster = new FakeCluster();
  const informer = cluster.informers.need({ resource: CONFIG_MAP, scope: "children", namespace: "ops" });
  await cluster.start();
  assert.ok(cluster.server.requests.every(({ path }) => path.includes("/namespaces/ops/")));
  assert.equal(cluster.informers.get({ resource: CONFIG_MAP, scope: "children" }), informer);
  assert.throws(() => cluster.informers.need({ resource: CONFIG_MAP, scope: "children" }), { message: /Cannot watch/ });
});

Deno.test("InformerSet watches our Pods whoever their labels say manages them, and nobody else's", async () => {
  await using cluster = new FakeCluster();
  const pods = cluster.informers.need({ resource: POD, scope: "children" });
  const managed = "app.kubernetes.io/managed-by";
  const labels = { ours: { "maquette.dev/owner-uid": "u", [managed]: "Helm" }, theirs: { [managed]: "Helm" } };
  for (const [name, own] of Object.entries(labels)) {
    const metadata = { name, namespace: "default", labels: own };
    cluster.server.store.create(POD, { apiVersion: "v1", kind: "Pod", metadata, spec: {} });
  }
  await cluster.start();
  assert.deepEqual([...pods.cache.values()].map(keyOf), ["default/ours"]);
});

Deno.test("InformerSet refuses to watch once what kinds need different parts of", async () => {
  await using cluster = new FakeCluster();
  cluster.informers.need({ resource: SECRET, scope: "all", metadataOnly: true, shape: bare });
  const message = /Cannot watch "secrets" once/;
  assert.throws(() => cluster.informers.need({ resource: SECRET, scope: "all", shape: bare }), { message });
  assert.throws(() => cluster.informers.need({ resource: SECRET, scope: "all", metadataOnly: true }), { message });
});

Deno.test("InformerSet says which resource nobody watches", async () => {
  await using cluster = new FakeCluster();
  assert.throws(() => cluster.informers.get({ resource: SECRET, scope: "all" }), {
    message: 'Cannot read "secrets" (all): no kind watches it',
  });
});
