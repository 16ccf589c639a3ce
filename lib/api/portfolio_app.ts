/**
 * The kind PortfolioApp: a long-lived application with all that belongs to it (SPEC section 6).
 *
 * @module
 */
import { z } from "zod";
import { resources } from "./container.ts";
import { list, matching, objectName, quantity, text, time } from "./fields.ts";
import { imageReference, imageTag } from "./image_fields.ts";
import { AGE_COLUMN, CATEGORIES, type KindDefinition, READY_COLUMNS } from "./kind.ts";
import type { KubeObject } from "./object.ts";
import { backup, BACKUP_NEEDS, backupStatus, restoreFrom } from "./portfolio_backup.ts";
import { autoscaling, MINIMUM_WITHIN_MAXIMUM } from "./portfolio_autoscaling.ts";
import { textMap } from "./portfolio_fields.ts";
import { immutable, withRules } from "./rules.ts";
import { MAX_RUNNING_IMAGE_LENGTH, sharedStatus } from "./status.ts";

/** Phases of a PortfolioApp, in the order of a life. */
export const PORTFOLIO_APP_PHASES = [
  "Pending",
  "Migrating",
  "Progressing",
  "Running",
  "Degraded",
  "Failed",
  "Terminating",
] as const;

/** Where containers find `config`. */
export const CONFIG_FOLDER = "/etc/config";
const IN_CONFIG_FOLDER = `^${CONFIG_FOLDER}(/|$)`;
/** Most replicas of an application, with and without an autoscaler. */
export const MAX_REPLICAS = 100;
const MAX_APP_NAME_LENGTH = 63;
const MAX_GRACE_SECONDS = 3600;
const ENV_NAMES = "^([-_a-zA-Z]|\\.[-_a-zA-Z0-9])[-._a-zA-Z0-9]*$";
const CONFIG_KEYS = "^([-_a-zA-Z0-9]|\\.[-_a-zA-Z0-9])[-._a-zA-Z0-9]*$";
const HOST_PATTERN = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+$";
const PATH_PATTERN = "^/[!-~]*$";
const MOUNT_PATTERN = "^/[^:\\x00-\\x1f]+$";

const probe = z.object({
  path: matching(PATH_PATTERN, {
    max: 1024,
    message: "Must start with / and have printable ASCII characters only, no space",
  }).default("/").describe("Path that is asked for; any answer from 200 to 399 is healthy."),
  port: z.int().min(1).max(65_535).optional().describe("Port that is asked; the application's when absent."),
  initialDelaySeconds: z.int().min(0).max(3600).default(0).describe("Seconds before it is asked first."),
  periodSeconds: z.int().min(1).max(3600).default(10).describe("Seconds between two times that it is asked."),
  timeoutSeconds: z.int().min(1).max(3600).default(5).describe("Seconds in which it must answer."),
  failureThreshold: z.int().min(1).max(1000).default(3).describe("Failures in a row that count."),
});

const probes = z.object({
  startup: probe.optional().describe("Tells when the application has started: the other two wait for it."),
  liveness: probe.optional().describe("Restarts the container where it fails."),
  readiness: probe.optional().describe("Takes the Pod out of traffic while it fails."),
});

const ingress = z.object({
  enabled: z.boolean().default(false).describe("Whether the application is reached from outside."),
  host: matching(HOST_PATTERN, {
    max: 253,
    message: "Must be a host name in lower case, for instance shop.example.com",
  })
    .optional().describe("Host that it is reached at; <name>-<namespace> below the operator's domain when absent."),
});

const storage = z.object({
  size: quantity().describe("Size of the volume. It may grow, where the storage class allows that, and never shrinks."),
  storageClassName: immutable(objectName().optional())
    .describe("Class of the volume; the cluster's default when absent. Immutable."),
  accessModes: immutable(
    list(z.enum(["ReadWriteOnce", "ReadWriteMany", "ReadWriteOncePod"]), 3).min(1, "Must have an item").optional(),
  ).describe("How nodes may use the volume; ReadWriteOnce when absent. Immutable."),
  mountPath: matching(MOUNT_PATTERN, { max: 1024, message: "Must be an absolute path below /, without colons" })
    .default("/data").describe("Where the application finds the volume."),
});

const shutdown = z.object({
  gracePeriodSeconds: z.int().min(0).max(MAX_GRACE_SECONDS).default(30)
    .describe("Seconds that a Pod has to finish its requests, preStop included, before it is killed."),
  preStop: list(text(1, 4096), 32).min(1, "Must have an item").optional()
    .describe("Command that runs in the container before it is told to stop, for instance [sleep, '5']."),
});

