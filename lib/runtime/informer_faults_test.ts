import assert from "node:assert/strict";
import { CONFIG_MAP } from "../api/resources.ts";
import { KubeError } from "../kube/errors.ts";
import type { ScriptedServer } from "../kube/scripted_server.ts";
import { settle } from "./fake_clock.ts";
import { configMap, FakeWatcher } from "./fake_watcher.ts";
import type { WatchEnd } from "./informer.ts";

const EXPIRED = new KubeError(410, "Expired", "too old resource version");
const BUSY = new KubeError(429, "TooManyRequests", "please try again later", 7_000);
const STORM = new KubeError(503, "ServiceUnavailable", "the server is currently unable to handle the request");

interface Fault {
  strike: (server: ScriptedServer) => void;
  ends: Partial<Record<WatchEnd, number>>;
  /** Requests that the recovery may cost. */
  requests: number;
}

const faults: Record<string, Fault> = {
  "the server ends the watch": {
    strike: (server) => server.breakWatches("close"),
    ends: { closed: 1 },
    requests: 1,
  },
  "the connection is reset in the middle": {
    strike: (server) => server.breakWatches("reset"),
    ends: { error: 1 },
    requests: 1,
  },
  "half a JSON line comes, then the end": {
    strike: (server) => server.breakWatches("halfLine"),
    ends: { closed: 1 },
    requests: 1,
  },
  "the watch is silent past the deadline": {
    strike: (server) => server.breakWatches("silence"),
    ends: { idle: 1 },
    requests: 1,
  },
  "410 comes as an event": {
    strike: (server) => server.breakWatches(EXPIRED),
    ends: { expired: 1 },
    requests: 2,
  },
  "410 comes as an HTTP status": {
    strike: (server) => {
      server.breakWatches("close");
      server.fail({ verb: "watch" }, EXPIRED);
    },
    ends: { closed: 1, expired: 1 },
    requests: 3,
  },
  "the past is compacted while the watch is down": {
    strike: (server) => {
      server.breakWatches("reset");
      server.interpose({ verb: "watch" }, { before: () => server.store.compact() });
    },
    ends: { error: 1, expired: 1 },
    requests: 3,
  },
  "429 with Retry-After comes as an HTTP status": {
    strike: (server) => {
      server.breakWatches("close");
      server.fail({ verb: "watch" }, BUSY);
    },
    ends: { closed: 1, error: 1 },
    requests: 2,
  },
  "429 with retryAfterSeconds comes as an event": {
    strike: (server) => server.breakWatches(BUSY),
    ends: { error: 1 },
    requests: 1,
  },
  "a storm of 503 lasts for ten tries": {
    strike: (server) => {
      server.breakWatches("close");
      server.fail({}, STORM, 10);
    },
    ends: { closed: 1, error: 10 },
    requests: 11,
  },
  "410 is followed by lists that fail": {
    strike: (server) => {
      server.breakWatches(EXPIRED);
      server.fail({ verb: "list" }, "reset", 3);
    },
    ends: { expired: 1, error: 3 },
    requests: 5,
  },
  "the server hangs when it is asked again": {
    strike: (server) => {
      server.breakWatches("close");
      server.fail({ verb: "watch" }, "hang");
    },
    ends: { closed: 1, idle: 1 },
    requests: 2,
  },
  "the next watch begins and falls silent at once": {
    strike: (server) => {
      server.breakWatches("reset");
      server.fail({ verb: "watch" }, { watch: "silence" });
    },
    ends: { error: 1, idle: 1 },
    requests: 2,
  },
};

for (const [name, { strike, ends, requests }] of Object.entries(faults)) {
  Deno.test(`promise 1: a watch sees everything although ${name}`, async () => {
    await using watcher = await FakeWatcher.start({
      prepare: ({ store }) => {
        for (const name of ["a", "b", "c"]) store.create(CONFIG_MAP, configMap(name));
      },
    });
    watcher.write("a", "1");
    await watcher.clock.advance(5_000);
    watcher.server.forget();
    // While nobody listens: one is changed, one goes, one comes, one goes and comes back.
    strike(watcher.server);
    watcher.write("a", "2");
    watcher.erase("b");
    watcher.write("d", "1");
    watcher.erase("c");
    watcher.write("c", "again");
    await watcher.clock.advance(5 * 60_000);
    assert.deepEqual(watcher.cached, watcher.truth);
    assert.deepEqual(watcher.told, watcher.truth);
    assert.deepEqual(watcher.ends, { closed: 0, idle: 0, expired: 0, error: 0, ...ends });
    assert.equal(watcher.server.count(), requests);
    assert.equal(watcher.server.openWatches, 1);
    // And it goes on.
    watcher.write("e", "1");
    await settle();
    assert.deepEqual(watcher.told, watcher.truth);
    await watcher.clock.advance(45 * 60_000);
    assert.equal(watcher.missed, 0);
    await watcher.stop();
    assert.equal(watcher.clock.pending, 0);
    assert.equal(watcher.server.openWatches, 0);
  });
}
