import assert from "node:assert/strict";
import { cachesSynced, healthResponse, SILENT_DEADLINE_MS, watchesAlive } from "./health.ts";
import { settle } from "./fake_clock.ts";
import { FakeWatcher } from "./fake_watcher.ts";

async function answer(...checks: Parameters<typeof healthResponse>[0]): Promise<string> {
  const response = healthResponse(checks);
  return `${response.status} ${await response.text()}`;
}

Deno.test("promise 1: liveness fails when a watch is silent past its deadline, and not before", async () => {
  await using watcher = await FakeWatcher.start();
  const check = watchesAlive(() => [watcher.informer]);
  await watcher.clock.advance(60 * 60_000);
  assert.equal(await answer(check), "200 [+]watches ok\n");
  watcher.server.breakWatches("silence");
  watcher.server.fail({}, "hang", Infinity);
  await watcher.clock.advance(SILENT_DEADLINE_MS - 60_000);
  assert.equal(await answer(check), "200 [+]watches ok\n");
  await watcher.clock.advance(61_000);
  assert.equal(await answer(check), "503 [-]watches silent: configmaps\n");
  watcher.server.mend();
  await watcher.clock.advance(3 * 60_000);
  assert.equal(await answer(check), "200 [+]watches ok\n");
});

Deno.test("promise 1: liveness does not fail for one black hole, which the idle timer finds", async () => {
  await using watcher = await FakeWatcher.start();
  const check = watchesAlive(() => [watcher.informer]);
  for (let minute = 0; minute < 30; minute++) {
    if (minute % 5 === 0) watcher.server.breakWatches("silence");
    await watcher.clock.advance(60_000);
    assert.equal(check.problem(), undefined);
  }
});

Deno.test("readiness fails until every cache holds its first list", async () => {
  await using watcher = new FakeWatcher();
  const check = cachesSynced(() => [watcher.informer]);
  assert.equal(await answer(check), "503 [-]caches not synced: configmaps\n");
  await settle();
  assert.equal(await answer(check), "200 [+]caches ok\n");
});

Deno.test("healthResponse() says of each check how it is, and is well when all are", async () => {
  const good = { name: "good", problem: (): undefined => undefined };
  const bad = { name: "bad", problem: (): string => "broken" };
  assert.equal(await answer(), "200 \n");
  assert.equal(await answer(good, bad, good), "503 [+]good ok\n[-]bad broken\n[+]good ok\n");
});
