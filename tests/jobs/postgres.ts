/**
 * A real PostgreSQL on a free port of loopback, for tests. Its programs are those of `PG_BIN`, of the newest version that
 * Debian's packages have put into /usr/lib/postgresql, or those in PATH.
 *
 * @module
 */
import { join } from "node:path";
import { waitFor } from "../wait.ts";
import { endServer, freePort, run, spawnServer, writeLog } from "./server_process.ts";

/** Password of the user `postgres`: with what a shell, a URL and a connection string would read otherwise. */
export const PASSWORD = `it's "a" $(pass)word/with@all:of?it=\\100%`;

const PACKAGES = "/usr/lib/postgresql";
const START_MS = 30_000;
const SEPARATOR = "\x1f";

/** One server with its data in a temporary folder. */
export class PostgresServer implements AsyncDisposable {
  readonly host = "127.0.0.1";
  readonly port: number;
  readonly user = "postgres";
  readonly password = PASSWORD;
  /** Folder of its programs: `psql`, `pg_dump` … */
  readonly bin: string;
  readonly #folder: string;
  #child: Deno.ChildProcess | undefined;

  private constructor(bin: string, folder: string, port: number) {
    this.bin = bin;
    this.#folder = folder;
    this.port = port;
  }

  /** Makes the data folder and starts the server. */
  static async start(): Promise<PostgresServer> {
    const bin = await findPrograms();
    const folder = await Deno.makeTempDir({ prefix: "maquette-postgres-" });
    const password = join(folder, "password");
    await Deno.writeTextFile(password, PASSWORD);
    const user = await serverUser();
    if (user) await run(["chown", "-R", user, folder]);
    const server = new PostgresServer(bin, folder, freePort());
    await run(as(user, [
      ...[join(bin, "initdb"), "-D", server.#data, "-U", "postgres", "--encoding=UTF8", "--locale=C.UTF-8"],
      ...["--auth=scram-sha-256", `--pwfile=${password}`, "--no-sync"],
    ]));
    await server.restart();
    return server;
  }

  get #data(): string {
    return join(this.#folder, "data");
  }

  /** Starts it, after {@link kill} too, and waits until it answers. */
  async restart(): Promise<void> {
    // A server that was killed leaves children, which hold the shared memory for a moment.
    await waitFor("PostgreSQL to start", async () => {
      if (!this.#child) await this.#spawn();
      return (await this.query("postgres", "select 1"))[0]?.[0] === "1";
    }, START_MS);
  }

  async #spawn(): Promise<void> {
    const settings = {
      listen_addresses: this.host,
      port: this.port,
      unix_socket_directories: this.#folder,
      fsync: "off",
      max_connections: 200,
      log_statement: "mod",
      log_line_prefix: "%m %p %q%a %d ",
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    const command = as(await serverUser(), [join(this.bin, "postgres"), "-D", this.#data, ...flags]);
    const child = this.#child = spawnServer(command);
    void writeLog(child, join(this.#folder, "log"));
    void child.status.then(() => {
      if (this.#child === child) this.#child = undefined;
    });
  }

  /** Everything that it has logged: each statement that changed something. */
  async log(): Promise<string> {
    return await Deno.readTextFile(join(this.#folder, "log"));
  }

  /** `kill -9`, as a machine that loses power. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async #end(signal: Deno.Signal): Promise<void> {
    const child = this.#child;
    if (!child) return;
    await endServer(child, signal);
    this.#child = undefined;
  }

  /**
   * Runs SQL as the superuser.
   *
   * @returns the rows of the last statement, each a list of texts; NULL is ""
   * @throws {Error} with what the server said
   */
  async query(database: string, sql: string): Promise<string[][]> {
    const args = ["-X", "-q", "-A", "-t", "-F", SEPARATOR, "-v", "ON_ERROR_STOP=1", "-f", "-"];
    const text = await run([join(this.bin, "psql"), ...args], {
      // Not an argument: those are read as connection strings.
      env: { ...this.environment(), PGDATABASE: database },
      stdin: sql,
    });
    return text.split("\n").filter((line) => line !== "").map((line) => line.split(SEPARATOR));
  }

  /** What `psql`, `pg_dump` and their kin read the connection from. */
  environment(): Record<string, string> {
    return { PGHOST: this.host, PGPORT: String(this.port), PGUSER: this.user, PGPASSWORD: this.password };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end("SIGQUIT");
    await Deno.remove(this.#folder, { recursive: true });
  }
}

async function findPrograms(): Promise<string> {
  const named = Deno.env.get("PG_BIN");
  if (named) return named;
  const versions: string[] = [];
  try {
    for await (const { name } of Deno.readDir(PACKAGES)) versions.push(name);
  } catch {
    // Not Debian, or only a client: PATH may have it.
  }
  const newest = versions.sort((a, b) => Number(b) - Number(a))[0];
  if (newest) return join(PACKAGES, newest, "bin");
  const found = await run(["sh", "-c", "command -v postgres"]).catch(() => "");
  if (found) return join(found.trim(), "..");
  throw new Error("PostgreSQL is needed: install Debian's package postgresql, or name its programs' folder in PG_BIN");
}

/** PostgreSQL refuses to run as root: then Debian's own user has to do it. */
async function serverUser(): Promise<string | undefined> {
  if (Deno.uid() !== 0) return undefined;
  await run(["id", "postgres"]);
  return "postgres";
}

function as(user: string | undefined, command: string[]): string[] {
  return user ? ["setpriv", `--reuid=${user}`, `--regid=${user}`, "--init-groups", ...command] : command;
}
