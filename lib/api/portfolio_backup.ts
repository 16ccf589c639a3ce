/**
 * `spec.backup` and `spec.restoreFrom` of a PortfolioApp: what is saved, with what, where to, and what is brought back.
 *
 * @module
 */
import { z } from "zod";
import { matching, objectName, text, time } from "./fields.ts";
import { database, dataKey, fileName } from "./portfolio_fields.ts";
import { type Rule, withRules } from "./rules.ts";

const CRON_PATTERN =
  "^(@(yearly|annually|monthly|weekly|daily|midnight|hourly)|[-*/,0-9A-Za-z?]+( [-*/,0-9A-Za-z?]+){4})$";
const BUCKET_PATTERN = "^[a-z0-9][-.a-z0-9]*[a-z0-9]$";
const PREFIX_PATTERN = "^[a-zA-Z0-9][-._a-zA-Z0-9]*(/[-_a-zA-Z0-9][-._a-zA-Z0-9]*)*/?$";
const PREFIX = {
  max: 512,
  message: "Must be a path without a slash or a dot at its beginning or after a slash",
};
const ENDPOINT_PATTERN = "^https?://[-.a-zA-Z0-9\\[\\]:]+(/[-._~a-zA-Z0-9/]*)?$";
const TOOLS = ["pg_dump", "volume"] as const;
const PLACES = ["pvc", "s3"] as const;

const s3 = z.object({
  endpoint: matching(ENDPOINT_PATTERN, { max: 1024, message: "Must be http://host[:port] or https://host[:port]" })
    .describe("Where the store is, for instance https://s3.eu-central-1.amazonaws.com."),
  region: matching("^[-a-zA-Z0-9]+$", { max: 63, message: "Must be a region" }).default("us-east-1")
    .describe("Region that requests are signed for."),
  bucket: matching(BUCKET_PATTERN, { max: 63, message: "Must be the name of a bucket" })
    .describe("Bucket; it must exist."),
  prefix: matching(PREFIX_PATTERN, PREFIX).optional()
    .describe("What the names of archives begin with, for instance backups/shop."),
  secretRef: z.object({
    name: objectName().describe("Name of a Secret in the namespace of this object."),
    accessKeyIdKey: dataKey().default("accessKeyId").describe("Its key with the access key's ID."),
    secretAccessKeyKey: dataKey().default("secretAccessKey").describe("Its key with the secret access key."),
  }).describe("Login for the store."),
});

const place = withRules(
  z.object({
    pvc: z.object({
      claimName: objectName().describe(
        "Name of a PersistentVolumeClaim in the namespace of this object; it is not made.",
      ),
      path: matching(PREFIX_PATTERN, PREFIX).optional()
        .describe("Folder on the volume, for instance backups/shop."),
    }).optional().describe("A volume of the same namespace."),
    s3: s3.optional().describe("A store that speaks S3."),
  }),
  {
    cel: `${PLACES.map((each) => `has(self.${each})`).join(" != ")}`,
    holds: (value) => (value.pvc !== undefined) !== (value.s3 !== undefined),
    reads: PLACES,
    message: `Must have exactly one of ${PLACES.join(" and ")}`,
  },
);

/** What is saved, and when. */
export const backup = z.object({
  when: z.enum(["onDelete", "schedule"]).default("onDelete").describe(
    "When it is saved. onDelete: once, before the application is deleted. schedule: by the schedule, and before it is deleted, too.",
  ),
  schedule: matching(CRON_PATTERN, {
    max: 100,
    message: "Must be five fields as cron has them, or @daily and the like",
  })
    .optional().describe("When, in UTC, for instance '0 3 * * *'."),
  tool: z.enum(TOOLS).describe("What is saved: a PostgreSQL database (pg_dump), or the application's volume (volume)."),
  database: database.optional().describe("The database that is saved, with tool pg_dump."),
  destination: place.describe("Where archives go."),
  timeoutSeconds: z.int().min(10).max(604_800).default(3600).describe("Seconds after which a backup is given up."),
  onFailure: z.enum(["Block", "Continue"]).default("Block").describe(
    "What a failure means when the application is being deleted. Block: nothing is deleted before a backup has " +
      "succeeded. Continue: it is deleted without; its volume is kept.",
  ),
});

/** What is brought back before the first Pod starts. */
export const restoreFrom = z.object({
  archive: fileName().describe(
    "Name of the archive, as status.backup.archive of the application that was saved had it.",
  ),
  tool: z.enum(TOOLS).describe("What the archive was made with."),
  source: place.describe("Where the archive is."),
  database: database.optional().describe(
    "The database that it is brought back into, with tool pg_dump. It must be empty.",
  ),
  timeoutSeconds: z.int().min(10).max(604_800).default(3600).describe("Seconds after which it is given up."),
});

/** The latest backup that succeeded. */
export const backupStatus = z.object({
  archive: text(0, 253).optional().describe("Name of the archive."),
  location: text(0, 2048).optional().describe("Where it is: pvc:<claim>/<path> or s3://<bucket>/<path>."),
  sha256: text(0, 64).optional().describe("Checksum of the archive: it was read back and had it."),
  bytes: z.int().min(0).optional().describe("Size of the archive."),
  entries: z.int().min(0).optional().describe("Number of entries in the archive's listing."),
  time: time().optional().describe("When it was finished."),
  scheduledAt: time().optional().describe("When a scheduled backup succeeded last."),
});

/** `spec.backup`, defaults filled in. */
export type Backup = z.output<typeof backup>;
/** `spec.restoreFrom`, defaults filled in. */
export type RestoreFrom = z.output<typeof restoreFrom>;
/** Where archives are. */
export type BackupPlace = z.output<typeof place>;
/** `status.backup`. */
export type BackupStatus = z.output<typeof backupStatus>;

interface Saved {
  backup?: Backup;
  restoreFrom?: RestoreFrom;
  storage?: unknown;
}

function databaseNeeded(field: "backup" | "restoreFrom"): Rule<Saved> {
  return {
    field: [field, "database"],
    reads: [field],
    cel: `!has(self.${field}) || self.${field}.tool != 'pg_dump' || has(self.${field}.database)`,
    holds: (value) => value[field]?.tool !== "pg_dump" || value[field].database !== undefined,
    message: "Is required with tool pg_dump",
    reason: "FieldValueRequired",
  };
}

/** Rules between a spec's fields. */
export const BACKUP_NEEDS: readonly Rule<Saved>[] = [
  databaseNeeded("backup"),
  databaseNeeded("restoreFrom"),
  {
    field: ["backup", "schedule"],
    reads: ["backup"],
    cel: "!has(self.backup) || self.backup.when != 'schedule' || has(self.backup.schedule)",
    holds: ({ backup: given }) => given?.when !== "schedule" || given.schedule !== undefined,
    message: "Is required with when: schedule",
    reason: "FieldValueRequired",
  },
  {
    field: ["restoreFrom", "tool"],
    reads: ["restoreFrom", "storage"],
    cel: "!has(self.restoreFrom) || self.restoreFrom.tool != 'volume' || has(self.storage)",
    holds: ({ restoreFrom: given, storage }) => given?.tool !== "volume" || storage !== undefined,
    message: "Must not be volume where the application has no storage",
  },
];
