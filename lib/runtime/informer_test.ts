import assert from "node:assert/strict";
import { LABEL_OWNER_UID } from "../api/names.ts";
import type { KubeObject } from "../api/object.ts";
import { CONFIG_MAP } from "../api/resources.ts";
import { KubeError } from "../kube/errors.ts";
import { settle } from "./fake_clock.ts";
import { configMap, FakeWatcher } from "./fake_watcher.ts";
import type { Informer } from "./informer.ts";
import type { Logger } from "./log.ts";

Deno.test("Informer tells of what was there before, of each change, and of each deletion", async () => {
  await using watcher = await FakeWatcher.start({
    prepare: ({ store }) => void store.create(CONFIG_MAP, configMap("a")),
  });
  watcher.write("b", "1");
  watcher.write("b", "2");
  watcher.erase("a");
  await settle();
  const told = watcher.changes.map(({ type, object, old }) => [type, object.metadata.name, old?.data?.value]);
  assert.deepEqual(told, [["ADDED", "a", undefined], ["ADDED", "b", undefined], ["MODIFIED", "b", "1"], [
    "DELETED",
    "a",
    "0",
  ]]);
});

Deno.test("Informer is synced when the first list is in the cache, and not before", async () => {
  const gate = Promise.withResolvers<void>();
  await using watcher = new FakeWatcher({
    prepare: (server) => {
      server.store.create(CONFIG_MAP, configMap("a"));
      server.interpose({ verb: "list" }, { before: () => gate.promise });
    },
  });
  await settle();
  assert.equal(watcher.informer.synced, false);
  gate.resolve();
  await watcher.informer.whenSynced;
  assert.equal(watcher.informer.synced, true);
  assert.deepEqual(watcher.cached, watcher.truth);
});

Deno.test("Informer shows only what its selector picks, and sees objects enter and leave it", async () => {
  const spec = { labelSelector: "team=a" };
  await using watcher = await FakeWatcher.start({ spec });
  const { store } = watcher.server;
  store.create(CONFIG_MAP, configMap("in", { labels: { team: "a" } }));
  store.create(CONFIG_MAP, configMap("out", { labels: { team: "b" } }));
  store.edit(CONFIG_MAP, "default/out", (object) => object.metadata.labels = { team: "a" });
  store.edit(CONFIG_MAP, "default/in", (object) => object.metadata.labels = { team: "b" });
  await settle();
  const told = watcher.changes.map(({ type, object }) => `${type} ${object.metadata.name}`);
  assert.deepEqual(told, ["ADDED in", "ADDED out", "DELETED in"]);
  store.edit(CONFIG_MAP, "default/in", (object) => object.metadata.labels = { team: "a" });
  await settle();
  assert.equal(watcher.informer.cache.size, 2);
});

Deno.test("Informer drops managedFields and gives items of lists their kind", async () => {
  await using watcher = await FakeWatcher.start({
    prepare: ({ store }) => void store.create(CONFIG_MAP, configMap("a")),
  });
  watcher.write("b", "1");
  await settle();
  for (const object of watcher.informer.cache.values()) {
    assert.deepEqual([object.apiVersion, object.kind], ["v1", "ConfigMap"]);
    assert.ok(!("managedFields" in object.metadata));
  }
});

Deno.test("promise 1: a watch of metadata alone still gets events", async () => {
  await using watcher = await FakeWatcher.start({
    spec: { metadataOnly: true },
    prepare: ({ store }) => void store.create(CONFIG_MAP, configMap("a")),
  });
  watcher.write("a", "1");
  watcher.write("b", "1");
  await settle();
  const cached = [...watcher.informer.cache.values()];
  assert.deepEqual(cached.map(({ kind, data, metadata }) => [kind, data, metadata.name]), [
    ["ConfigMap", undefined, "a"],
    ["ConfigMap", undefined, "b"],
  ]);
  assert.equal(watcher.changes.length, 3);
});

Deno.test("promise 1: what a shape takes away is in no cache and is told to nobody", async () => {
  const shape = ({ data: _data, ...rest }: KubeObject): KubeObject => rest as KubeObject;
  await using watcher = await FakeWatcher.start({
    spec: { shape },
    prepare: ({ store }) => void store.create(CONFIG_MAP, configMap("a")),
  });
  watcher.write("b", "secret");
  watcher.informer.observe(watcher.write("c", "secret"));
  await settle();
  await watcher.clock.advance(40 * 60_000);
  const seen = [...watcher.informer.cache.values(), ...watcher.changes.flatMap(({ object, old }) => [object, old])];
  assert.equal(watcher.informer.cache.size, 3);
  assert.ok(seen.every((object) => object?.data === undefined));
});

