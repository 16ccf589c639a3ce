/**
 * A real MariaDB or MySQL on a free port of loopback, for tests. MariaDB is that of Debian's packages
 * `mariadb-server-core` and `mariadb-client-core`; MySQL's server is fetched from Maven Central.
 *
 * @module
 */
import { join } from "node:path";
import { waitFor } from "../wait.ts";
import { type MysqlEngine, mysqlPrograms } from "./mysql_programs.ts";
import { PASSWORD } from "./postgres.ts";
import { endServer, freePort, run, spawnServer, writeLog } from "./server_process.ts";

const START_MS = 60_000;

/** One server with its data in a temporary folder, and a user who may do everything in databases made by it. */
export class MysqlServer implements AsyncDisposable {
  readonly engine: MysqlEngine;
  readonly host = "127.0.0.1";
  readonly port = freePort();
  readonly user = "app";
  /** What a shell, a URL and a connection string would read otherwise. */
  readonly password = `${PASSWORD}é`;
  readonly #folder: string;
  #child: Deno.ChildProcess | undefined;

  private constructor(engine: MysqlEngine, folder: string) {
    this.engine = engine;
    this.#folder = folder;
  }

  /** Makes the data folder and starts the server. */
  static async start(engine: MysqlEngine): Promise<MysqlServer> {
    const { install } = await mysqlPrograms(engine);
    const folder = await Deno.makeTempDir({ prefix: `maquette-${engine}-` });
    const server = new MysqlServer(engine, folder);
    await run([...install, `--datadir=${server.#data}`]);
    await server.#boot();
    await server.query(
      `CREATE USER '${server.user}'@'%' IDENTIFIED BY '${server.password.replaceAll(/['\\]/g, "\\$&")}'`,
    );
    return server;
  }

  get #data(): string {
    return join(this.#folder, "data");
  }

  get #socket(): string {
    return join(this.#folder, "socket");
  }

  async #boot(): Promise<void> {
    await this.#spawn();
    await waitFor(`${this.engine} to start`, async () => (await this.query("SELECT 1"))[0]?.[0] === "1", START_MS);
  }

  async #spawn(): Promise<void> {
    const { server } = await mysqlPrograms(this.engine);
    const settings = {
      datadir: this.#data,
      socket: this.#socket,
      port: this.port,
      "bind-address": this.host,
      "pid-file": join(this.#folder, "pid"),
      // As Debian's own configuration and MySQL have it.
      "character-set-server": "utf8mb4",
      "innodb-flush-log-at-trx-commit": 0,
      "innodb-doublewrite": 0,
      "innodb-buffer-pool-size": "32M",
    };
    const flags = Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
    this.#child = spawnServer([...server, ...flags]);
    void writeLog(this.#child, join(this.#folder, "log"));
  }

  /** An empty database, in which the user may do everything. */
  async database(name: string): Promise<void> {
    const pattern = name.replaceAll("_", "\\_");
    await this.query(`CREATE DATABASE \`${name}\`; GRANT ALL ON \`${pattern}\`.* TO '${this.user}'@'%'`);
  }

  /**
   * Runs SQL as the superuser.
   *
   * @returns the rows of all statements, each a list of texts; NULL is "NULL"
   * @throws {Error} with what the server said
   */
  async query(sql: string, database = ""): Promise<string[][]> {
    const flags = ["--no-defaults", "--batch", "--raw", "--skip-column-names", "--default-character-set=utf8mb4"];
    const command = ["mariadb", ...flags, `--socket=${this.#socket}`, "--user=root"];
    const text = await run([...command, ...(database ? [`--database=${database}`] : [])], { stdin: sql });
    return text.split("\n").filter((line) => line !== "").map((line) => line.split("\t"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child) await endServer(this.#child, "SIGKILL");
    await Deno.remove(this.#folder, { recursive: true });
  }
}
