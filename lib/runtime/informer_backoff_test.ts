import assert from "node:assert/strict";
import { NAMESPACE } from "../api/resources.ts";
import { KubeError } from "../kube/errors.ts";
import { settle } from "./fake_clock.ts";
import { FakeWatcher } from "./fake_watcher.ts";
import { DEFAULT_TIMINGS } from "./informer.ts";

Deno.test("promise 1: a watch that ends as soon as it begins is not asked for in a loop", async () => {
  await using watcher = await FakeWatcher.start();
  watcher.server.forget();
  watcher.server.fail({ verb: "watch" }, { watch: "close" }, Infinity);
  watcher.server.breakWatches("close");
  await watcher.clock.advance(10 * 60_000);
  // Half a second doubled up to half a minute, each three quarters of it: 6 tries, then one every 22.5 s.
  const tries = watcher.server.count({ verb: "watch" });
  assert.ok(tries > 20 && tries < 40, `${tries} tries`);
  watcher.server.mend();
  watcher.write("a", "1");
  await watcher.clock.advance(60_000);
  assert.deepEqual(watcher.told, watcher.truth);
});

Deno.test("promise 1: back-off doubles with jitter up to its cap and starts anew after an event", async () => {
  const asked: number[] = [];
  await using watcher = await FakeWatcher.start({ random: () => 0.999 });
  const watch = watcher.kube.watch.bind(watcher.kube);
  watcher.kube.watch = (...args) => {
    asked.push(watcher.clock.now());
    return watch(...args);
  };
  watcher.server.breakWatches("reset");
  watcher.server.fail({ verb: "watch" }, new KubeError(500, "InternalError", "no"), 8);
  const start = watcher.clock.now();
  await watcher.clock.advance(5 * 60_000);
  const waits = asked.map((at, index) => Math.round((at - (asked[index - 1] ?? start)) / 500));
  assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
  watcher.write("a", "1");
  await settle();
  asked.length = 0;
  watcher.server.breakWatches("reset");
  await watcher.clock.advance(500);
  assert.equal(asked.length, 1);
});

Deno.test("promise 1: a server that is back and has forgotten our version (410) is listed at once, whatever was before", async () => {
  await using watcher = await FakeWatcher.start();
  watcher.server.fail({ verb: "watch" }, new KubeError(500, "InternalError", "no"), 7);
  watcher.server.breakWatches("reset");
  await watcher.clock.advance(30_000);
  watcher.server.fail({ verb: "watch" }, new KubeError(410, "Expired", "too old"));
  await watcher.clock.advance(30_000);
  watcher.server.forget();
  watcher.write("a", "1");
  await watcher.clock.advance(20_000);
  assert.equal(watcher.ends.expired, 1);
  assert.deepEqual(watcher.told, watcher.truth);
});

Deno.test("promise 1: a server that forgets every version at once (410 again and again) is not listed in a loop", async () => {
  await using watcher = await FakeWatcher.start();
  watcher.server.forget();
  watcher.server.fail({ verb: "watch" }, new KubeError(410, "Expired", "too old"), Infinity);
  watcher.server.breakWatches("reset");
  await watcher.clock.advance(10 * 60_000);
  const lists = watcher.server.count({ verb: "list" });
  assert.ok(lists > 20 && lists < 40, `${lists} lists`);
});

Deno.test("promise 1: Retry-After is waited for in full, and no try is made before", async () => {
  await using watcher = await FakeWatcher.start();
  watcher.server.breakWatches("reset");
  watcher.server.fail({ verb: "watch" }, new KubeError(429, "TooManyRequests", "later", 20_000));
  await watcher.clock.advance(1_000);
  watcher.server.forget();
  await watcher.clock.advance(18_000);
  assert.equal(watcher.server.count(), 0);
  await watcher.clock.advance(2_000);
  assert.equal(watcher.server.count({ verb: "watch" }), 1);
});

Deno.test("promise 1: a watch that talks past its server-side timeout is given up", async () => {
  const timings = { ...DEFAULT_TIMINGS, watchSeconds: [300, 300] as const };
  // The server is asked for 300 s, and would go on for ten times as long.
  await using watcher = new FakeWatcher({ timings });
  const send = watcher.kube.watch.bind(watcher.kube);
  watcher.kube.watch = (resource, scope, options) => send(resource, scope, { ...options, timeoutSeconds: 3_000 });
  await settle();
  await watcher.clock.advance(329_000);
  assert.equal(watcher.ends.idle, 0);
  await watcher.clock.advance(2_000);
  assert.equal(watcher.ends.idle, 1);
  watcher.write("a", "1");
  await settle();
  assert.deepEqual(watcher.told, watcher.truth);
});

Deno.test("promise 1: a watch goes on from the last version that it showed, a bookmark's too", async () => {
  await using watcher = await FakeWatcher.start();
  const next = async (): Promise<string | undefined> => {
    watcher.server.forget();
    watcher.server.breakWatches("reset");
    await watcher.clock.advance(1_000);
    return watcher.server.requests.find(({ verb }) => verb === "watch")?.query.resourceVersion;
  };
  const { resourceVersion } = watcher.write("a", "1").metadata;
  await settle();
  assert.equal(await next(), resourceVersion);
  // Somebody writes what the selector does not pick: only bookmarks tell.
  const later = watcher.server.store.create(NAMESPACE, {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: "x" },
  });
  await watcher.clock.advance(60_000);
  assert.equal(await next(), later.metadata.resourceVersion);
});

Deno.test("promise 1: server timeouts are spread over 5 to 10 minutes", async () => {
  const asked = new Set<string>();
  for (const random of [0, 0.5, 0.999]) {
    await using watcher = await FakeWatcher.start({ random: () => random });
    for (const { query } of watcher.server.requests) if (query.timeoutSeconds) asked.add(query.timeoutSeconds);
  }
  assert.deepEqual([...asked], ["300", "450", "600"]);
});

Deno.test("Informer stops in the middle of a list, of a hang and of a back-off, and leaves no timer", async () => {
  const moments: Record<string, (watcher: FakeWatcher) => void> = {
    list: ({ server }) => server.fail({ verb: "list" }, "hang"),
    watch: ({ server }) => server.fail({ verb: "watch" }, "hang"),
    backOff: ({ server }) => server.fail({}, "reset", Infinity),
    verify: () => {},
  };
  for (const [moment, arrange] of Object.entries(moments)) {
    await using watcher = new FakeWatcher({ prepare: (server) => arrange({ server } as FakeWatcher) });
    await watcher.clock.advance(30_000);
    if (moment === "verify") {
      watcher.server.fail({ verb: "list" }, "hang");
      await watcher.clock.advance(30 * 60_000);
    }
    await watcher.stop();
    assert.deepEqual([watcher.clock.pending, watcher.server.openWatches], [0, 0], moment);
  }
});

Deno.test("Informer counts how long the server has been silent", async () => {
  await using watcher = await FakeWatcher.start();
  assert.equal(watcher.informer.silentMs, 0);
  await watcher.clock.advance(59_000);
  assert.equal(watcher.informer.silentMs, 59_000);
  await watcher.clock.advance(1_000);
  assert.equal(watcher.informer.silentMs, 0);
  watcher.server.breakWatches("silence");
  watcher.server.fail({}, "hang", Infinity);
  await watcher.clock.advance(6 * 60_000);
  assert.equal(watcher.informer.silentMs, 6 * 60_000);
});
