import assert from "node:assert/strict";
import { KubeError } from "../kube/errors.ts";
import type { ScriptedServer } from "../kube/scripted_server.ts";
import { FakeWatcher } from "./fake_watcher.ts";

/** A linear congruential generator: the same hour every time. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32) / 2 ** 32;
}

const EXPIRED = new KubeError(410, "Expired", "too old resource version");
const BUSY = new KubeError(429, "TooManyRequests", "please try again later", 5_000);
const strikes: ((server: ScriptedServer) => void)[] = [
  (server) => server.breakWatches("reset"),
  (server) => server.breakWatches("halfLine"),
  (server) => server.breakWatches("silence"),
  (server) => server.breakWatches(EXPIRED),
  (server) => server.breakWatches(BUSY),
  (server) => {
    server.breakWatches("close");
    server.fail({}, new KubeError(503, "ServiceUnavailable", "no"), 3);
  },
  (server) => {
    server.breakWatches("reset");
    server.interpose({ verb: "watch" }, { before: () => server.store.compact() });
  },
  (server) => {
    server.breakWatches(EXPIRED);
    server.fail({ verb: "list" }, "reset", 2);
  },
];

Deno.test("promise 1: in an hour with a fault every three minutes and thousands of changes nothing is missed", async () => {
  const random = seeded(7);
  await using watcher = await FakeWatcher.start({ random });
  let changes = 0;
  for (let second = 0; second < 3_600; second += 5) {
    for (let i = 0; i < 6; i++, changes++) {
      const name = `name-${Math.floor(random() * 300)}`;
      const isThere = watcher.informer.cache.get(`default/${name}`) !== undefined;
      if (isThere && random() < 0.2) {
        watcher.server.store.find(watcher.resource, `default/${name}`) && watcher.erase(name);
      } else watcher.write(name, String(changes));
    }
    if (second % 180 === 90) strikes[Math.floor(second / 180) % strikes.length]!(watcher.server);
    await watcher.clock.advance(5_000);
  }
  await watcher.clock.advance(3 * 60_000);
  assert.ok(changes > 4_000);
  assert.deepEqual(watcher.cached, watcher.truth);
  assert.deepEqual(watcher.told, watcher.truth);
  assert.equal(watcher.missed, 0);
  // A fault costs a handful of requests, a quiet watch one in five to ten minutes.
  assert.ok(watcher.server.count() < 100, `${watcher.server.count()} requests`);
  await watcher.stop();
  assert.deepEqual([watcher.clock.pending, watcher.server.openWatches], [0, 0]);
});

Deno.test("promise 1: every single change of a quarter of an hour is told once, in order, across resets", async () => {
  await using watcher = await FakeWatcher.start({ random: seeded(3) });
  const written: string[] = [];
  for (let i = 0; i < 900; i++) {
    written.push(watcher.write(`name-${i % 7}`, String(i)).metadata.resourceVersion!);
    if (i % 60 === 30) watcher.server.breakWatches(i % 120 === 30 ? "reset" : "halfLine");
    await watcher.clock.advance(1_000);
  }
  await watcher.clock.advance(60_000);
  assert.deepEqual(watcher.changes.map(({ object }) => object.metadata.resourceVersion), written);
});

Deno.test("promise 4: an hour in which nothing happens costs the watches and two verifying lists", async () => {
  await using watcher = await FakeWatcher.start();
  watcher.server.forget();
  await watcher.clock.advance(60 * 60_000);
  assert.deepEqual(watcher.ends, { closed: 8, idle: 0, expired: 0, error: 0 });
  assert.deepEqual([watcher.server.count({ verb: "watch" }), watcher.server.count({ verb: "list" })], [8, 2]);
  assert.equal(watcher.server.count(), 10);
});
