/**
 * The kind PreviewEnvironment: one image for one pull request, in its own namespace (SPEC section 3).
 *
 * @module
 */
import { z } from "zod";
import { env, envFrom, imagePullSecrets, resources } from "./container.ts";
import { matching, newNamespace, text, time, ttl } from "./fields.ts";
import { imageReference, imageTag, TAG_AGREES, TAG_REQUIRED } from "./image_fields.ts";
import { AGE_COLUMN, CATEGORIES, type KindDefinition, READY_COLUMNS } from "./kind.ts";
import type { KubeObject } from "./object.ts";
import { immutable, withRules } from "./rules.ts";
import { MAX_RUNNING_IMAGE_LENGTH, sharedStatus } from "./status.ts";

/** Phases of a PreviewEnvironment, in the order of a life. */
export const PREVIEW_ENVIRONMENT_PHASES = [
  "Pending",
  "Provisioning",
  "Ready",
  "Degraded",
  "Failed",
  "Expired",
  "Terminating",
] as const;

const MAX_PR_NUMBER = 999_999;
const MAX_REPLICAS = 20;

// Each half has a letter or digit, so that the names made of it are never empty.
const REPOSITORY_PART = "[-._a-zA-Z0-9]*[a-zA-Z0-9][-._a-zA-Z0-9]*";
const REPOSITORY_PATTERN = `^${REPOSITORY_PART}/${REPOSITORY_PART}$`;
const HEALTH_PATH_PATTERN = "^/[!-~]*$";

const spec = withRules(
  z.object({
    pr_number: immutable(z.int().min(1).max(MAX_PR_NUMBER))
      .describe("Number of the pull request. Immutable."),
    branch_name: text(1, 255).describe("Branch of the pull request."),
    image: imageReference()
      .describe("Image to run, with or without tag or digest, for instance ghcr.io/acme/shop."),
    image_tag: imageTag().optional()
      .describe("Tag of the image. Required unless image carries a tag or a digest; beside a tag it must equal it."),
    ttl_seconds: ttl().optional()
      .describe("Seconds until the environment is deleted. The default and the maximum are the operator's."),
    repository: immutable(
      matching(REPOSITORY_PATTERN, { max: 255, message: "Must be owner/name, each with a letter or digit" }).optional(),
    ).describe(
      "Repository of the pull request as owner/name. Set where several repositories share a cluster. Immutable.",
    ),
    namespace: immutable(newNamespace().optional())
      .describe("Namespace to make for the environment, where the generated name does not suit. Immutable."),
    port: z.int().min(1).max(65_535).default(8000).describe("Port that the application listens on."),
    replicas: z.int().min(1).max(MAX_REPLICAS).default(1).describe("Number of Pods."),
    env: env.optional().describe("Environment variables of the application."),
    env_from: envFrom.optional()
      .describe("Secrets and ConfigMaps whose keys become environment variables. A later one wins, env wins over all."),
    resources: resources.optional().describe("Processor time, memory and disk of each Pod."),
    health_path: matching(HEALTH_PATH_PATTERN, {
      max: 1024,
      message: "Must start with / and have printable ASCII characters only, no space",
    }).default("/").describe("Path that the probes ask for; any answer from 200 to 399 is healthy."),
    image_pull_secrets: imagePullSecrets.optional()
      .describe("Secrets in the namespace of this object that the image is pulled with."),
    ttl_from: z.enum(["created", "updated"]).default("created")
      .describe("What ttl_seconds counts from: the creation, or the latest change of the spec."),
  }),
  TAG_REQUIRED,
  TAG_AGREES,
).describe("What the environment should be.");

const status = z.object({
  ...sharedStatus(PREVIEW_ENVIRONMENT_PHASES),
  url: text(0, 512).optional().describe("Where the environment is reached."),
  namespace: text(0, 63).optional().describe("Namespace of the environment."),
  image: text(0, MAX_RUNNING_IMAGE_LENGTH).optional().describe(
    "The image that the environment runs, with its tag or digest.",
  ),
  expiresAt: time().optional().describe("When the environment is deleted; absent when it has no TTL."),
  updatedAt: time().optional().describe("When the present generation of the spec was first seen."),
}).describe("What the environment is.");

/** The kind as data. */
export const PREVIEW_ENVIRONMENT: KindDefinition = {
  resource: {
    group: "devops.orima.com",
    version: "v1",
    kind: "PreviewEnvironment",
    plural: "previewenvironments",
    namespaced: true,
  },
  singular: "previewenvironment",
  shortNames: ["prenv"],
  categories: CATEGORIES,
  description:
    "PreviewEnvironment is one image for one pull request, in its own namespace, at its own URL, until its " +
    "time is over.",
  columns: [
    { name: "PR", type: "integer", jsonPath: ".spec.pr_number", description: "Number of the pull request." },
    { name: "Phase", type: "string", jsonPath: ".status.phase", description: "Where the environment stands." },
    { name: "URL", type: "string", jsonPath: ".status.url", description: "Where the environment is reached." },
    { name: "Image", type: "string", jsonPath: ".status.image", description: "The image that runs." },
    { name: "Expires", type: "string", jsonPath: ".status.expiresAt", description: "When it is deleted." },
    AGE_COLUMN,
    {
      name: "Namespace",
      type: "string",
      jsonPath: ".status.namespace",
      description: "Namespace of the environment.",
      wide: true,
    },
    ...READY_COLUMNS,
  ],
  spec,
  status,
};

/** `spec` of a PreviewEnvironment, defaults filled in. */
export type PreviewEnvironmentSpec = z.output<typeof spec>;
/** `status` of a PreviewEnvironment. */
export type PreviewEnvironmentStatus = z.output<typeof status>;
/** A PreviewEnvironment as the API server gives it. */
export interface PreviewEnvironment extends KubeObject {
  spec: PreviewEnvironmentSpec;
  status?: PreviewEnvironmentStatus;
}