Deno.test("promise 1: an object that cannot be shaped and a listener that throws blind nobody", async () => {
  const lines: string[] = [];
  const shape = (object: KubeObject): KubeObject => {
    if (object.metadata.name === "odd") throw new Error("No shape");
    return object;
  };
  const log = recorder(lines);
  await using watcher = new FakeWatcher({
    spec: { shape },
    log,
    prepare: ({ store }) => void store.create(CONFIG_MAP, configMap("odd")),
  });
  let heard = 0;
  watcher.informer.subscribe(() => {
    throw new Error("Deaf");
  });
  watcher.informer.subscribe(() => void heard++);
  await settle();
  watcher.write("a", "1");
  watcher.write("odd", "1");
  watcher.write("b", "1");
  await settle();
  assert.equal(heard, 2);
  assert.deepEqual(watcher.cached.map((line) => line[0]), ["a", "b"]);
  assert.deepEqual(watcher.ends, { closed: 0, idle: 0, expired: 0, error: 0 });
  assert.ok(lines.includes("Object could not be shaped") && lines.includes("Listener failed"));
});

Deno.test("observe() shows a write of ours before the watch does, and an older event does not roll it back", async () => {
  await using watcher = await FakeWatcher.start({
    prepare: ({ store }) => void store.create(CONFIG_MAP, configMap("a")),
  });
  // The event of "theirs" and of "ours" are on their way when the answer to our write is here.
  watcher.write("a", "theirs");
  const answer = watcher.write("a", "ours");
  assert.equal(observed(watcher.informer, answer), "ours");
  await settle();
  assert.deepEqual(watcher.told, watcher.truth);
  assert.deepEqual(watcher.changes.map(({ isOwn, old }) => [isOwn, old?.data?.value]), [
    [undefined, undefined],
    [true, "0"],
  ]);
});

Deno.test("observe() of an answer that comes after the deletion does not bring the object back", async () => {
  await using watcher = await FakeWatcher.start({
    prepare: ({ store }) => void store.create(CONFIG_MAP, configMap("a")),
  });
  const answer = watcher.write("a", "ours");
  watcher.erase("a");
  await settle();
  assert.equal(observed(watcher.informer, answer), "undefined");
  assert.deepEqual(watcher.told, []);
  // What comes of that name later is another object.
  const anew = watcher.write("a", "anew");
  assert.equal(observed(watcher.informer, anew), "anew");
});

Deno.test("a list that was taken before a write of ours does not take it away", async () => {
  await using watcher = await FakeWatcher.start();
  let answer: KubeObject | undefined;
  // The list is answered with what was; the write is made and seen before the answer is there.
  watcher.server.interpose({ verb: "list" }, {
    after: () => {
      answer = watcher.write("a", "ours");
      watcher.informer.observe(answer);
    },
  });
  watcher.server.breakWatches(new KubeError(410, "Expired", "too old"));
  await watcher.clock.advance(1_000);
  assert.ok(answer);
  assert.deepEqual(watcher.cached, watcher.truth);
  assert.deepEqual(watcher.told, watcher.truth);
});

Deno.test("objects are found by their owner and by indexes, also after they change hands", async () => {
  await using watcher = await FakeWatcher.start();
  const { cache } = watcher.informer;
  const { store } = watcher.server;
  cache.addIndex("value", (object) => [object.data?.value]);
  store.create(CONFIG_MAP, configMap("a", { labels: { [LABEL_OWNER_UID]: "one" } }));
  await settle();
  assert.equal(cache.ownedBy("one").length, 1);
  store.edit(CONFIG_MAP, "default/a", (object) => {
    object.metadata.labels![LABEL_OWNER_UID] = "two";
    object.data.value = "x";
  });
  await settle();
  assert.deepEqual([cache.ownedBy("one").length, cache.ownedBy("two").length], [0, 1]);
  assert.deepEqual([cache.indexed("value", "0").length, cache.indexed("value", "x").length], [0, 1]);
  watcher.erase("a");
  await settle();
  assert.deepEqual([cache.ownedBy("two").length, cache.indexed("value", "x").length], [0, 0]);
});

/** Keeps the messages of a log. */
function recorder(lines: string[]): Logger {
  const note = (message: string): void => void lines.push(message);
  const log: Logger = { debug: note, info: note, warn: note, error: note, with: () => log };
  return log;
}

/** `observe` of what the server answered to a write of ours. */
function observed(informer: Informer, object: KubeObject): string {
  informer.observe(object);
  return String(informer.cache.get("default/a")?.data?.value);
}
