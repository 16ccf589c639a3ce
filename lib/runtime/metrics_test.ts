import assert from "node:assert/strict";
import { Registry } from "prom-client";
import { CONFIG_MAP } from "../api/resources.ts";
import { RuntimeMetrics } from "./metrics.ts";

/** Lines of one metric, as they are scraped. */
async function lines(metrics: RuntimeMetrics, name: string): Promise<string[]> {
  const text = await metrics.registry.metrics();
  return text.split("\n").filter((line) => line.startsWith(name));
}

Deno.test("promise 1: missed events show as 0 from the start, and count", async () => {
  const metrics = new RuntimeMetrics(new Registry());
  metrics.watched(CONFIG_MAP);
  const name = "maquette_watch_missed_events_total";
  assert.deepEqual(await lines(metrics, name), [`${name}{resource="configmaps"} 0`]);
  metrics.eventsMissed(CONFIG_MAP, 3);
  assert.deepEqual(await lines(metrics, name), [`${name}{resource="configmaps"} 3`]);
});

Deno.test("requests, watch restarts and reconciles are counted by labels of few values", async () => {
  const metrics = new RuntimeMetrics(new Registry());
  metrics.requested("apply", "configmaps", 409);
  metrics.watchEnded(CONFIG_MAP, "expired");
  metrics.reconciled("Gadget", "conflict", 0.3);
  assert.deepEqual(await lines(metrics, "maquette_api_requests_total"), [
    'maquette_api_requests_total{verb="apply",resource="configmaps",code="409"} 1',
  ]);
  assert.deepEqual(await lines(metrics, "maquette_watch_restarts_total"), [
    'maquette_watch_restarts_total{resource="configmaps",reason="expired"} 1',
  ]);
  assert.deepEqual(await lines(metrics, "maquette_reconcile_duration_seconds_count"), [
    'maquette_reconcile_duration_seconds_count{kind="Gadget",outcome="conflict"} 1',
  ]);
});

Deno.test("the depth of queues is read when metrics are asked for", async () => {
  const metrics = new RuntimeMetrics(new Registry());
  let depth = 1;
  metrics.queueDepth(() => [{ kind: "Gadget", depth }]);
  depth = 7;
  assert.deepEqual(await lines(metrics, "maquette_queue_depth"), ['maquette_queue_depth{kind="Gadget"} 7']);
});

Deno.test("memory is told without a permission", async () => {
  const metrics = new RuntimeMetrics(new Registry());
  const [line] = await lines(metrics, "process_resident_memory_bytes");
  assert.ok(Number(line!.split(" ")[1]) > 1_000_000);
});

Deno.test("promise 7: each registry has metrics of its own", async () => {
  const [one, other] = [new RuntimeMetrics(new Registry()), new RuntimeMetrics(new Registry())];
  one.watchEnded(CONFIG_MAP, "idle");
  assert.deepEqual(await lines(other, "maquette_watch_restarts_total"), []);
});
