/** What a migration does whose objects the cluster refuses, minute after minute. */
import assert from "node:assert/strict";
import { DATABASE_MIGRATION, type DatabaseMigration } from "../../api/database_migration.ts";
import { ANNOTATION_PAUSED, ANNOTATION_RETRY, FINALIZER } from "../../api/names.ts";
import type { KubeObject } from "../../api/object.ts";
import { CONFIG_MAP, JOB, LEASE, NAMESPACE, POD } from "../../api/resources.ts";
import { KubeError } from "../../kube/errors.ts";
import { ScriptedServer } from "../../kube/scripted_server.ts";
import { dbm } from "../../migration/test_migrations.ts";
import type { ControllerDefinition } from "../../runtime/definition.ts";
import { FakeClock } from "../../runtime/fake_clock.ts";
import type { World } from "../../runtime/fake_cluster.ts";
import { FakeOperator } from "../../runtime/fake_operator.ts";
import { statusRules } from "../../runtime/status_rules.ts";
import { databaseMigrationController } from "./mod.ts";
import { runOf, SETTINGS } from "./test_objects.ts";

const KIND = DATABASE_MIGRATION.resource;
const QUOTA = new KubeError(403, "Forbidden", 'jobs.batch "x" is forbidden: exceeded quota');
const MINUTE_MS = 60_000;

