/**
 * Environments, Projects and what is seen around them, for unit tests.
 *
 * @module
 */
import type { Environment, EnvironmentSpec } from "../../api/environment.ts";
import type { KubeObject } from "../../api/object.ts";
import type { Project, ProjectSpec } from "../../api/project.ts";
import type { BuildSettings } from "./build.ts";
import type { SeenEnvironment } from "./checks.ts";
import type { EnvironmentSettings } from "./settings.ts";

/** A commit in full. */
export const COMMIT = "a".repeat(40);
/** When the objects were made. */
export const CREATED = "2026-01-01T00:00:00Z";

/** The operator's defaults, without certificates. */
export const SETTINGS: EnvironmentSettings = {
  domain: "preview.example.com",
  ingressClass: "nginx",
  ingressNamespace: "ingress-nginx",
  tls: { mode: "none" },
  operatorNamespace: "maquette-system",
  reservedNamespaces: [],
  clusterRanges: ["10.0.0.0/8", "fc00::/7"],
  reachableRanges: [],
  maxTtlSeconds: 604_800,
};

/** Builds without mirrors and authorities. */
export const BUILDS: BuildSettings = {
  buildkitImage: "moby/buildkit:v0.25.2-rootless",
  kanikoImage: "kaniko/executor:v1.24.0",
  gitImage: "alpine/git:2.49.1",
  seccompProfile: "",
  appArmorProfile: "",
  caCertificates: "",
  insecureRegistries: [],
  mirrors: new Map(),
  resources: { requests: { cpu: "250m", memory: "512Mi" }, limits: { memory: "2Gi" } },
  storage: "10Gi",
  ttlSecondsAfterFinished: 3600,
  allowedRanges: [],
  clusterRanges: [],
};

/** A Project `acme/shop`, with these fields of its spec. */
export function project(spec: Partial<ProjectSpec> = {}): Project {
  return {
    apiVersion: "catalyst.catalyst.dev/v1alpha1",
    kind: "Project",
    metadata: { name: "shop", namespace: "acme", uid: "uid-of-shop", creationTimestamp: CREATED },
    spec: {
      source: { repositoryUrl: "https://github.com/acme/shop", branch: "main" },
      deployment: { type: "helm", path: "charts/shop" },
      resources: { defaultQuota: { cpu: "1", memory: "2Gi" } },
      ...spec,
    },
  };
}

/** An Environment `acme/dev` of it, likewise. */
export function environment(
  spec: Partial<EnvironmentSpec> = {},
  { metadata, status }: { metadata?: Partial<KubeObject["metadata"]>; status?: Environment["status"] } = {},
): Environment {
  return {
    apiVersion: "catalyst.catalyst.dev/v1alpha1",
    kind: "Environment",
    metadata: {
      name: "dev",
      namespace: "acme",
      uid: "uid-of-dev",
      generation: 1,
      creationTimestamp: CREATED,
      ...metadata,
    },
    spec: {
      projectRef: { name: "shop" },
      type: "development",
      source: { commitSha: COMMIT, branch: "feature/login" },
      ...spec,
    },
    ...(status ? { status } : {}),
  };
}

/** An Environment that nothing keeps from being made. */
export function seen(changed: Partial<SeenEnvironment> = {}): SeenEnvironment {
  const owner = changed.owner ?? environment();
  return {
    owner,
    settings: SETTINGS,
    isNested: false,
    project: project(),
    siblings: [owner],
    rivals: [],
    secrets: new Map(),
    lent: [],
    ingresses: [],
    children: new Set(),
    ...changed,
  };
}
