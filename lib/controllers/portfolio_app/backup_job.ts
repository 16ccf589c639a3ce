/**
 * The Jobs that save and bring back. Pure.
 *
 * Their Pods run as nobody, with the volume's group, without rights and without a token; logins are handed to them by
 * reference only. Whatever a user wrote is a variable, never a part of a script.
 *
 * @module
 */
import type { KubeObject } from "../../api/object.ts";
import type { PortfolioApp } from "../../api/portfolio_app.ts";
import type { Backup, BackupPlace, RestoreFrom } from "../../api/portfolio_backup.ts";
import type { Database } from "../../api/portfolio_fields.ts";
import { generate } from "../../naming.ts";
import { appChild } from "../../portfolio_names.ts";
import { digestOf } from "../../runtime/differs.ts";
import { ownerLabels } from "../../runtime/ownership.ts";
import { literal } from "../../workload/literal.ts";
import { GUARDED_POD } from "../../workload/pod_template.ts";
import { DOWNLOAD, RESTORE, SAVE, UPLOAD } from "./backup_scripts.ts";
import { nodeOfVolume, VOLUME_GROUP } from "./pod.ts";
import type { AppSettings } from "./settings.ts";
import { ATTEMPT_LABEL, TASK_DIGEST_LABEL, TASK_LABEL, TASK_SUBJECT_LABEL, type TaskKind } from "./tasks.ts";

type Part = Record<string, unknown>;

const NOBODY = 65_534;
const ARCHIVES = "/archives";
const WORK = "/staging";
const CONNECT_SECONDS = "10";
const RESOURCES = { requests: { cpu: "100m", memory: "64Mi" }, limits: { memory: "512Mi" } };
/** The names of CronJobs are shorter than others: eleven characters are put behind them. */
const LONGEST_CRON_JOB_NAME = 52;

/** What a Job does, before it has a name. */
export interface TaskSpec {
  kind: TaskKind;
  timeoutSeconds: number;
  pod: Part;
  /** Of everything that could make it come out otherwise. */
  digest: string;
  /** Digest of what is saved, and where to. */
  subject: string;
}

/** The Job that saves. @param more What else is a reason to try again: versions of Secrets, an annotation. */
export function backupTask(
  owner: PortfolioApp,
  backup: Backup,
  { settings, more, kind = "backup" }: { settings: AppSettings; more?: unknown; kind?: TaskKind },
): TaskSpec {
  const { destination, tool, timeoutSeconds } = backup;
  const save = container("save", settings.backupImage, SAVE, [
    ...texts({
      TOOL: tool,
      // No namespace has a dot in its name: archives of a/b-c and a-b/c have two names.
      BASE: `${owner.metadata.namespace}.${owner.metadata.name}`,
      TARGET: folderOf(destination),
      STRICT: kind === "backup" ? "yes" : "no",
    }),
    ...database(backup.database),
  ]);
  const upload = destination.s3 && container("store", settings.backupStoreImage, UPLOAD, store(destination.s3));
  const volumes = volumesOf(destination, { claim: claimOf(owner, tool), isReadOnly: true });
  const pod = {
    ...podOf(upload ? [save, upload] : [save], volumes),
    ...(claimOf(owner, tool) ? nodeOfVolume(owner) : {}),
  };
  return { kind, timeoutSeconds, pod, digest: digestOf([pod, more]), subject: subjectOf(backup) };
}

/** Digest of what is saved, and where to. */
export function subjectOf({ tool, database, destination }: Backup): string {
  return digestOf([tool, database, destination]);
}

/** The Job that brings an archive back. */
export function restoreTask(
  owner: PortfolioApp,
  from: RestoreFrom,
  { settings, more }: { settings: AppSettings; more: unknown },
): TaskSpec {
  const { source, tool, timeoutSeconds, archive } = from;
  const restore = container("restore", settings.backupImage, RESTORE, [
    ...texts({ TOOL: tool, ARCHIVE: archive, SOURCE: folderOf(source) }),
    ...database(from.database),
    ...(from.database ? texts({ DATABASE: connection(from.database.name) }) : []),
  ]);
  const download = source.s3 && container("fetch", settings.backupStoreImage, DOWNLOAD, [
    ...texts({ ARCHIVE: archive }),
    ...store(source.s3),
  ]);
  const volumes = volumesOf(source, { claim: claimOf(owner, tool), isReadOnly: false });
  const pod = podOf(download ? [download, restore] : [restore], volumes);
  // What is brought back cannot be changed.
  return { kind: "restore", timeoutSeconds, pod, digest: digestOf([pod, more]), subject: digestOf(archive) };
}

/** Where archives of a place are, as a container sees it. */
function folderOf({ pvc }: BackupPlace): string {
  if (!pvc) return WORK;
  return pvc.path ? `${ARCHIVES}/${pvc.path}` : ARCHIVES;
}

function claimOf(owner: PortfolioApp, tool: Backup["tool"]): string | undefined {
  return tool === "volume" ? appChild(owner, "data") : undefined;
}

/** Where an archive is, for people. */
export function locationOf({ pvc, s3 }: BackupPlace, archive: string): string {
  if (pvc) return `pvc:${[pvc.claimName, pvc.path, archive].filter(Boolean).join("/")}`;
  return `s3://${[s3!.bucket, s3!.prefix?.replace(/\/+$/, ""), archive].filter(Boolean).join("/")}`;
}

/** A name that no connection string in it is read from. */
function connection(name: string): string {
  return `dbname='${name.replace(/[\\']/g, (character) => `\\${character}`)}'`;
}