/** A cluster with migrations of one database. */
function withMigrations(...names: string[]): World {
  const clock = new FakeClock();
  const server = new ScriptedServer({ resources: [NAMESPACE, CONFIG_MAP, JOB, POD, LEASE, KIND], clock });
  for (const name of ["shop", SETTINGS.operatorNamespace]) {
    server.store.create(NAMESPACE, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  }
  for (const name of names) {
    server.store.create(KIND, { ...dbm(), metadata: { name, namespace: "shop", finalizers: [FINALIZER] } });
  }
  return { clock, server };
}

function operatorOn(world: World): FakeOperator {
  return new FakeOperator({ world, definition: databaseMigrationController(SETTINGS) as ControllerDefinition });
}

function look({ server }: World, name = "orders"): DatabaseMigration {
  return server.store.get(KIND, `shop/${name}`) as DatabaseMigration;
}

function edit({ server }: World, change: (owner: KubeObject) => void): void {
  server.store.edit(KIND, "shop/orders", change);
}

function attempts({ server }: World): number {
  return server.count({ verb: "create", resource: "jobs" });
}

/** Somebody's Job has the name of the run. */
function squat(world: World): void {
  world.server.store.create(JOB, runOf(look(world)).job);
}

/** Seconds out of so many in which somebody has the database. */
async function secondsHeld({ server, clock }: World, seconds: number): Promise<number> {
  let held = 0;
  for (let second = 0; second < seconds; second++) {
    if (server.store.list(LEASE).length > 0) held++;
    await clock.advance(1_000);
  }
  return held;
}

const REFUSALS: Record<string, { refuse: (world: World) => void; says: [phase: string, reason: string] }> = {
  "Jobs are beyond a quota": {
    refuse: ({ server }) => server.fail({ verb: "create", resource: "jobs" }, QUOTA, Infinity),
    says: ["Pending", "Forbidden"],
  },
  "a policy refuses its Job": {
    refuse: ({ server }) =>
      server.fail({ verb: "create", resource: "jobs" }, new KubeError(422, "Invalid", "denied"), Infinity),
    says: ["Pending", "Refused"],
  },
  "a quota refuses its files": {
    refuse: ({ server }) => server.fail({ verb: "apply", resource: "configmaps" }, QUOTA, Infinity),
    says: ["Pending", "Forbidden"],
  },
  "somebody's Job has its name": { refuse: squat, says: ["Failed", "NotOwned"] },
};

for (const [what, { refuse, says }] of Object.entries(REFUSALS)) {
  Deno.test(`where ${what} a run is tried once a minute, and the database is free in between`, async () => {
    const world = withMigrations("orders");
    refuse(world);
    await using _operator = await operatorOn(world).start();
    const held = await secondsHeld(world, 600);
    const tries = world.server.count({ verb: "create", resource: "leases" });
    assert.ok(tries >= 10 && tries <= 11, `${tries} attempts`);
    assert.ok(held <= 2 * tries, `${held} s`);
    const { status } = look(world);
    assert.deepEqual([status!.phase, status!.conditions![0]!.reason], says);
    assert.deepEqual(statusRules(look(world), world.clock.now()), []);
    assert.ok(world.server.writes.length <= 6 * tries, `${world.server.writes.length} writes`);
  });
}

Deno.test("two that are refused do not wake each other", async () => {
  const world = withMigrations("orders", "bills");
  world.server.fail({ verb: "create", resource: "jobs" }, QUOTA, Infinity);
  await using _operator = await operatorOn(world).start();
  await world.clock.advance(10 * MINUTE_MS);
  assert.ok(attempts(world) >= 20 && attempts(world) <= 24, `${attempts(world)} attempts`);
});

Deno.test("an operator that is started anew keeps the minute, and a room that was made is taken", async () => {
  const world = withMigrations("orders");
  world.server.fail({ verb: "create", resource: "jobs" }, QUOTA, Infinity);
  const first = await operatorOn(world).start();
  await world.clock.advance(20_000);
  await first.stop();
  await using _second = await operatorOn(world).start();
  await world.clock.advance(30_000);
  assert.equal(attempts(world), 1);
  world.server.mend();
  await world.clock.advance(15_000);
  assert.equal(attempts(world), 2);
  assert.equal(world.server.store.list(JOB).length, 1);
  assert.deepEqual([look(world).status!.phase, look(world).status!.attempt], ["Running", undefined]);
});

const AT_ONCE: Record<string, (owner: KubeObject) => void> = {
  "another retry annotation": ({ metadata }) => metadata.annotations = { [ANNOTATION_RETRY]: "1" },
  "another spec": ({ metadata, spec }) => {
    metadata.generation!++;
    spec.rollback = { onFailure: true };
  },
};

for (const [what, change] of Object.entries(AT_ONCE)) {
  Deno.test(`${what} is no reason to wait out the minute, and is one attempt`, async () => {
    const world = withMigrations("orders");
    world.server.fail({ verb: "create", resource: "jobs" }, QUOTA, Infinity);
    await using _operator = await operatorOn(world).start();
    await world.clock.advance(10_000);
    edit(world, change);
    await world.clock.advance(50_000);
    assert.equal(attempts(world), 2);
    assert.deepEqual(world.server.store.list(LEASE), []);
  });
}

Deno.test("a refused run whose author stops changes writes nothing any more, and goes on at once after", async () => {
  const world = withMigrations("orders");
  world.server.fail({ verb: "create", resource: "jobs" }, QUOTA, Infinity);
  await using _operator = await operatorOn(world).start();
  await world.clock.advance(10_000);
  edit(world, ({ metadata }) => metadata.annotations = { [ANNOTATION_PAUSED]: "true" });
  await world.clock.advance(MINUTE_MS);
  assert.equal(look(world).status!.conditions![0]!.reason, "Paused");
  const writes = world.server.writes.length;
  await world.clock.advance(5 * MINUTE_MS);
  assert.deepEqual([world.server.writes.length, attempts(world)], [writes, 1]);
  edit(world, ({ metadata }) => delete metadata.annotations);
  await world.clock.advance(1_000);
  assert.equal(attempts(world), 2);
});

Deno.test("a server that fails is tried again with a growing pause", async () => {
  const world = withMigrations("orders");
  world.server.fail({ verb: "create", resource: "jobs" }, new KubeError(500, "InternalError", "no"), Infinity);
  await using _operator = await operatorOn(world).start();
  await world.clock.advance(10 * MINUTE_MS);
  assert.ok(attempts(world) > 8 && attempts(world) < 16, `${attempts(world)} attempts`);
});
