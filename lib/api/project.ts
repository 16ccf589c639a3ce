/**
 * The kind Project: a team's deployable repository (SPEC section 5).
 *
 * @module
 */
import { z } from "zod";
import { dnsLabel, freeForm, objectName, quantity, setOf, text } from "./fields.ts";
import { branchName, checkoutPath, repositoryUrl } from "./git_fields.ts";
import { imageRepository } from "./image_fields.ts";
import { AGE_COLUMN, CATEGORIES, type KindDefinition, READY_COLUMNS } from "./kind.ts";
import type { KubeObject } from "./object.ts";
import { sharedStatus } from "./status.ts";

/** Phases of a Project, in the order of a life. */
export const PROJECT_PHASES = ["Pending", "Ready", "Failed", "Terminating"] as const;

const MAX_SECRETS = 32;
const MAX_NAMESPACES = 256;
const MAX_ENVIRONMENTS = 1000;
const MAX_VALUES = 256;
const MAX_BUILD_SECONDS = 86_400;

function secretRef(what: string): z.ZodObject<{ name: z.ZodString }> {
  return z.object({ name: objectName().describe(`Name of ${what} in the namespace of this object.`) });
}

const source = z.object({
  repositoryUrl: repositoryUrl()
    .describe("Git repository: https://, http://, ssh:// or user@host:path. Credentials stand in a Secret."),
  branch: branchName().optional()
    .describe("Main branch of the repository: where a commit is looked for that comes without a branch."),
  secretRef: secretRef("a Secret with username and password, or with ssh-privatekey and known_hosts,").optional()
    .describe("Credentials for the repository. They go to the host of repositoryUrl and to no other."),
});

const deployment = z.object({
  type: z.enum(["helm", "kustomize", "manifest"])
    .describe("What stands at path: a Helm chart, a kustomization, or manifests."),
  path: checkoutPath().describe("Path of the chart, kustomization, manifest or folder of manifests in the repository."),
  values: freeForm(MAX_VALUES).optional()
    .describe(
      "Values of the chart, over its own. The entry maquette is for Maquette: service and port of the Ingress.",
    ),
});

const build = z.object({
  dockerfile: checkoutPath().default("Dockerfile").describe("Path of the Dockerfile, from context on."),
  context: checkoutPath().default(".").describe("Folder of the repository that is built."),
  builder: z.enum(["buildkit", "kaniko"]).default("buildkit").describe("What builds, without privileges."),
  image: imageRepository()
    .describe("Repository that images are pushed to and pulled from, for instance ghcr.io/acme/shop."),
  pushSecretRef: secretRef("a Secret of type kubernetes.io/dockerconfigjson").optional()
    .describe("Credentials that images are looked up, pushed and pulled with."),
  timeoutSeconds: z.int().min(60).max(MAX_BUILD_SECONDS).default(1800)
    .describe("Seconds after which a build is given up."),
});

const spec = z.object({
  source: source.describe("Where the source code is."),
  deployment: deployment.describe("How it is deployed."),
  resources: z.object({
    defaultQuota: z.object({
      cpu: quantity().optional().describe("Processor time that the Pods of one environment may ask for together."),
      memory: quantity().optional().describe("Memory that the Pods of one environment may use together."),
    }).optional().describe("Quota of each environment; what is absent is not limited."),
  }).optional().describe("What environments may use."),
  build: build.optional().describe("How the image of a commit is built. Absent: images are used as they are written."),
  secrets: setOf(objectName(), MAX_SECRETS).optional()
    .describe("Secrets in the namespace of this object that are copied into each environment and kept in step."),
  allowedNamespaces: setOf(dnsLabel(), MAX_NAMESPACES).optional()
    .describe("Other namespaces whose Environments may use this Project."),
  maxEnvironments: z.int().min(0).max(MAX_ENVIRONMENTS).optional()
    .describe("Most environments at a time; one more is refused. Absent: no limit."),
}).describe("What is deployed, and how.");

const status = z.object({
  ...sharedStatus(PROJECT_PHASES),
  environments: z.int().min(0).optional().describe("Number of Environments that use the Project."),
  readyEnvironments: z.int().min(0).optional().describe("Number of those that are Ready."),
  lastCommit: text(0, 64).optional().describe("Commit that became Ready last, in whichever environment."),
}).describe("What became of it.");

/** The kind as data. */
export const PROJECT: KindDefinition = {
  resource: {
    group: "catalyst.catalyst.dev",
    version: "v1alpha1",
    kind: "Project",
    plural: "projects",
    namespaced: true,
  },
  singular: "project",
  shortNames: ["proj"],
  categories: CATEGORIES,
  description: "Project is a team's deployable repository: its source, how it is deployed, and what it may use.",
  columns: [
    { name: "Type", type: "string", jsonPath: ".spec.deployment.type", description: "What is deployed." },
    {
      name: "Environments",
      type: "integer",
      jsonPath: ".status.environments",
      description: "Number of Environments that use it.",
    },
    {
      name: "Ready",
      type: "string",
      jsonPath: '.status.conditions[?(@.type=="Ready")].status',
      description: "Whether environments can be made of it.",
    },
    AGE_COLUMN,
    {
      name: "Repository",
      type: "string",
      jsonPath: ".spec.source.repositoryUrl",
      description: "Where the source code is.",
      wide: true,
    },
    { name: "Commit", type: "string", jsonPath: ".status.lastCommit", description: "Latest to be Ready.", wide: true },
    ...READY_COLUMNS,
  ],
  spec,
  status,
};

/** `spec` of a Project, defaults filled in. */
export type ProjectSpec = z.output<typeof spec>;
/** `status` of a Project. */
export type ProjectStatus = z.output<typeof status>;
/** A Project as the API server gives it. */
export interface Project extends KubeObject {
  spec: ProjectSpec;
  status?: ProjectStatus;
}
