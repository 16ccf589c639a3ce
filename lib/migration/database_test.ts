import assert from "node:assert/strict";
import type { MigrationSpec } from "../api/database_migration.ts";
import { databaseKey, jdbcUrl, leaseName, loginOf } from "./database.ts";

type Database = MigrationSpec["database"];

function database(over: Partial<Database> = {}): Database {
  return { engine: "postgres", host: "db.example.com", name: "shop", secretRef: { name: "login" }, ...over };
}

const URLS: Record<string, [over: Partial<Database>, flyway: string, liquibase: string]> = {
  "postgres": [{}, "jdbc:postgresql://db.example.com:5432/shop", "jdbc:postgresql://db.example.com:5432/shop"],
  "mysql": [
    { engine: "mysql" },
    "jdbc:mysql://db.example.com:3306/shop?allowPublicKeyRetrieval=true&permitMysqlScheme=true",
    "jdbc:mariadb://db.example.com:3306/shop?allowPublicKeyRetrieval=true&allowMultiQueries=true",
  ],
  "mariadb, at a port of its own": [
    { engine: "mariadb", port: 13306 },
    "jdbc:mariadb://db.example.com:13306/shop",
    "jdbc:mariadb://db.example.com:13306/shop?allowMultiQueries=true",
  ],
  "an address and a name with a dollar": [
    { host: "[fd00::1]", name: "shop$1" },
    "jdbc:postgresql://[fd00::1]:5432/shop%241",
    "jdbc:postgresql://[fd00::1]:5432/shop%241",
  ],
  "a name with a dollar, for a driver that decodes nothing": [
    { engine: "mariadb", name: "shop$1" },
    "jdbc:mariadb://db.example.com:3306/shop$1",
    "jdbc:mariadb://db.example.com:3306/shop$1?allowMultiQueries=true",
  ],
};

for (const [what, [over, flyway, liquibase]] of Object.entries(URLS)) {
  Deno.test(`the address of ${what}`, () => {
    assert.equal(jdbcUrl(database(over), "flyway"), flyway);
    assert.equal(jdbcUrl(database(over), "liquibase"), liquibase);
  });
}

Deno.test("one database has one Lease, whoever names it how", () => {
  const same = database({ host: "DB.example.com", port: 5432, secretRef: { name: "other" } });
  assert.equal(leaseName(database(), "a"), leaseName(same, "b"));
  assert.equal(databaseKey(same), "postgres://db.example.com:5432/shop");
  assert.match(leaseName(database(), "a"), /^maquette-database-[0-9a-f]{20}$/);
  const others = [{ name: "shop2" }, { port: 5433 }, { host: "db2" }, { engine: "mysql" as const }];
  assert.equal(new Set([{}, ...others].map((over) => leaseName(database(over), "a"))).size, 5);
  const [mysql, mariadb] = (["mysql", "mariadb"] as const).map((engine) => leaseName(database({ engine }), "a"));
  assert.equal(mysql, mariadb);
});

Deno.test("a Service has one Lease, by whatever name; one of another namespace has its own", () => {
  const leaseOf = (host: string, namespace: string): string => leaseName(database({ host }), namespace);
  const short = leaseOf("db", "shop");
  for (const host of ["db.shop", "db.shop.svc", "db.shop.svc.cluster.local"]) {
    assert.equal(leaseOf(host, "other"), short);
  }
  assert.notEqual(leaseOf("db", "other"), short);
  assert.equal(leaseOf("10.0.0.1", "shop"), leaseOf("10.0.0.1", "other"));
  assert.equal(leaseOf("[fd00::1]", "shop"), leaseOf("[fd00::1]", "other"));
});

Deno.test("keys of the login stand in secretRef or beside it", () => {
  assert.deepEqual(loginOf(database()), { secret: "login", usernameKey: "username", passwordKey: "password" });
  const inside = database({ secretRef: { name: "login", usernameKey: "u", passwordKey: "p" } });
  const beside = database({ usernameKey: "u", passwordKey: "p" });
  for (const each of [inside, beside]) {
    assert.deepEqual(loginOf(each), { secret: "login", usernameKey: "u", passwordKey: "p" });
  }
});
