/**
 * The kind Environment: one instance of a Project at one commit (SPEC section 5).
 *
 * @module
 */
import { z } from "zod";
import { envIn } from "./container.ts";
import { dnsLabel, list, newNamespace, objectName, text, time, ttl } from "./fields.ts";
import { branchName, commitSha } from "./git_fields.ts";
import { AGE_COLUMN, CATEGORIES, type KindDefinition, READY_COLUMNS } from "./kind.ts";
import type { KubeObject } from "./object.ts";
import { immutable, withRules } from "./rules.ts";
import { INVENTORY_LENGTH, MAX_RUNNING_IMAGE_LENGTH, sharedStatus } from "./status.ts";

/** Phases of an Environment, in the order of a life. */
export const ENVIRONMENT_PHASES = ["Pending", "Building", "Deploying", "Failed", "Ready", "Terminating"] as const;

const MAX_PR_NUMBER = 999_999;

const source = withRules(
  z.object({
    commitSha: commitSha().optional().describe(
      "Commit to deploy. Without it the tip of pull request or branch is, also after a later push.",
    ),
    branch: branchName().optional().describe("Branch that the commit is on."),
    // Clients that know no absent number write 0.
    prNumber: z.int().min(0).max(MAX_PR_NUMBER).optional().describe("Number of the pull request; 0 is none."),
  }),
  {
    cel: "has(self.commitSha) || has(self.branch) || (has(self.prNumber) && self.prNumber > 0)",
    holds: ({ commitSha, branch, prNumber }) => commitSha !== undefined || branch !== undefined || !!prNumber,
    reads: ["commitSha", "branch", "prNumber"],
    message: "Must have commitSha, branch or prNumber",
  },
);

const spec = z.object({
  projectRef: z.object({
    name: immutable(objectName()).describe("Name of the Project. Immutable."),
    namespace: immutable(dnsLabel().optional()).describe(
      "Namespace of the Project. Absent: the one of this object, or where that is <team>-<project>, the team's. " +
        "Immutable.",
    ),
  }).describe("The Project that this is an instance of."),
  type: z.enum(["development", "deployment"])
    .describe("What it is for: development shows work in progress, deployment serves people."),
  source: source.describe("What is deployed: a commit, the tip of a branch, or a pull request."),
  config: z.object({
    envVars: envIn("the environment's namespace: one of the Project's secrets, or of what is deployed").optional()
      .describe("Environment variables of every container of the application."),
  }).optional().describe("What is different in this environment."),
  ttlSeconds: ttl().optional()
    .describe("Seconds from the creation until the environment is deleted. Absent: it lives until it is deleted."),
  namespace: immutable(newNamespace().optional())
    .describe("Namespace to make for the environment, where the generated name does not suit. Immutable."),
}).describe("What the environment should be.");

const deployed = z.object({
  apiVersion: text(1, 317).describe("Group and version of the object."),
  kind: text(1, 63).describe("Kind of the object."),
  name: text(1, 253).describe("Name of the object, in the environment's namespace."),
});

const status = z.object({
  ...sharedStatus(ENVIRONMENT_PHASES),
  url: text(0, 512).optional().describe("Where the environment is reached."),
  host: text(0, 253).optional().describe("Host of the URL. Once given, it stays."),
  namespace: text(0, 63).optional().describe("Namespace of the environment."),
  project: text(0, 317).optional().describe("The Project that is used, as namespace/name."),
  commit: text(0, 64).optional().describe("The commit that is deployed, or on its way."),
  image: text(0, MAX_RUNNING_IMAGE_LENGTH).optional().describe("The image that was built for it, by digest."),
  buildJob: text(0, 63).optional().describe("Job that builds the image, while it is needed."),
  service: text(0, 63).optional().describe("Service that the Ingress leads to."),
  deployed: list(deployed, INVENTORY_LENGTH).optional()
    .describe("Objects of the latest deployment. What leaves the source is deleted by it."),
  revision: text(0, 64).optional().describe("What was deployed last, as a digest: hooks run once for each."),
  deployedCommit: text(0, 64).optional().describe("The commit that became Ready last."),
  expiresAt: time().optional().describe("When the environment is deleted; absent when it has no TTL."),
}).describe("What the environment is.");

/** The kind as data. */
export const ENVIRONMENT: KindDefinition = {
  resource: {
    group: "catalyst.catalyst.dev",
    version: "v1alpha1",
    kind: "Environment",
    plural: "environments",
    namespaced: true,
  },
  singular: "environment",
  shortNames: ["env"],
  categories: CATEGORIES,
  description: "Environment is one instance of a Project at one commit: its namespace, build, deployment and URL.",
  columns: [
    { name: "Project", type: "string", jsonPath: ".spec.projectRef.name", description: "What it is an instance of." },
    { name: "Type", type: "string", jsonPath: ".spec.type", description: "What it is for." },
    { name: "Phase", type: "string", jsonPath: ".status.phase", description: "Where the environment stands." },
    { name: "URL", type: "string", jsonPath: ".status.url", description: "Where the environment is reached." },
    { name: "Commit", type: "string", jsonPath: ".status.commit", description: "The commit that is deployed." },
    AGE_COLUMN,
    {
      name: "Namespace",
      type: "string",
      jsonPath: ".status.namespace",
      description: "Namespace of the environment.",
      wide: true,
    },
    { name: "Image", type: "string", jsonPath: ".status.image", description: "The image that runs.", wide: true },
    { name: "Expires", type: "string", jsonPath: ".status.expiresAt", description: "When it is deleted.", wide: true },
    ...READY_COLUMNS,
  ],
  spec,
  status,
};

/** `spec` of an Environment, defaults filled in. */
export type EnvironmentSpec = z.output<typeof spec>;
/** `status` of an Environment. */
export type EnvironmentStatus = z.output<typeof status>;
/** An Environment as the API server gives it. */
export interface Environment extends KubeObject {
  spec: EnvironmentSpec;
  status?: EnvironmentStatus;
}
