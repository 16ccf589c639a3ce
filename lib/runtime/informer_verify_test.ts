import assert from "node:assert/strict";
import { CONFIG_MAP } from "../api/resources.ts";
import { KubeError } from "../kube/errors.ts";
import { settle } from "./fake_clock.ts";
import { configMap, FakeWatcher } from "./fake_watcher.ts";

const VERIFY_MS = 30 * 60_000;

Deno.test("promise 1: a blind watch, alive by its bookmarks, is found by the verifying list, counted and mended", async () => {
  await using watcher = await FakeWatcher.start({
    prepare: (server) => {
      server.store.create(CONFIG_MAP, configMap("changed"));
      server.store.create(CONFIG_MAP, configMap("gone"));
      server.fail({ verb: "watch" }, { watch: "blindness" }, Infinity);
    },
  });
  watcher.write("changed", "1");
  watcher.erase("gone");
  watcher.write("new", "1");
  await watcher.clock.advance(VERIFY_MS - 60_000);
  assert.equal(watcher.missed, 0);
  assert.notDeepEqual(watcher.cached, watcher.truth);
  await watcher.clock.advance(3 * 60_000);
  assert.equal(watcher.missed, 3);
  assert.deepEqual(watcher.cached, watcher.truth);
  assert.deepEqual(watcher.told, watcher.truth);
});

Deno.test("promise 1: a watch that never speaks (a list's media type on a watch) restarts as idle, is counted and mended", async () => {
  await using watcher = new FakeWatcher();
  // What the client must not do: ask a watch for the list's kind. The server answers 200 and says nothing.
  watcher.server.fail({ verb: "watch" }, { watch: "silence" }, Infinity);
  await settle();
  watcher.write("a", "1");
  await watcher.clock.advance(VERIFY_MS + 3 * 60_000);
  assert.ok(watcher.ends.idle >= 20, `${watcher.ends.idle} restarts`);
  assert.equal(watcher.missed, 1);
  assert.deepEqual(watcher.told, watcher.truth);
});

Deno.test("promise 1: the scripted server is as mute as the real one to a watch that asks for a list's kind", async () => {
  await using watcher = await FakeWatcher.start({ spec: { metadataOnly: true } });
  const { fetch } = watcher.server;
  const url = "http://scripted.invalid/api/v1/configmaps?watch=true&resourceVersion=9991&timeoutSeconds=300";
  const accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
  const response = await fetch(url, { headers: { accept } });
  watcher.write("a", "1");
  await watcher.clock.advance(120_000);
  let heard = false;
  const reader = response.body!.getReader();
  const read = reader.read().then(() => heard = true);
  await settle();
  assert.deepEqual([response.status, heard], [200, false]);
  await reader.cancel();
  await read;
  assert.equal(watcher.missed, 0);
});

Deno.test("promise 1: what the watch shows a moment after the verifying list was late, not missed", async () => {
  await using watcher = await FakeWatcher.start();
  // Between the list and its answer somebody writes; and the watch falls silent, so that it shows it 90 s later.
  watcher.server.interpose({ verb: "list" }, {
    before: () => {
      watcher.server.breakWatches("silence");
      watcher.write("a", "1");
    },
  });
  await watcher.clock.advance(VERIFY_MS + 60 * 60_000);
  assert.deepEqual(watcher.told, watcher.truth);
  assert.equal(watcher.ends.idle, 1);
  assert.equal(watcher.missed, 0);
});

Deno.test("promise 1: while the watch may not start (429 for minutes) nothing counts as missed", async () => {
  await using watcher = await FakeWatcher.start();
  await watcher.clock.advance(VERIFY_MS - 30_000);
  watcher.server.breakWatches("reset");
  watcher.server.fail({ verb: "watch" }, new KubeError(429, "TooManyRequests", "later", 300_000));
  watcher.write("a", "1");
  await watcher.clock.advance(4 * 60_000);
  assert.equal(watcher.missed, 0);
  await watcher.clock.advance(3 * 60_000);
  assert.deepEqual(watcher.told, watcher.truth);
  assert.equal(watcher.missed, 0);
});

Deno.test("promise 1: a write of ours that the verifying list has not seen is neither missed nor dropped", async () => {
  await using watcher = await FakeWatcher.start();
  await watcher.clock.advance(VERIFY_MS - 1_000);
  watcher.server.interpose({ verb: "list" }, { after: () => watcher.informer.observe(watcher.write("a", "ours")) });
  await watcher.clock.advance(3 * 60_000);
  assert.deepEqual(watcher.cached, watcher.truth);
  assert.equal(watcher.missed, 0);
});

Deno.test("promise 1: a verifying list that fails says nothing, and the next one is made in its time", async () => {
  await using watcher = await FakeWatcher.start();
  watcher.server.fail({ verb: "list" }, "reset");
  watcher.server.forget();
  await watcher.clock.advance(VERIFY_MS + 60_000);
  assert.equal(watcher.server.count({ verb: "list" }), 1);
  await watcher.clock.advance(VERIFY_MS);
  assert.equal(watcher.server.count({ verb: "list" }), 2);
  assert.equal(watcher.missed, 0);
});

Deno.test("promise 1: what a full list has shown since the verifying list is neither missed nor brought back to life", async () => {
  await using watcher = await FakeWatcher.start();
  await watcher.clock.advance(VERIFY_MS - 5_000);
  // A server that was restarted: it is away, and then it does not know the old version any more.
  watcher.server.fail({ verb: "watch" }, new KubeError(429, "TooManyRequests", "later", 20_000));
  watcher.server.fail({ verb: "watch" }, new KubeError(410, "Expired", "too old"));
  watcher.server.breakWatches("reset");
  watcher.write("short-lived", "1");
  await watcher.clock.advance(10_000);
  watcher.erase("short-lived");
  await watcher.clock.advance(2 * 60_000);
  assert.equal(watcher.ends.expired, 1);
  assert.deepEqual(watcher.cached, watcher.truth);
  assert.equal(watcher.missed, 0);
});
