/**
 * The objects of a run: ConfigMaps with its files, and a Job. Pure: the same request gives the same objects.
 *
 * @module
 */
import type { DatabaseMigration } from "../api/database_migration.ts";
import type { KubeObject } from "../api/object.ts";
import { generate } from "../naming.ts";
import { withOwnContent } from "../runtime/copies.ts";
import { digestOf } from "../runtime/differs.ts";
import { ownerLabels } from "../runtime/ownership.ts";
import { literal } from "../workload/literal.ts";
import { hasTransactionalDdl, jdbcUrl, loginOf, sessionEnd } from "./database.ts";
import { digestOfFiles, type Files, inParts, MARKS_TABLE, runFiles, undoFiles } from "./files.ts";
import { type MigrationOptions, type MigrationRequest, requestDigest } from "./request.ts";
import { FLYWAY_MIGRATE, FLYWAY_UNDO, LIQUIBASE_MIGRATE, LIQUIBASE_UNDO } from "./scripts.ts";

/** Name of the container that runs the tool. */
export const CONTAINER = "migrate";
/** Marks Jobs and Pods of runs; its value is the name of the Job. */
export const RUN_LABEL = "maquette.dev/migration-run";

/** Tries after the first: a database that restarts is back in less. A change that fails is not tried again. */
const RETRIES = 6;
/**
 * Not root, but the user of Liquibase's image: nobody else may enter its folder, which is where its containers start.
 * Flyway's is open to everybody.
 *
 * @see https://github.com/liquibase/docker/issues/367
 */
const USER = 1001;
const FILES = "/maquette/files";
const WORK = "/tmp";
const RESOURCES = { requests: { cpu: "100m", memory: "256Mi" }, limits: { memory: "1Gi" } };

/** A run, with its name and everything that it needs. */
export interface Run {
  name: string;
  configMaps: KubeObject[];
  job: KubeObject;
}

/** The run that applies. */
export function migrationRun(owner: DatabaseMigration, request: MigrationRequest, options: MigrationOptions): Run {
  const script = request.tool === "flyway" ? FLYWAY_MIGRATE : LIQUIBASE_MIGRATE;
  // Names that differ in signs only (`a.b`, `a-b`) begin alike.
  const name = generate(owner.metadata.name, digestOf([owner.metadata.name, requestDigest(request)]));
  return runOf(owner, { name, files: runFiles(request), script, undo: [], half: [] }, { request, options });
}

/**
 * The run that undoes what another one had applied.
 *
 * @param undo Versions, the latest first.
 * @param failed The version that failed. Liquibase's history has no row for it, also where no transaction undid it.
 */
export function undoRun(
  owner: DatabaseMigration,
  { request, of, undo, failed }: {
    request: MigrationRequest;
    of: string;
    undo: readonly string[];
    failed?: string;
  },
  options: MigrationOptions,
): Run {
  const script = request.tool === "flyway" ? FLYWAY_UNDO : LIQUIBASE_UNDO;
  const name = generate(owner.metadata.name, "undo", digestOf([of, undo]));
  const isWithoutRow = request.tool === "liquibase" && !hasTransactionalDdl(request.database);
  const half = isWithoutRow ? undo.filter((version) => version === failed) : [];
  return runOf(owner, { name, files: undoFiles(request, undo), script, undo, half }, { request, options });
}

interface Parts {
  name: string;
  files: Files;
  script: string;
  undo: readonly string[];
  half: readonly string[];
}

function runOf(
  owner: DatabaseMigration,
  parts: Parts,
  by: { request: MigrationRequest; options: MigrationOptions },
): Run {
  const { name } = parts;
  const { namespace } = owner.metadata;
  const configMaps = inParts(parts.files).map((data, index) =>
    withOwnContent({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: `${name}-${index + 1}`, namespace, labels: { [RUN_LABEL]: name } },
      // Nobody changes what is about to run.
      immutable: true,
      data,
    })
  );
  const labels = { ...ownerLabels(owner), [RUN_LABEL]: name };
  const job = {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, namespace, labels: { [RUN_LABEL]: name } },
    spec: { ...jobLimits(by), template: { metadata: { labels }, spec: podSpec(parts, { ...by, configMaps }) } },
  };
  return { name, configMaps, job };
}

