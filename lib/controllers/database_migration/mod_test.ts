import assert from "node:assert/strict";
import type { DatabaseMigration } from "../../api/database_migration.ts";
import { apiVersionOf, type KubeObject, type Resource } from "../../api/object.ts";
import { JOB, LEASE, POD } from "../../api/resources.ts";
import { dbm, OPTIONS } from "../../migration/test_migrations.ts";
import { Cache } from "../../runtime/cache.ts";
import type { Change, WatchNeed } from "../../runtime/definition.ts";
import { leaseOf } from "./lock.ts";
import { databaseMigrationController, MIGRATION_PERMISSIONS } from "./mod.ts";

const APPLICATION: Resource = {
  ...LEASE,
  group: "portfolio.example.com",
  kind: "PortfolioApp",
  plural: "portfolioapps",
};
const DEFINITION = databaseMigrationController({ ...OPTIONS, operatorNamespace: "ops", application: APPLICATION });

function child(resource: Resource, name: string, over: { namespace?: string; status?: unknown } = {}): KubeObject {
  const { namespace = "shop", status } = over;
  const labels = { "maquette.dev/owner-uid": "uid-1", "maquette.dev/migration-run": "orders-1" };
  const metadata = { name, namespace, resourceVersion: "1", labels };
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, metadata, status };
}

/** `Kind namespace/name` of what deletion has to see gone. */
function roots(owner: DatabaseMigration, ...children: KubeObject[]): string[] {
  const caches = new Map([JOB, POD, LEASE].map((resource) => [resource.kind, new Cache()]));
  for (const each of children) caches.get(each.kind)!.put(each);
  const found = DEFINITION.roots(owner, { cache: ({ kind }) => caches.get(kind)! });
  return found.map(({ resource, namespace, name }) => `${resource.kind} ${namespace}/${name}`);
}

function leaving(): DatabaseMigration {
  const owner = dbm();
  return { ...owner, metadata: { ...owner.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } };
}

const LEASE_ROOT = `Lease ops/${leaseOf(dbm())}`;

Deno.test("the database is given back when nothing can talk to it any more", () => {
  const running = child(POD, "orders-1-x", { status: { phase: "Running" } });
  const over = child(POD, "orders-1-y", { status: { phase: "Failed" } });
  assert.deepEqual(roots(leaving(), child(JOB, "orders-1"), running, over), [
    "Job shop/orders-1",
    "Pod shop/orders-1-x",
  ]);
  assert.deepEqual(roots(leaving(), running), ["Pod shop/orders-1-x"]);
  assert.deepEqual(roots(leaving(), over), [LEASE_ROOT]);
});

Deno.test("what carries our labels in another namespace proves nothing and is not touched", () => {
  const foreign = { namespace: "elsewhere", status: { phase: "Running" } };
  assert.deepEqual(roots(leaving(), child(JOB, "orders-1", foreign), child(POD, "orders-1-x", foreign)), [LEASE_ROOT]);
});

Deno.test("a Lease of a database that was named before is given back, too", () => {
  assert.deepEqual(roots(leaving(), child(LEASE, "older", { namespace: "ops" })), [LEASE_ROOT, "Lease ops/older"]);
});

Deno.test("every root is of a kind that the definition owns, and may be deleted", () => {
  for (const resource of [JOB, POD, LEASE]) {
    assert.ok(DEFINITION.owns.some((need) => need.resource === resource));
    const rule = MIGRATION_PERMISSIONS.find((one) => one.resources.includes(resource.plural));
    assert.ok(rule?.verbs.includes("delete") && rule.verbs.includes("get"));
  }
});

Deno.test("Leases are watched and written in the operator's namespace only", () => {
  assert.equal(needOf(LEASE).namespace, "ops");
  const rules = MIGRATION_PERMISSIONS.filter(({ resources }) => resources.includes("leases"));
  assert.deepEqual(rules.map(({ isOwnNamespace }) => isOwnNamespace), [true]);
});

function needOf(resource: Resource): WatchNeed {
  return [...DEFINITION.owns, ...DEFINITION.watches].find((need) => need.resource === resource)!;
}

function woken(resource: Resource, change: Change): string[] {
  const owners = new Cache();
  for (const [name, of] of Object.entries(DEFINITION.indexes!)) owners.addIndex(name, of);
  owners.put({ ...dbm(), metadata: { ...dbm().metadata, resourceVersion: "1" } });
  return needOf(resource).owners!(change, owners);
}

Deno.test("whoever waits for a database is woken when its Lease goes", () => {
  const lease = child(LEASE, leaseOf(dbm()), { namespace: "ops" });
  lease.metadata.annotations = { "maquette.dev/owner": "DatabaseMigration.portfolio.example.com/other/holder" };
  assert.deepEqual(woken(LEASE, { type: "DELETED", object: lease }), ["other/holder", "shop/orders"]);
});

Deno.test("an application wakes the migration that it names, and the one that it named", () => {
  const app = (name: string): KubeObject => ({ ...child(APPLICATION, "web"), spec: { migrationRef: { name } } });
  assert.deepEqual(woken(APPLICATION, { type: "MODIFIED", object: app("b"), old: app("a") }), ["shop/b", "shop/a"]);
});
