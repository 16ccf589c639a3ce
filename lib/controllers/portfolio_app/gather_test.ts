import assert from "node:assert/strict";
import type { KubeObject, Resource } from "../../api/object.ts";
import { PORTFOLIO_APP, type PortfolioApp } from "../../api/portfolio_app.ts";
import { KubeError } from "../../kube/errors.ts";
import type { Change } from "../../migration/migration_set.ts";
import { changesIn, revisionOf } from "../../migration/source.ts";
import { Cache } from "../../runtime/cache.ts";
import { stamp } from "../../runtime/ownership.ts";
import { LogReader } from "../../workload/logs.ts";
import { gather, type Seen } from "./gather.ts";
import { BY_MIGRATION, migrationKey } from "./sources.ts";
import { app, child, pod, rolledOut, SETTINGS } from "./test_objects.ts";

interface World {
  children?: KubeObject[];
  all?: KubeObject[];
  /** What the API server answers with, by kind. */
  live?: Record<string, KubeObject>;
}

/** Gathers from caches of these objects. @returns What was seen, and for which kinds the API server was asked. */
async function gathered(
  owner: PortfolioApp,
  { children = [], all = [], live = {} }: World,
): Promise<{ seen: Seen; asked: string[] }> {
  const caches = new Map<string, Cache>();
  const cache = ({ kind }: Pick<Resource, "kind">, scope: string): Cache => {
    const key = `${kind}/${scope}`;
    if (!caches.has(key)) caches.set(key, cacheOf(kind));
    return caches.get(key)!;
  };
  for (const [scope, objects] of [["children", children], ["all", all]] as const) {
    for (const object of objects) {
      const metadata = { resourceVersion: "1", ...object.metadata };
      cache(object, scope).put({ ...object, metadata });
    }
  }
  const asked: string[] = [];
  const kube = {
    get: ({ kind }: Resource) => {
      asked.push(kind);
      return live[kind] ? Promise.resolve(live[kind]) : Promise.reject(new KubeError(404, "NotFound", kind));
    },
    logs: () => Promise.resolve(""),
  };
  const clock = { now: () => 0 } as never;
  const seen: Seen = await gather(owner, { cache, kube, clock, settings: SETTINGS, logs: new LogReader() });
  return { seen, asked };
}

function cacheOf(kind: string): Cache {
  const cache = new Cache();
  const index = (owner: KubeObject): string[] =>
    [migrationKey(owner as PortfolioApp)].filter((key) => key !== undefined);
  if (kind === PORTFOLIO_APP.resource.kind) cache.addIndex(BY_MIGRATION, index);
  return cache;
}

/** Generation 3, and what comes before a rollout is applied at this one. */
function migration(expandedAt: number): KubeObject {
  const conditions = [{ type: "Expanded", status: "True", reason: "Applied", observedGeneration: expandedAt }];
  const schema = child("DatabaseMigration", "schema", { status: { conditions } });
  return { ...schema, metadata: { ...schema.metadata, generation: 3 } };
}

Deno.test("gather() passes over Pods that are over: nobody deletes them", async () => {
  const owner = app();
  const evicted = { ...pod(owner, "evicted"), status: { phase: "Failed", reason: "Evicted" } };
  const { seen, asked } = await gathered(owner, { children: [pod(owner), evicted] });
  assert.deepEqual(seen.allPods.map(({ metadata }) => metadata.name), ["shop-1"]);
  assert.deepEqual(asked, [], "a steady state asks for nothing");
});

Deno.test("gather() asks for a migration itself before a version rolls by what the watch has shown", async () => {
  const owner = app({ migrationRef: { name: "schema" }, version: "v2" });
  const { deployment } = rolledOut(app({ migrationRef: { name: "schema" }, version: "v1" }));
  const children = [deployment!];
  const live: Record<string, KubeObject> = { DatabaseMigration: { ...migration(3), spec: { isNewer: true } } };
  const rolling = await gathered(owner, { children, all: [migration(3)], live });
  assert.deepEqual([rolling.seen.migration?.spec, rolling.asked], [{ isNewer: true }, ["DatabaseMigration"]]);
  const waiting = await gathered(owner, { children, all: [migration(2)], live });
  assert.deepEqual(waiting.asked, [], "it waits anyway");
});

Deno.test("gather() believes no migration that has not seen what its ConfigMap has by now", async () => {
  const owner = app({ migrationRef: { name: "schema" }, version: "v2" });
  const text = (sql: string): KubeObject => child("ConfigMap", "changes", { data: { "V1__a.sql": sql } });
  const spec = { source: { configMapRef: { name: "changes" } } };
  const { changes } = changesIn(text("SELECT 1")) as { changes: Change[] };
  const schema = { ...migration(3), spec };
  const found: KubeObject = {
    ...schema,
    status: { ...migration(3).status, revision: revisionOf(schema as never, changes) },
  };
  const rolling = async (configMap?: KubeObject): Promise<unknown[]> => {
    const live = { DatabaseMigration: found, ...(configMap ? { ConfigMap: configMap } : {}) };
    return (await gathered(owner, { all: [found], live })).seen.migration!.status.conditions;
  };
  assert.equal((await rolling(text("SELECT 1"))).length, 1);
  assert.deepEqual(await rolling(text("SELECT 2")), []);
  assert.deepEqual(await rolling(), [], "it is gone");
});

Deno.test("gather() sees what other applications of the same schema run", async () => {
  const owner = app({ migrationRef: { name: "schema" } });
  const other = app({ migrationRef: { name: "schema" } }, { metadata: { name: "other", uid: "uid-of-other" } });
  const { deployment, pods } = rolledOut(other);
  const { seen } = await gathered(owner, { children: [stamp(deployment!, other), ...pods], all: [owner, other] });
  const leaving = { ...other, metadata: { ...other.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } };
  assert.equal((await gathered(owner, { all: [owner, leaving] })).seen.peers.length, 1, "it still serves");
  assert.deepEqual(seen.peers.map((peer) => [peer.owner.metadata.name, peer.deployment?.kind, peer.allPods.length]), [
    ["other", "Deployment", 1],
  ]);
});

Deno.test("gather() sees whether the namespace goes, too", async () => {
  const metadata = { name: "team", deletionTimestamp: "2026-01-01T00:00:00Z" };
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata };
  assert.equal((await gathered(app(), { all: [namespace] })).seen.isNamespaceLeaving, true);
  assert.equal((await gathered(app(), {})).seen.isNamespaceLeaving, false);
});