/** A change that fails would fail again; a node that is drained does not count. */
function jobLimits(
  { request, options }: { request: MigrationRequest; options: MigrationOptions },
): Record<string, unknown> {
  return {
    activeDeadlineSeconds: request.timeoutSeconds,
    ttlSecondsAfterFinished: options.ttlSecondsAfterFinished,
    backoffLimit: RETRIES,
    // The next Pod begins when the one before has really ended: never two at once.
    podReplacementPolicy: "Failed",
    podFailurePolicy: {
      rules: [
        { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
        { action: "FailJob", onExitCodes: { containerName: CONTAINER, operator: "In", values: [1] } },
      ],
    },
  };
}

function podSpec(
  { script, undo, half, files }: Parts,
  { request, options, configMaps }: {
    request: MigrationRequest;
    options: MigrationOptions;
    configMaps: readonly KubeObject[];
  },
): Record<string, unknown> {
  const { tool } = request;
  return {
    restartPolicy: "Never",
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 30,
    securityContext: {
      runAsNonRoot: true,
      ...{ runAsUser: USER, runAsGroup: USER, fsGroup: USER },
      seccompProfile: { type: "RuntimeDefault" },
    },
    containers: [{
      name: CONTAINER,
      image: request.image ?? (tool === "flyway" ? options.flywayImage : options.liquibaseImage),
      command: ["sh", "-c", script],
      env: [...plain({ DIGEST: digestOfFiles(files) }), ...variables(request, { undo, half })],
      resources: RESOURCES,
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      },
      volumeMounts: [{ name: "files", mountPath: FILES, readOnly: true }, { name: "work", mountPath: WORK }],
    }],
    volumes: [
      { name: "files", projected: { sources: configMaps.map(({ metadata: { name } }) => ({ configMap: { name } })) } },
      { name: "work", emptyDir: {} },
    ],
  };
}

type Variable = Record<string, unknown>;

function variables(request: MigrationRequest, { undo, half }: Pick<Parts, "undo" | "half">): Variable[] {
  const { changes, upTo, allowOutOfOrder, tool, database } = request;
  const positions = new Map(changes.map(({ version }, index) => [version, index + 1]));
  const held = changes.slice(0, upTo).flatMap(({ isContract }, index) => isContract ? [index + 1] : []);
  const isHolding = upTo < changes.length;
  return [
    ...plain({
      FILES,
      WORK,
      HOME: WORK,
      // Java reads variables as the locale says: a password may have any letter.
      LC_ALL: "C.UTF-8",
      REPORT: "/dev/termination-log",
      TARGET: String(upTo),
      HELD: isHolding ? held.join(" ") : "",
      OUT_OF_ORDER: String(allowOutOfOrder),
      UNDO: undo.map((version) => positions.get(version)).join(" "),
      SESSION_END: undo.length > 0 ? sessionEnd(database) : "",
      HALF: half.map((version) => positions.get(version)).join(" "),
      MARKS: tool === "liquibase" ? MARKS_TABLE : "",
    }),
    ...(tool === "flyway" ? flywayVariables(request) : liquibaseVariables(request)),
  ];
}

function flywayVariables({ database, allowOutOfOrder }: MigrationRequest): Variable[] {
  return [
    ...plain({
      FLYWAY_URL: jdbcUrl(database, "flyway"),
      FLYWAY_LOCATIONS: `filesystem:${FILES}`,
      FLYWAY_OUT_OF_ORDER: String(allowOutOfOrder),
      // `${x}` is text.
      FLYWAY_PLACEHOLDER_REPLACEMENT: "false",
      // Other objects may have changed the same database.
      FLYWAY_IGNORE_MIGRATION_PATTERNS: "*:missing,*:future",
      // A database that was there before its history.
      FLYWAY_BASELINE_ON_MIGRATE: "true",
      FLYWAY_BASELINE_VERSION: "0",
      // With the lock of a transaction, Flyway writes its history on another connection: one commit after the other, and
      // who is killed in between applies a change twice.
      FLYWAY_POSTGRESQL_TRANSACTIONAL_LOCK: "false",
      // The session of a run that was killed may last as long as its statement: the Job's deadline ends the waiting.
      FLYWAY_LOCK_RETRY_COUNT: "-1",
      REDGATE_DISABLE_TELEMETRY: "true",
    }),
    ...login(database, { user: "FLYWAY_USER", password: "FLYWAY_PASSWORD" }),
  ];
}

function liquibaseVariables({ database }: MigrationRequest): Variable[] {
  return [
    ...plain({
      LIQUIBASE_COMMAND_URL: jdbcUrl(database, "liquibase"),
      LIQUIBASE_COMMAND_CHANGELOG_FILE: "changelog.json",
      LIQUIBASE_SEARCH_PATH: FILES,
      LIQUIBASE_ANALYTICS_ENABLED: "false",
      MAQUETTE_DOLLAR: "$",
    }),
    ...login(database, { user: "LIQUIBASE_COMMAND_USERNAME", password: "LIQUIBASE_COMMAND_PASSWORD" }),
  ];
}

function login(database: MigrationRequest["database"], names: { user: string; password: string }): Variable[] {
  const { secret, usernameKey, passwordKey } = loginOf(database);
  const from = (key: string): Variable => ({ secretKeyRef: { name: secret, key } });
  return [
    { name: names.user, valueFrom: from(usernameKey) },
    { name: names.password, valueFrom: from(passwordKey) },
  ];
}

/** An empty value is kept as a variable without one. */
function plain(values: Record<string, string>): Variable[] {
  return Object.entries(values).map(([name, value]) => value === "" ? { name } : { name, value: literal(value) });
}