function texts(values: Record<string, string>): Part[] {
  return Object.entries(values).map(([name, value]) => ({ name, value: literal(value) }));
}

function secret(name: string, ref: { name: string }, key: string): Part {
  return { name, valueFrom: { secretKeyRef: { name: ref.name, key } } };
}

function database(given: Database | undefined): Part[] {
  if (!given) return [];
  const { host, port, name, secretRef } = given;
  return [
    ...texts({ PGHOST: host, PGPORT: String(port), PGDATABASE: name, PGCONNECT_TIMEOUT: CONNECT_SECONDS }),
    secret("PGUSER", secretRef, secretRef.usernameKey),
    secret("PGPASSWORD", secretRef, secretRef.passwordKey),
  ];
}

function store({ endpoint, bucket, prefix, region, secretRef }: NonNullable<BackupPlace["s3"]>): Part[] {
  const url = [endpoint.replace(/\/+$/, ""), bucket, prefix?.replace(/\/+$/, "")].filter(Boolean).join("/");
  return [
    ...texts({ URL: url, REGION: region }),
    secret("ACCESS_KEY_ID", secretRef, secretRef.accessKeyIdKey),
    secret("SECRET_ACCESS_KEY", secretRef, secretRef.secretAccessKeyKey),
  ];
}

interface Volumes {
  volumes: Part[];
  mounts: Part[];
}

function volumesOf({ pvc }: BackupPlace, { claim, isReadOnly }: { claim?: string; isReadOnly: boolean }): Volumes {
  const all: { name: string; source: Part; mountPath: string; readOnly?: boolean }[] = [
    { name: "tmp", source: { emptyDir: {} }, mountPath: "/tmp" },
    pvc
      ? { name: "archives", source: { persistentVolumeClaim: { claimName: pvc.claimName } }, mountPath: ARCHIVES }
      : { name: "work", source: { emptyDir: {} }, mountPath: WORK },
    ...(claim
      ? [{
        name: "data",
        source: { persistentVolumeClaim: { claimName: claim } },
        mountPath: "/data",
        readOnly: isReadOnly,
      }]
      : []),
  ];
  return {
    volumes: all.map(({ name, source }) => ({ name, ...source })),
    mounts: all.map(({ name, mountPath, readOnly }) => ({ name, mountPath, ...(readOnly ? { readOnly } : {}) })),
  };
}

function container(name: string, image: string, script: string, env: Part[]): Part {
  return {
    name,
    image,
    command: ["sh", "-c", literal(script)],
    env: [...env, { name: "HOME", value: "/tmp" }],
    resources: RESOURCES,
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
  };
}

/** @param steps One after the other. */
function podOf(steps: Part[], { volumes, mounts }: Volumes): Part {
  const containers = steps.map((step) => ({ ...step, volumeMounts: mounts }));
  return {
    ...GUARDED_POD,
    restartPolicy: "Never",
    terminationGracePeriodSeconds: 5,
    securityContext: {
      ...GUARDED_POD.securityContext,
      ...{ runAsNonRoot: true, runAsUser: NOBODY, runAsGroup: NOBODY, fsGroup: VOLUME_GROUP },
    },
    ...(containers.length > 1 ? { initContainers: containers.slice(0, -1) } : {}),
    containers: containers.slice(-1),
    volumes,
  };
}

function jobSpec({ timeoutSeconds, pod }: TaskSpec, labels: Record<string, string>): Part {
  return {
    // Another attempt is another Job: each with its own end, and its own words about it.
    backoffLimit: 0,
    activeDeadlineSeconds: timeoutSeconds,
    template: { metadata: { labels }, spec: pod },
  };
}

/** The Job of an attempt. */
export function taskJob(owner: PortfolioApp, task: TaskSpec, attempt: number): KubeObject {
  const labels = { ...ownerLabels(owner), [TASK_LABEL]: task.kind };
  const which = { [TASK_DIGEST_LABEL]: task.digest, [TASK_SUBJECT_LABEL]: task.subject };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name: generate(owner.metadata.name, task.kind, task.digest.slice(0, 8), String(attempt)),
      namespace: owner.metadata.namespace,
      labels: { ...labels, ...which, [ATTEMPT_LABEL]: String(attempt) },
    },
    spec: jobSpec(task, labels),
  };
}

/** The CronJob of a backup with a schedule. */
export function scheduledBackup(owner: PortfolioApp, backup: Backup, settings: AppSettings): KubeObject {
  const task = backupTask(owner, backup, { settings, kind: "scheduled" });
  const labels = { ...ownerLabels(owner), [TASK_LABEL]: task.kind, [TASK_SUBJECT_LABEL]: task.subject };
  return {
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { name: cronJobName(owner), namespace: owner.metadata.namespace },
    spec: {
      schedule: backup.schedule,
      timeZone: "Etc/UTC",
      // One that somebody has stopped by hand would be missed when it is needed: our annotation pauses, and is seen.
      suspend: false,
      concurrencyPolicy: "Forbid",
      startingDeadlineSeconds: 3600,
      successfulJobsHistoryLimit: 1,
      failedJobsHistoryLimit: 1,
      jobTemplate: { metadata: { labels }, spec: jobSpec(task, labels) },
    },
  };
}

function cronJobName(owner: PortfolioApp): string {
  const name = appChild(owner, "backup");
  if (name.length <= LONGEST_CRON_JOB_NAME) return name;
  return `${name.slice(0, LONGEST_CRON_JOB_NAME - 9).replace(/-+$/, "")}-${digestOf(name).slice(0, 8)}`;
}