const spec = withRules(
  z.object({
    image: imageReference().describe("Image to run, with or without tag or digest, for instance ghcr.io/acme/shop."),
    version: imageTag().optional()
      .describe("Tag of the image, where the image carries none; it may repeat the image's own."),
    replicas: z.int().min(1).max(MAX_REPLICAS).default(1).describe("Number of Pods, unless autoscaling decides it."),
    port: z.int().min(1).max(65_535).default(8080).describe("Port that the application listens on."),
    env: textMap({
      names: ENV_NAMES,
      message: "Must have variable names: letters, digits, _, - and dots, not starting with a digit or two dots",
      max: 128,
      length: 32_000,
    }).optional().describe("Environment variables of the application, by their names."),
    resources: resources.optional().describe("Processor time, memory and disk of each Pod."),
    ingress: ingress.optional().describe("How the application is reached from outside."),
    config: textMap({
      names: CONFIG_KEYS,
      message: "Must have keys of letters, digits, -, _ and dots, not starting with two dots",
      max: 128,
      length: 262_144,
    }).optional().describe(
      "Texts by their keys: each an environment variable, over which env wins, and a file in /etc/config. A change " +
        "rolls the Pods.",
    ),
    storage: storage.optional().describe("A volume. Once made it is kept, also where this field is taken away."),
    autoscaling: autoscaling.optional().describe(
      "Lets the load decide the number of Pods; replicas is left alone then.",
    ),
    migrationRef: z.object({
      name: objectName().describe("Name of a DatabaseMigration in the namespace of this object."),
    }).optional().describe(
      "Schema changes that belong to the application: expand ones are done before a version rolls, contract ones after.",
    ),
    shutdown: shutdown.optional().describe("How Pods end."),
    backup: backup.optional().describe("What is saved before the application is deleted, and when else."),
    restoreFrom: immutable(restoreFrom.optional())
      .describe("A backup that is brought back before the first Pod starts. Immutable."),
    probes: probes.optional().describe("How the application's health is asked for; its port must answer when absent."),
  }),
  {
    field: ["version"],
    reads: ["image", "version"],
    cel: "!has(self.version) || !self.image.matches('[:@][^/]*$')" +
      " || self.image.split('@')[0].endsWith(':' + self.version)",
    holds: ({ image, version }) =>
      version === undefined || !/[:@][^/]*$/.test(image) || image.split("@")[0]!.endsWith(`:${version}`),
    message: "Must equal the tag that image carries, or be left out",
  },
  {
    field: ["storage", "mountPath"],
    reads: ["storage", "config"],
    cel: `!has(self.storage) || !has(self.config) || !self.storage.mountPath.matches('${IN_CONFIG_FOLDER}')`,
    holds: ({ storage, config }) =>
      storage === undefined || config === undefined || !new RegExp(IN_CONFIG_FOLDER).test(storage.mountPath),
    message: `Must not be in ${CONFIG_FOLDER}, where config is`,
  },
  MINIMUM_WITHIN_MAXIMUM,
  ...BACKUP_NEEDS,
).describe("What the application should be.");

const status = z.object({
  ...sharedStatus(PORTFOLIO_APP_PHASES),
  version: text(0, 255).optional().describe("Tag, or else digest, of the image that is rolled out completely."),
  image: text(0, MAX_RUNNING_IMAGE_LENGTH).optional().describe("Image that is rolled out completely."),
  replicas: z.int().min(0).optional().describe("Number of Pods that are wanted."),
  readyReplicas: z.int().min(0).optional().describe("Number of Pods that serve."),
  ready: text(0, 32).optional().describe("Pods that serve of those that are wanted: 2/3."),
  url: text(0, 512).optional().describe("Where the application is reached."),
  backup: backupStatus.optional().describe("The latest backup that succeeded."),
  restoredAt: time().optional().describe("When what restoreFrom names was brought back."),
}).describe("What the application is.");

/** The kind as data. */
export const PORTFOLIO_APP: KindDefinition = {
  resource: {
    group: "portfolio.example.com",
    version: "v1alpha1",
    kind: "PortfolioApp",
    plural: "portfolioapps",
    namespaced: true,
  },
  singular: "portfolioapp",
  shortNames: ["papp"],
  categories: CATEGORIES,
  description: "PortfolioApp is a long-lived application: Deployment, Service, configuration, volume, Ingress, " +
    "autoscaler, migrations and backup.",
  columns: [
    { name: "Image", type: "string", jsonPath: ".spec.image", description: "Image that is asked for." },
    { name: "Version", type: "string", jsonPath: ".status.version", description: "Version that is rolled out." },
    { name: "Ready", type: "string", jsonPath: ".status.ready", description: "Pods that serve of those wanted." },
    { name: "Phase", type: "string", jsonPath: ".status.phase", description: "Where the application stands." },
    { name: "URL", type: "string", jsonPath: ".status.url", description: "Where the application is reached." },
    AGE_COLUMN,
    {
      name: "Backup",
      type: "string",
      jsonPath: ".status.backup.location",
      description: "Where the latest backup is.",
      wide: true,
    },
    ...READY_COLUMNS,
  ],
  spec,
  status,
  rules: [{
    cel: `self.metadata.name.size() <= ${MAX_APP_NAME_LENGTH} && self.metadata.name.matches('^[a-z]')`,
    holds: ({ metadata: { name } }) => name.length <= MAX_APP_NAME_LENGTH && /^[a-z]/.test(name),
    message:
      `Must have a name that begins with a letter and has at most ${MAX_APP_NAME_LENGTH} characters: names of children follow from it`,
  }],
};

/** `spec` of a PortfolioApp, defaults filled in. */
export type PortfolioAppSpec = z.output<typeof spec>;
/** `status` of a PortfolioApp. */
export type PortfolioAppStatus = z.output<typeof status>;
/** A PortfolioApp as the API server gives it. */
export interface PortfolioApp extends KubeObject {
  spec: PortfolioAppSpec;
  status?: PortfolioAppStatus;
}
