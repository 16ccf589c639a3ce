import assert from "node:assert/strict";
import type { KubeObject } from "../../api/object.ts";
import { dbm } from "../../migration/test_migrations.ts";
import { Cache } from "../../runtime/cache.ts";
import { runsIn } from "./gather.ts";

function job(namespace: string, labels: Record<string, string>): KubeObject {
  const metadata = { name: "orders-1", namespace, resourceVersion: "1", labels };
  return { apiVersion: "batch/v1", kind: "Job", metadata };
}

Deno.test("only what stands in its own namespace is a run of an object, whatever labels say elsewhere", () => {
  const cache = new Cache();
  const labels = { "maquette.dev/owner-uid": "uid-1", "maquette.dev/migration-run": "orders-1" };
  const own = job("shop", labels);
  for (const each of [own, job("elsewhere", labels), job("other", { "maquette.dev/owner-uid": "uid-1" })]) {
    cache.put(each);
  }
  assert.deepEqual(runsIn(cache, dbm()), [own]);
});
