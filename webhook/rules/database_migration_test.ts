import assert from "node:assert/strict";
import type { KubeObject } from "../../lib/api/object.ts";
import { checksumOf } from "../../lib/migration/migration_set.ts";
import { databaseMigration } from "../../tests/fixtures/database_migrations.ts";
import { contextWith } from "../testing.ts";
import { type Verdict, verdict } from "../verdict.ts";
import { DATABASE_MIGRATION_RULES } from "./database_migration.ts";

type Spec = Record<string, unknown>;

const ONE = { version: "1", sql: "one" };
const TWO = { version: "2", sql: "two" };
const KEY = "postgres://db.shop.svc:5432/shop";

/** What is stored, with a database that is at version 2. */
function stored(spec: Spec = {}, database = KEY): KubeObject {
  const applied = [ONE, TWO].map(({ version, sql }) => ({ version, checksum: checksumOf(sql) }));
  const status = { database, currentVersion: "2", appliedMigrations: applied };
  return { ...databaseMigration({ migrations: [ONE, TWO], ...spec }), status };
}

function changed(spec: Spec, old: KubeObject = stored()): Verdict {
  const object = { ...databaseMigration(spec), status: old.status };
  return verdict(DATABASE_MIGRATION_RULES, object, old, contextWith({}));
}

function created(spec: Spec): Verdict {
  return verdict(DATABASE_MIGRATION_RULES, databaseMigration(spec), undefined, contextWith({}));
}

const REFUSALS: Record<string, { spec: Spec; field: string; says: string }> = {
  "an applied version whose text changed": {
    spec: { migrations: [{ ...ONE, sql: "other" }, TWO] },
    field: "spec.migrations[0].sql",
    says: 'Version "1" is applied, its text must stay: make the change as a new version',
  },
  "an applied version in another spelling": {
    spec: { migrations: [ONE, { ...TWO, version: "2.0" }] },
    field: "spec.migrations[1].version",
    says: 'Is applied as "2": it must keep its spelling',
  },
  "an applied version whose description changed": {
    spec: { migrations: [{ ...ONE, description: "other" }, TWO] },
    field: "spec.migrations[0].description",
    says: 'Version "1" is applied, its description must stay',
  },
  "a new version below an applied one": {
    spec: { migrations: [ONE, { version: "1.10", sql: "x" }, TWO] },
    field: "spec.migrations[1].version",
    says: 'Is lower than "2", which is applied already: give it a higher one, or set allowOutOfOrder',
  },
};

for (const [sentence, { spec, field, says }] of Object.entries(REFUSALS)) {
  Deno.test(`a DatabaseMigration is refused: ${sentence}`, () => {
    assert.deepEqual(changed(spec).problems, [{ field, message: says }]);
  });
}

const TAKEN: Record<string, [spec: Spec, old?: KubeObject]> = {
  "a new version above all": [{ migrations: [ONE, TWO, { version: "2.1", sql: "x" }] }],
  "a new version below, where it is allowed": [{
    migrations: [ONE, { version: "1.10", sql: "x" }, TWO],
    allowOutOfOrder: true,
  }],
  "what is applied need not be listed": [{ migrations: [{ version: "3", sql: "x" }] }],
  "the status of another database says nothing": [{ migrations: [{ ...ONE, sql: "x" }] }, stored({}, "elsewhere")],
  "the description of a version, with a tool that does not mind": [
    { migrations: [{ ...ONE, description: "other" }, TWO], tool: "liquibase" },
    stored({ tool: "liquibase" }),
  ],
  "a pending version may be edited": [
    { migrations: [ONE, TWO, { version: "3", sql: "fixed" }] },
    stored({ migrations: [ONE, TWO, { version: "3", sql: "broken" }] }),
  ],
};

for (const [sentence, [spec, old]] of Object.entries(TAKEN)) {
  Deno.test(`a DatabaseMigration is taken: ${sentence}`, () => assert.deepEqual(changed(spec, old).problems, []));
}

Deno.test("two spellings of one version are refused, and scripts over their bytes", () => {
  const { problems } = created({ migrations: [ONE, { version: "1.0", sql: "ü".repeat(500_001) }] });
  assert.deepEqual(problems.map(({ field }) => field), ["spec.migrations[1].sql", "spec.migrations[1].version"]);
});

Deno.test("what is legal but unwise is warned of", () => {
  const { warnings } = created({
    migrations: [TWO, ONE, { version: "1.5", sql: "x", stage: "contract", rollback: "y" }],
    rollback: { onFailure: true },
  });
  assert.deepEqual(warnings, [
    "spec.migrations[1].version: Stands behind a higher one; they run in the order of their numbers",
    'spec.migrations[0].stage: Runs before a rollout, but stands behind "1.5", which runs after it: where that is not ' +
    "applied yet, the run is refused",
    'spec.rollback.onFailure: Without rollback text, nothing is undone from there on: "2", "1"',
  ]);
});

Deno.test("it gets the finalizer when it is created", () => {
  assert.deepEqual(created({}).object.metadata.finalizers, ["maquette.dev/cleanup"]);
});

Deno.test("whatever shape the object has, no rule throws", () => {
  for (
    const migrations of [null, "x", [null, 1, { version: 1 }, { version: "x", sql: "y" }, { version: "", sql: "" }]]
  ) {
    const spec = { migrations, database: null, rollback: 7 };
    assert.ok(changed(spec).problems.length > 0);
  }
});
