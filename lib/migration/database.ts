/**
 * Where a database is, and how the tools are told. Pure.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { MigrationSpec } from "../api/database_migration.ts";

type Database = MigrationSpec["database"];

const PORTS: Readonly<Record<Database["engine"], number>> = { postgres: 5432, mysql: 3306, mariadb: 3306 };
const DIGEST_LENGTH = 20;

/** `postgres://host:5432/name`: what people read and statuses keep. */
export function databaseKey({ engine, host, port = PORTS[engine], name }: Database): string {
  return `${engine}://${host.toLowerCase()}:${port}/${name}`;
}

/**
 * Name of the Lease that whoever changes the database holds: from host, port and name, whatever engine is written.
 *
 * @param namespace Of whoever names it: `db` is another server there than elsewhere.
 */
export function leaseName({ engine, host, port = PORTS[engine], name }: Database, namespace: string): string {
  const place = `${serverOf(host.toLowerCase(), namespace)}:${port}/${name}`;
  return `maquette-database-${createHash("sha256").update(place).digest("hex").slice(0, DIGEST_LENGTH)}`;
}

/** `db` in namespace `shop`, `db.shop` and `db.shop.svc.cluster.local` are one Service, as Pods' resolvers find it. */
function serverOf(host: string, namespace: string): string {
  const service = host.replace(/^([^.]+\.[^.]+)\.svc(\..*)?$/, "$1");
  return service.includes(".") || service.startsWith("[") ? service : `${service}.${namespace}`;
}

/**
 * The address for a tool. The images of both have MariaDB's driver for either engine, and not MySQL's own.
 *
 * Flyway is told `jdbc:mysql` all the same: so it takes MySQL's own driver where an image has it; newer ones of MariaDB
 * take that scheme only with `permitMysqlScheme`. With Liquibase a script is sent as a whole, so that nobody but the
 * server takes it apart. Passwords of MySQL 8 want TLS or a key of the server, which a driver asks for only where it may.
 */
export function jdbcUrl({ engine, host, port = PORTS[engine], name }: Database, tool: MigrationSpec["tool"]): string {
  if (engine === "postgres") return `jdbc:postgresql://${host}:${port}/${encodeURIComponent(name)}`;
  const isFlyway = tool === "flyway";
  const options = [
    ...(engine === "mysql" ? ["allowPublicKeyRetrieval=true"] : []),
    ...(isFlyway && engine === "mysql" ? ["permitMysqlScheme=true"] : []),
    ...(isFlyway ? [] : ["allowMultiQueries=true"]),
  ];
  const scheme = isFlyway ? engine : "mariadb";
  // MariaDB's driver takes the name as it is written.
  return `jdbc:${scheme}://${host}:${port}/${name}${options.length > 0 ? "?" : ""}${options.join("&")}`;
}

/** Whether a change of the schema is undone with the transaction that it ran in. */
export function hasTransactionalDdl({ engine }: Pick<Database, "engine">): boolean {
  return engine === "postgres";
}

/**
 * SQL that ends what a script has set for its session (`SET ROLE`, `search_path`, as pg_dump writes them): the next
 * script and the history are to be met as by a login. `""` where no script can tell it apart from the login's own.
 */
export function sessionEnd({ engine }: Pick<Database, "engine">): string {
  return engine === "postgres" ? "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL;" : "";
}

/** The Secret and its keys. */
export function loginOf({ secretRef, usernameKey, passwordKey }: Database): {
  secret: string;
  usernameKey: string;
  passwordKey: string;
} {
  return {
    secret: secretRef.name,
    usernameKey: secretRef.usernameKey ?? usernameKey ?? "username",
    passwordKey: secretRef.passwordKey ?? passwordKey ?? "password",
  };
}
