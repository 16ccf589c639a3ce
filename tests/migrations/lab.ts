/**
 * What integration tests say about DatabaseMigrations: an installed operator, Jobs that really run Flyway and Liquibase,
 * a PostgreSQL, and somebody at a terminal.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { KubeObject } from "../../lib/api/object.ts";
import { statusRules } from "../../lib/runtime/status_rules.ts";
import { type ControlPlane, startControlPlane } from "../control_plane/control_plane.ts";
import { install, type Installed } from "../installed.ts";
import { condition, Terminal } from "../integration/previews.ts";
import { PostgresServer } from "../jobs/postgres.ts";
import { JobRunner } from "../jobs/runner.ts";
import { waitUntil } from "../wait.ts";
import { toolImages } from "./tools.ts";

/** Where DatabaseMigrations of these tests live. */
export const TEAM = "shop";
const FLAGS = [
  "--flyway-image=local.test/flyway-unready:10.22.0",
  "--liquibase-image=local.test/liquibase-unready:4.31.1",
];

/** A migration of a spec. */
export interface MigrationText {
  version: string;
  sql: string;
  rollback?: string;
  stage?: "expand" | "contract";
  description?: string;
}

/** See the module. */
export class MigrationLab implements AsyncDisposable {
  readonly plane: ControlPlane;
  readonly server: PostgresServer;
  readonly runner: JobRunner;
  readonly operator: Installed;
  readonly terminal: Terminal;

  private constructor(parts: Pick<MigrationLab, "plane" | "server" | "runner" | "operator">) {
    this.plane = parts.plane;
    this.server = parts.server;
    this.runner = parts.runner;
    this.operator = parts.operator;
    this.terminal = new Terminal(parts.plane);
  }

  static async open(): Promise<MigrationLab> {
    const images = await toolImages();
    await using stack = new AsyncDisposableStack();
    const server = stack.use(await PostgresServer.start());
    const plane = stack.use(await startControlPlane());
    const runner = stack.use(await JobRunner.start(plane, { images }));
    const operator = stack.use(await install(plane, { flags: FLAGS }));
    const lab = new MigrationLab({ plane, server, runner, operator });
    await lab.team(TEAM);
    stack.move();
    return lab;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.operator.stop();
    await this.runner[Symbol.asyncDispose]();
    await this.plane.stop();
    await this.server[Symbol.asyncDispose]();
  }

  /** A namespace that takes only what is restricted, with the login. */
  async team(namespace: string): Promise<void> {
    const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
    await this.terminal.create(
      { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace, labels } },
      {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "login", namespace },
        stringData: { username: this.server.user, password: this.server.password },
      },
    );
  }

  /** An empty database. */
  async database(name: string): Promise<void> {
    await this.server.query("postgres", `create database ${name}`);
  }

  /** A DatabaseMigration of a database, called like that unless it is said. */
  migration(
    database: string,
    migrations: readonly MigrationText[],
    spec: Record<string, unknown> = {},
    metadata: { name?: string; namespace?: string } = {},
  ): KubeObject {
    return {
      apiVersion: "portfolio.example.com/v1alpha1",
      kind: "DatabaseMigration",
      metadata: { name: database, namespace: TEAM, ...metadata },
      spec: {
        database: { host: this.server.host, port: this.server.port, name: database, secretRef: { name: "login" } },
        migrations,
        ...spec,
      },
    };
  }

  /** `kubectl apply --server-side`: a client's own copy of the object would be too large with long scripts. */
  async apply(object: KubeObject): Promise<void> {
    const args = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
    await this.plane.kubectl(args, { stdin: JSON.stringify(object) });
  }

  /** What admission says to it. @throws {Error} When it does not refuse. */
  async refusal(object: KubeObject): Promise<string> {
    const args = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
    const { code, stderr } = await this.plane.kubectl(args, { stdin: JSON.stringify(object), check: false });
    if (code === 0) throw new Error("Was not refused");
    return stderr;
  }

  /** Waits until it is in a phase at its present generation. */
  async until(name: string, phase: string, namespace = TEAM): Promise<KubeObject> {
    return await this.untilIt(`to be ${phase}`, (found) => found.status?.phase === phase, { name, namespace });
  }

  /** Waits until the condition Ready has a reason. */
  async untilReason(name: string, reason: string, namespace = TEAM): Promise<KubeObject> {
    return await this.untilIt(`to say ${reason}`, (found) => condition(found, "Ready")?.reason === reason, {
      name,
      namespace,
    });
  }

  async untilIt(
    what: string,
    accept: (found: KubeObject) => boolean,
    { name, namespace = TEAM }: { name: string; namespace?: string },
  ): Promise<KubeObject> {
    const found = await waitUntil(
      `dbm ${namespace}/${name} ${what}`,
      () => this.terminal.get("dbm", name, namespace),
      (object) =>
        object !== undefined && object.status?.observedGeneration === object.metadata.generation && accept(object),
      180_000,
    );
    assert.deepEqual(statusRules(found!), []);
    return found!;
  }

  /** Flyway's history: `version success`, in its order. */
  async flywayHistory(database: string): Promise<string[]> {
    const sql = "select version || ' ' || success from flyway_schema_history order by installed_rank";
    return (await this.server.query(database, sql)).map(([row]) => row!);
  }

  /** Liquibase's history: `id exectype`, in its order. */
  async liquibaseHistory(database: string): Promise<string[]> {
    const sql = "select id || ' ' || exectype from databasechangelog order by orderexecuted, dateexecuted";
    return (await this.server.query(database, sql)).map(([row]) => row!);
  }

  /** The history of either tool. */
  async history(database: string, tool: string): Promise<string[]> {
    return await (tool === "flyway" ? this.flywayHistory(database) : this.liquibaseHistory(database));
  }
}
