/**
 * What end-to-end tests of applications say: a PostgreSQL in a Pod, databases in it, and objects that use them.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { KubeObject } from "../../lib/api/object.ts";
import { statusRules } from "../../lib/runtime/status_rules.ts";
import { AppTerminal, claim, secret, TEAM } from "../integration/apps.ts";
import type { MigrationText } from "../migrations/lab.ts";
import { waitUntil } from "../wait.ts";
import { type Cluster, PATIENT_PROBE } from "./cluster.ts";

/** Namespace that takes only restricted Pods. */
export const RESTRICTED = "schemas";
/** Claim of the team that archives go to. */
export const ARCHIVES = "backups";
const SERVER = "maquette-e2e-database";
/** Who the server runs as: any user, where the image is Docker Hub's. */
const SERVER_USER = { runAsUser: 100, runAsGroup: 102, fsGroup: 102 };
const LABELS = { app: "postgres" };

/** See the module. */
export class Applications implements AsyncDisposable {
  readonly cluster: Cluster;
  readonly terminal: AppTerminal;
  readonly password: string;

  private constructor(cluster: Cluster, terminal: AppTerminal) {
    this.cluster = cluster;
    this.terminal = terminal;
    this.password = crypto.randomUUID();
  }

  /** Starts the server, and makes the namespaces with a login in each. */
  static async open(cluster: Cluster): Promise<Applications> {
    const terminal = await AppTerminal.open(cluster.plane);
    const self = new Applications(cluster, terminal);
    await terminal.create(
      namespace(RESTRICTED, { "pod-security.kubernetes.io/enforce": "restricted" }),
      ...[TEAM, RESTRICTED].map((name) => self.login("login", name)),
      ...serverObjects(cluster.settings.postgresImage, self.password),
      claim(ARCHIVES),
    );
    await cluster.plane.kubectl(["rollout", "status", "deployment/postgres", "-n", SERVER, "--timeout=300s"]);
    return self;
  }

  /** A Secret with the server's login, or one that it refuses. */
  login(name: string, namespace: string, password = this.password): KubeObject {
    return secret(name, { username: "postgres", password }, namespace);
  }

  /** Rows, their columns parted by `|`. */
  async query(database: string, sql: string): Promise<string[]> {
    const login = ["-h", "127.0.0.1", "-U", "postgres", "-d", database];
    const psql = ["psql", "-X", "-A", "-t", "-q", ...login, "-c", sql];
    const { stdout } = await this.cluster.plane.kubectl(["exec", "-n", SERVER, "deployment/postgres", "--", ...psql]);
    return stdout.split("\n").filter((line) => line !== "");
  }

  /** An empty database. */
  async makeDatabase(name: string): Promise<void> {
    await this.query("postgres", `create database "${name}"`);
  }

  /** As a spec names it. */
  database(name: string, secret = "login"): Record<string, unknown> {
    return { host: `postgres.${SERVER}.svc`, name, secretRef: { name: secret } };
  }

  /** As an application's variable names it. */
  addressOf(name: string): string {
    return `postgres://postgres:${this.password}@postgres.${SERVER}.svc/${name}?sslmode=disable`;
  }

  /** `kubectl apply --server-side` of a DatabaseMigration that is called as its database. */
  async migrate(
    name: string,
    migrations: readonly MigrationText[],
    { namespace = TEAM, ...spec }: Record<string, unknown> & { namespace?: string } = {},
  ): Promise<void> {
    const object = {
      apiVersion: "portfolio.example.com/v1alpha1",
      kind: "DatabaseMigration",
      metadata: { name, namespace },
      spec: { database: this.database(name), migrations, ...spec },
    };
    const args = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
    await this.cluster.plane.kubectl(args, { stdin: JSON.stringify(object) });
  }

  /** Waits until a migration of the present spec is in a phase. */
  async untilMigration(name: string, phase: string, namespace = TEAM): Promise<KubeObject> {
    const found = await waitUntil(
      `dbm ${name} to be ${phase}`,
      () => this.terminal.get("dbm", name, namespace),
      (object) => object?.status?.observedGeneration === object?.metadata.generation && object?.status?.phase === phase,
      120_000,
    );
    assert.deepEqual(statusRules(found!), []);
    return found!;
  }

  /** Versions that the tool's own history calls applied, in its order. */
  async history(database: string, tool: string): Promise<string[]> {
    const sql = tool === "flyway"
      ? "select version from flyway_schema_history where success and version <> '0' order by installed_rank"
      : "select id from databasechangelog where exectype in ('EXECUTED', 'MARK_RAN') order by orderexecuted";
    return await this.query(database, sql);
  }

  /** Pods that ran or run for a restricted migration, the latest last. */
  async podsOf(name: string): Promise<string[]> {
    const labels = `maquette.dev/migration-run,app.kubernetes.io/instance=${name}`;
    const pods = await this.terminal.list(
      "pods",
      "-n",
      RESTRICTED,
      "-l",
      labels,
      "--sort-by=.metadata.creationTimestamp",
    );
    return pods.map(({ metadata }) => metadata.name);
  }

  /** `reason: message` of the Events about an application. */
  async events(name: string): Promise<string[]> {
    const events = await this.terminal.list("events", "-n", TEAM, "--field-selector", `involvedObject.name=${name}`);
    return events.map(({ reason, message }) => `${reason}: ${message}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { plane } = this.cluster;
    await plane.kubectl(["delete", "papp,dbm", "--all", "--all-namespaces", "--timeout=300s"]);
    await plane.kubectl(["delete", "namespace", TEAM, RESTRICTED, SERVER, "--timeout=300s"]);
  }
}

function namespace(name: string, labels: Record<string, string> = {}): unknown {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } };
}

/** Its data end with its Pod. */
function serverObjects(image: string, password: string): unknown[] {
  const at = { name: "postgres", namespace: SERVER };
  const container = {
    name: "postgres",
    image,
    env: Object.entries({ POSTGRES_PASSWORD: password, PGPASSWORD: password, PGDATA: "/data/pg" })
      .map(([name, value]) => ({ name, value })),
    readinessProbe: { tcpSocket: { port: 5432 }, ...PATIENT_PROBE },
    volumeMounts: [{ name: "data", mountPath: "/data" }],
  };
  const spec = { securityContext: SERVER_USER, containers: [container], volumes: [{ name: "data", emptyDir: {} }] };
  return [
    namespace(SERVER),
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: at,
      spec: { selector: { matchLabels: LABELS }, template: { metadata: { labels: LABELS }, spec } },
    },
    { apiVersion: "v1", kind: "Service", metadata: at, spec: { selector: LABELS, ports: [{ port: 5432 }] } },
  ];
}
