/**
 * The Job of a run without a cluster: its own command, environment and files against a real database.
 *
 * @module
 */
import { join } from "node:path";
import type { DatabaseMigration } from "../../lib/api/database_migration.ts";
import { DATABASE_MIGRATION } from "../../lib/api/database_migration.ts";
import type { KubeObject } from "../../lib/api/object.ts";
import { withDefaults } from "../../lib/api/validate.ts";
import { migrationRun, type Run, undoRun } from "../../lib/migration/job.ts";
import { changesOf } from "../../lib/migration/migration_set.ts";
import { readReport, type Report } from "../../lib/migration/report.ts";
import { type MigrationRequest, requestFor } from "../../lib/migration/request.ts";
import { OPTIONS } from "../../lib/migration/test_migrations.ts";
import { expanded } from "../jobs/environment.ts";
import type { PostgresServer } from "../jobs/postgres.ts";
import type { ImageContent } from "../jobs/runner.ts";
import { contain } from "../jobs/sandbox.ts";

/** How the container of a run ended. */
export interface DirectEnd {
  exitCode: number;
  report: Report;
  log: string;
}

/** See the module. */
export class DirectRuns implements AsyncDisposable {
  readonly #folder: string;
  readonly #server: PostgresServer;
  readonly #images: Record<string, ImageContent>;

  private constructor(folder: string, server: PostgresServer, images: Record<string, ImageContent>) {
    this.#folder = folder;
    this.#server = server;
    this.#images = images;
  }

  static async in(server: PostgresServer, images: Record<string, ImageContent>): Promise<DirectRuns> {
    return new DirectRuns(await Deno.makeTempDir({ prefix: "maquette-direct-" }), server, images);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }

  /** Brings a database to the last of the migrations. @param tamper Changes the files before they are read. */
  async migrate(
    database: string,
    spec: Record<string, unknown>,
    tamper?: (files: Record<string, string>) => void,
  ): Promise<DirectEnd> {
    const { owner, request } = this.#asked(database, spec);
    return await this.#run(migrationRun(owner, request, OPTIONS), request, tamper);
  }

  /** Undoes versions. */
  async undo(database: string, spec: Record<string, unknown>, undo: readonly string[]): Promise<DirectEnd> {
    const { owner, request } = this.#asked(database, spec);
    return await this.#run(undoRun(owner, { request, of: "direct", undo }, OPTIONS), request);
  }

  #asked(name: string, spec: Record<string, unknown>): { owner: DatabaseMigration; request: MigrationRequest } {
    const { host, port } = this.#server;
    const database = { host, port, name, secretRef: { name: "login" } };
    const object = {
      apiVersion: "portfolio.example.com/v1alpha1",
      kind: "DatabaseMigration",
      spec: { database, ...spec },
    };
    const metadata = { name: "direct", namespace: "direct", uid: "uid", generation: 1 };
    const owner = withDefaults(DATABASE_MIGRATION, { ...object, metadata }) as DatabaseMigration;
    return { owner, request: requestFor(owner, changesOf(owner.spec.migrations ?? []), false) };
  }

  async #run(
    { configMaps, job }: Run,
    { changes, tool }: MigrationRequest,
    tamper?: (files: Record<string, string>) => void,
  ): Promise<DirectEnd> {
    const folder = await Deno.makeTempDir({ dir: this.#folder });
    const files: Record<string, string> = Object.assign({}, ...configMaps.map(({ data }) => data));
    tamper?.(files);
    for (const [name, content] of Object.entries(files)) await Deno.writeTextFile(join(folder, name), content);
    await Deno.chmod(folder, 0o755);
    const message = await Deno.makeTempFile({ dir: this.#folder });
    await Deno.chmod(message, 0o666);
    const [container] = job.spec.template.spec.containers;
    const env = this.#environment(container);
    const image = this.#images[tool]!;
    const child = contain({
      command: container.command.map((part: string) => expanded(part, env)),
      env: { PATH: "/usr/bin:/bin", ...image.env, ...env },
      mounts: [
        ...Object.entries(image.files ?? {}).map(([path, source]) => ({ path, source })),
        { source: folder, path: env.FILES!, isReadOnly: true },
        { source: message, path: "/dev/termination-log" },
      ],
      user: job.spec.template.spec.securityContext.runAsUser,
    }, await Deno.makeTempDir({ dir: this.#folder }));
    const { code, stdout, stderr } = await child.output();
    const log = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    const report = readReport(await Deno.readTextFile(message), changes.map(({ version }) => version));
    return { exitCode: code, report, log };
  }

  #environment({ env }: KubeObject["spec"]): Record<string, string> {
    const { user, password } = this.#server;
    const known: Record<string, string> = {};
    for (const { name, value = "", valueFrom } of env) {
      known[name] = valueFrom ? (valueFrom.secretKeyRef.key === "password" ? password : user) : expanded(value, known);
    }
    return known;
  }
}
