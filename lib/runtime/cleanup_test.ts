import assert from "node:assert/strict";
import type { KubeObject } from "../api/object.ts";
import { CONFIG_MAP, NAMESPACE, POD } from "../api/resources.ts";
import { collectGarbage } from "../kube/scripted_garbage.ts";
import { KubeError } from "../kube/errors.ts";
import { cleanup } from "./cleanup.ts";
import type { Root } from "./definition.ts";
import { settle } from "./fake_clock.ts";
import { FakeCluster } from "./fake_cluster.ts";
import { ownerLabels } from "./ownership.ts";
import type { Report } from "./status.ts";

const DEADLINE_MS = 5 * 60_000;
const ROOT: Root = { resource: NAMESPACE, name: "gadget-g" };

class Bench extends FakeCluster {
  readonly gadget: KubeObject;

  constructor() {
    super();
    const deletionTimestamp = new Date(this.clock.now()).toISOString();
    this.gadget = this.owner("g", { deletionTimestamp });
  }

  override async start(): Promise<this> {
    return await super.start({ resource: NAMESPACE, scope: "all" }, { resource: CONFIG_MAP, scope: "children" });
  }

  /** The root, made by the owner. */
  ours(metadata: Partial<KubeObject["metadata"]> = {}): KubeObject {
    return this.namespace(ROOT.name, { labels: ownerLabels(this.gadget), ...metadata });
  }

  async clean(roots = [ROOT]): Promise<Report | undefined> {
    const informer = ({ resource }: Root): ReturnType<typeof this.informers.get> =>
      this.informers.get({ resource, scope: resource === NAMESPACE ? "all" : "children" });
    return await cleanup(this.gadget, roots, {
      kube: this.kube,
      informer,
      now: this.clock.now(),
      deadlineMs: DEADLINE_MS,
    });
  }

  get root(): KubeObject | undefined {
    return this.server.store.find(NAMESPACE, ROOT.name);
  }
}

Deno.test("promise 6: cleanup does not believe a cache that still shows an earlier owner's root", async () => {
  await using bench = await new Bench().start();
  const root = bench.ours();
  await settle();
  const labels = { ...root.metadata.labels, "maquette.dev/owner-uid": "earlier" };
  const stale = { ...root, metadata: { ...root.metadata, labels, resourceVersion: "999999" } };
  bench.informers.get({ resource: NAMESPACE, scope: "all" }).observe(stale);
  assert.equal((await bench.clean())?.reason, "Deleting");
  assert.ok(bench.calls.includes(`delete namespaces ${ROOT.name}`), String(bench.calls));
});

Deno.test("promise 6: cleanup deletes the root, waits until it is gone, and then says so", async () => {
  await using bench = await new Bench().start();
  bench.ours();
  await settle();
  const report = await bench.clean();
  assert.deepEqual(
    [report?.phase, report?.state, report?.reason, report?.message],
    ["Terminating", "reconciling", "Deleting", 'Waiting until Namespace "gadget-g" is gone'],
  );
  assert.equal(report?.lookAgainAt, bench.clock.now() + DEADLINE_MS);
  await settle();
  assert.ok(await bench.clean());
  assert.equal(bench.server.count({ verb: "delete" }), 1);
  collectGarbage(bench.server.store);
  await settle();
  assert.equal(await bench.clean(), undefined);
});

Deno.test("promise 6: what took its leave for long is not stuck when its deletion has only begun", async () => {
  await using bench = await new Bench().start();
  bench.ours({ finalizers: ["someone.else/hold"] });
  await settle();
  await bench.clock.advance(2 * DEADLINE_MS);
  const began = bench.clock.now();
  const first = await bench.clean();
  assert.deepEqual([first?.reason, first?.lookAgainAt], ["Deleting", began + DEADLINE_MS]);
  await settle();
  await bench.clock.advance(DEADLINE_MS - 1000);
  assert.equal((await bench.clean())?.reason, "Deleting");
  await bench.clock.advance(1000);
  assert.equal((await bench.clean())?.reason, "DeletionBlocked");
});

Deno.test("promise 6: cleanup tolerates that apply never ran", async () => {
  await using bench = await new Bench().start();
  assert.equal(await bench.clean(), undefined);
  assert.deepEqual(bench.calls, ["get namespaces gadget-g"]);
});

Deno.test("promise 6: cleanup of nothing needs nothing", async () => {
  await using bench = await new Bench().start();
  assert.equal(await bench.clean([]), undefined);
  assert.deepEqual(bench.calls, []);
});

Deno.test("cleanup never deletes what somebody else made, and does not wait for it", async () => {
  await using bench = await new Bench().start();
  const theirs = bench.namespace(ROOT.name, { labels: { "maquette.dev/owner-uid": "another" } });
  assert.equal(await bench.clean(), undefined);
  await settle();
  assert.equal(await bench.clean(), undefined);
  assert.deepEqual(bench.root, theirs);
  assert.equal(bench.server.count({ verb: "delete" }), 0);
});

Deno.test("cleanup finds what it made a moment ago, though no cache shows it", async () => {
  await using bench = await new Bench().start();
  bench.server.breakWatches("silence");
  bench.ours();
  assert.ok(await bench.clean());
  assert.ok(bench.root?.metadata.deletionTimestamp);
});

Deno.test("cleanup believes no cache that a root is there still", async () => {
  await using bench = await new Bench().start();
  bench.ours();
  await settle();
  bench.server.breakWatches("silence");
  bench.server.store.remove(NAMESPACE, ROOT.name);
  collectGarbage(bench.server.store);
  assert.equal(await bench.clean(), undefined);
});

