/**
 * Builds for tests.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";
import { buildJob } from "./job.ts";
import { BUILD_LABEL } from "./names.ts";
import type { BuildOptions, BuildRequest } from "./request.ts";

/** A digest as builders leave it. */
export const DIGEST = `sha256:${"0f".repeat(32)}`;

/** A request, complete but for Secrets. */
export function request(over: Partial<BuildRequest> = {}): BuildRequest {
  return {
    repositoryUrl: "https://git.example.com/acme/shop.git",
    commit: "0123456789abcdef0123456789abcdef01234567",
    context: "services/web",
    dockerfile: "Dockerfile",
    builder: "buildkit",
    image: "registry.example.com/acme/shop",
    timeoutSeconds: 600,
    ...over,
  };
}

/** Options with everything left out that can be. */
export function options(over: Partial<BuildOptions> = {}): BuildOptions {
  return {
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
    ...over,
  };
}

/** The Job of a request, as a cache holds it. @param over its status, and what its metadata has beside the name. */
export function seenJob(
  asked: BuildRequest,
  over: { status?: Record<string, unknown>; metadata?: Partial<KubeObject["metadata"]> } = {},
): KubeObject {
  const namespace = over.metadata?.namespace ?? "team-shop-dev";
  const job = buildJob(asked, options(), { namespace, labels: {} });
  const metadata = { ...job.metadata, uid: `uid-of-${namespace}`, creationTimestamp: "2026-01-01T00:00:00Z" };
  return { ...job, metadata: { ...metadata, ...over.metadata }, status: over.status ?? {} };
}

/** `status` of a Job that is over. */
export function ended(type: "Complete" | "Failed", reason = "BackoffLimitExceeded"): Record<string, unknown> {
  return { conditions: [{ type, status: "True", reason, message: "why", lastTransitionTime: "2026-01-01T00:01:00Z" }] };
}

/** A Pod of a Job whose builder ended. */
export function endedPod(job: KubeObject, end: { exitCode: number; message?: string }): KubeObject {
  const { name, namespace, uid = "" } = job.metadata;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: `${name}-x`,
      namespace,
      labels: { [BUILD_LABEL]: name },
      ownerReferences: [{ apiVersion: "batch/v1", kind: "Job", name, uid, controller: true }],
    },
    spec: { restartPolicy: "Never", containers: [], initContainers: [] },
    status: {
      phase: end.exitCode === 0 ? "Succeeded" : "Failed",
      containerStatuses: [{ name: "build", state: { terminated: { reason: "Error", ...end } } }],
    },
  };
}
