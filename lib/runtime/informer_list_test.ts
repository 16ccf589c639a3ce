import assert from "node:assert/strict";
import { CONFIG_MAP } from "../api/resources.ts";
import { KubeError } from "../kube/errors.ts";
import type { ScriptedServer } from "../kube/scripted_server.ts";
import { settle } from "./fake_clock.ts";
import { configMap, FakeWatcher } from "./fake_watcher.ts";

/** Fills the store with objects of `kib` KiB each. */
function fill(count: number, kib: number): (server: ScriptedServer) => void {
  const padding = "é".repeat(kib * 512);
  return ({ store }) => {
    for (let i = 0; i < count; i++) {
      store.create(CONFIG_MAP, { ...configMap(`name-${String(i).padStart(5, "0")}`), data: { value: "0", padding } });
    }
  };
}

Deno.test("promise 1: a list of 20 MB comes in pages of 500", async () => {
  await using watcher = await FakeWatcher.start({ prepare: fill(2_500, 8) });
  assert.equal(watcher.server.count({ verb: "list" }), 5);
  assert.equal(watcher.informer.cache.size, 2_500);
  watcher.write("name-00000", "1");
  await settle();
  assert.deepEqual(watcher.told, watcher.truth);
});

Deno.test("promise 1: a page of 20 MB is one page, and one event of 1 MB is one event", async () => {
  await using watcher = await FakeWatcher.start({ prepare: fill(500, 40) });
  assert.equal(watcher.server.count({ verb: "list" }), 1);
  watcher.write("large", "ü".repeat(512 * 1024));
  await settle();
  assert.deepEqual(watcher.told, watcher.truth);
});

Deno.test("promise 1: what changes between two pages is in the list's snapshot or in the watch, once", async () => {
  await using watcher = await FakeWatcher.start({
    prepare: (server) => {
      fill(1_200, 1)(server);
      // After the first page: one of each page changes, one goes, one comes.
      server.interpose({ verb: "list" }, {
        after: () => {
          for (const index of ["00001", "00600", "01100"]) {
            server.store.edit(CONFIG_MAP, `default/name-${index}`, (object) => object.data.value = "1");
          }
          server.store.remove(CONFIG_MAP, "default/name-00700");
          server.store.create(CONFIG_MAP, configMap("late"));
        },
      });
    },
  });
  assert.equal(watcher.server.count({ verb: "list" }), 3);
  assert.deepEqual(watcher.told, watcher.truth);
  assert.equal(watcher.changes.filter(({ type }) => type === "ADDED").length, 1_201);
});

Deno.test("promise 1: a continue token that is too old begins the list anew", async () => {
  await using watcher = new FakeWatcher({
    prepare: (server) => {
      fill(1_200, 1)(server);
      server.interpose({ verb: "list" }, {
        after: () => server.fail({ verb: "list" }, new KubeError(410, "Expired", "continue parameter is too old")),
      });
    },
  });
  await watcher.clock.advance(1_000);
  assert.deepEqual(watcher.told, watcher.truth);
  assert.equal(watcher.changes.length, 1_200);
  assert.equal(watcher.ends.expired, 1);
});

Deno.test("promise 1: a list that breaks on its last page drops nothing that was known", async () => {
  await using watcher = await FakeWatcher.start({ prepare: fill(600, 1) });
  watcher.server.interpose({ verb: "list" }, { after: () => watcher.server.fail({ verb: "list" }, "reset") });
  watcher.server.breakWatches(new KubeError(410, "Expired", "too old"));
  await watcher.clock.advance(300);
  assert.equal(watcher.informer.cache.size, 600);
  await watcher.clock.advance(5_000);
  assert.equal(watcher.changes.length, 600);
});