Deno.test("cleanup leaves another namespace of the name alone, when its cache shows the old one", async () => {
  await using bench = await new Bench().start();
  bench.ours();
  await settle();
  bench.server.breakWatches("silence");
  bench.server.store.remove(NAMESPACE, ROOT.name);
  collectGarbage(bench.server.store);
  const theirs = bench.namespace(ROOT.name);
  assert.equal(await bench.clean(), undefined);
  assert.deepEqual(bench.root, theirs);
});

Deno.test("cleanup goes on waiting when the server calls a second deletion a conflict", async () => {
  await using bench = await new Bench().start();
  bench.ours();
  await settle();
  // Older API servers answer so while a namespace is being emptied.
  bench.server.fail(
    { verb: "delete" },
    new KubeError(409, "Conflict", "The system is ensuring all content is removed"),
  );
  assert.equal((await bench.clean())?.reason, "Deleting");
});

Deno.test("cleanup passes on what it cannot judge", async () => {
  await using bench = await new Bench().start();
  bench.ours();
  await settle();
  bench.server.fail({ verb: "delete" }, new KubeError(403, "Forbidden", "no"));
  await assert.rejects(bench.clean(), { status: 403 });
});

/** Conditions as the namespace controller writes them. */
function blocked(bench: Bench, ...messages: string[]): void {
  bench.server.store.edit(NAMESPACE, ROOT.name, (namespace) => {
    namespace.status = {
      phase: "Terminating",
      conditions: [
        {
          type: "NamespaceDeletionDiscoveryFailure",
          status: "False",
          message: "All resources successfully discovered",
        },
        ...messages.map((message, index) => ({ type: `Blocked${index}`, status: "True", message })),
      ],
    };
  });
}

Deno.test("promise 6: a deletion past its deadline is Stalled, and names the object that blocks and what holds it", async () => {
  await using bench = await new Bench().start();
  bench.ours();
  const metadata = { name: "held", namespace: ROOT.name, finalizers: ["example.com/backup"] };
  bench.server.store.create(CONFIG_MAP, { apiVersion: "v1", kind: "ConfigMap", metadata });
  bench.server.store.create(CONFIG_MAP, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { ...metadata, name: "free", finalizers: [] },
  });
  await settle();
  await bench.clean();
  blocked(
    bench,
    "Some resources are remaining: configmaps. has 2 resource instances",
    "Some content in the namespace has finalizers remaining",
  );
  await bench.clock.advance(DEADLINE_MS);
  const report = await bench.clean();
  assert.deepEqual([report?.state, report?.reason], ["stalled", "DeletionBlocked"]);
  assert.equal(
    report?.message,
    'Namespace "gadget-g" cannot be deleted: configmaps "held" is held by finalizer example.com/backup; ' +
      "Some resources are remaining: configmaps. has 2 resource instances; " +
      "Some content in the namespace has finalizers remaining",
  );
  assert.equal(report?.lookAgainAt, bench.clock.now() + DEADLINE_MS);
});

const blockers: Record<string, [messages: string[], expected: RegExp]> = {
  "in the namespace's own words where we may not read what holds it": [
    ["Some resources are remaining: widgets.example.com has 1 resource instances"],
    /^Namespace "gadget-g" cannot be deleted: Some resources are remaining: widgets\.example\.com has 1/,
  ],
  "even where the cluster does not say why": [
    [],
    /^Namespace "gadget-g" is still there, and the cluster does not say why$/,
  ],
};

for (const [name, [messages, expected]] of Object.entries(blockers)) {
  Deno.test(`promise 6: a deletion past its deadline is told ${name}`, async () => {
    await using bench = await new Bench().start();
    bench.ours();
    await settle();
    await bench.clean();
    blocked(bench, ...messages);
    await bench.clock.advance(DEADLINE_MS);
    assert.match((await bench.clean())!.message, expected);
  });
}

Deno.test("promise 6: a deletion past its deadline names the Pods that are left, of which the namespace says nothing", async () => {
  await using bench = await new Bench().start();
  bench.ours();
  for (const [name, finalizers] of [["build", ["batch.kubernetes.io/job-tracking"]], ["lost", []]] as const) {
    const metadata = { name, namespace: ROOT.name, finalizers: [...finalizers] };
    bench.server.store.create(POD, { apiVersion: "v1", kind: "Pod", metadata, spec: {} });
  }
  await settle();
  await bench.clean();
  blocked(bench);
  await bench.clock.advance(DEADLINE_MS);
  assert.equal(
    (await bench.clean())!.message,
    'Namespace "gadget-g" cannot be deleted: Pod "build" is still there, held by finalizer ' +
      'batch.kubernetes.io/job-tracking; Pod "lost" is still there',
  );
});

Deno.test("promise 6: a root that is no namespace is told with what holds it", async () => {
  await using bench = await new Bench().start();
  const root: Root = { resource: CONFIG_MAP, namespace: "default", name: "child" };
  const labels = ownerLabels(bench.gadget);
  const metadata = { name: "child", namespace: "default", labels, finalizers: ["example.com/a", "example.com/b"] };
  bench.server.store.create(CONFIG_MAP, { apiVersion: "v1", kind: "ConfigMap", metadata });
  await settle();
  await bench.clean([root]);
  await bench.clock.advance(DEADLINE_MS);
  assert.equal(
    (await bench.clean([root]))?.message,
    'ConfigMap "default/child" is still there, held by finalizers example.com/a, example.com/b',
  );
});
