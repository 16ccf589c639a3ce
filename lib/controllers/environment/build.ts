/**
 * The image of an environment's commit: whether it is there, and what builds it.
 *
 * @module
 */
import type { Environment } from "../../api/environment.ts";
import { ANNOTATION_GIT_HOST } from "../../api/names.ts";
import type { Condition, KubeObject } from "../../api/object.ts";
import type { Project } from "../../api/project.ts";
import { JOB, POD, SECRET } from "../../api/resources.ts";
import { type BuildSeen, type BuildStep, decideBuild, obsoleteJobs } from "../../build/decide.ts";
import { buildEgressPolicy, buildJob, jobName } from "../../build/job.ts";
import { BUILD_IMAGE_LABEL, imageKey, imageOf, isBuildJob } from "../../build/names.ts";
import { type BuildOptions, type BuildRequest, requestProblem } from "../../build/request.ts";
import { environmentNamespace } from "../../environment_names.ts";
import { normalized, parseReference } from "../../image/reference.ts";
import { configJsonKey, type Keyring, readKeyring, type SecretContent } from "../../registry/docker_config.ts";
import { RegistryError } from "../../registry/errors.ts";
import type { InspectedImage } from "../../registry/registry.ts";
import { repositoryHost } from "../../render/repository_host.ts";
import { copyOf, sourceOf } from "../../runtime/copies.ts";
import type { GatherDeps } from "../../runtime/definition.ts";
import { digestOf } from "../../runtime/differs.ts";
import { ownerLabels } from "../../runtime/ownership.ts";
import { jobEnd } from "../../workload/job.ts";
import type { Steady } from "./steady_lookups.ts";
import type { EnvironmentTools } from "./tools.ts";

/** What the configuration says of builds. */
export interface BuildSettings extends BuildOptions {
  /** CIDRs of the cluster's networks that builds may reach beside the environment's own. */
  allowedRanges: readonly string[];
  /** CIDRs of the cluster's networks. */
  clusterRanges: readonly string[];
}

/** A build as it was seen. */
export interface SeenBuild {
  request: BuildRequest;
  name: string;
  step: BuildStep;
  /** The Job and what it lives under, while it is needed. */
  objects: KubeObject[];
  /** The end of the log of what failed. */
  log: string;
}

/** Metadata of the Secrets that a build needs, as far as they are there. */
export interface BuildSecrets {
  login?: KubeObject;
  push?: KubeObject;
}

/** What a look at a build needs. */
export interface BuildDeps extends Pick<GatherDeps, "cache" | "kube" | "wake"> {
  tools: EnvironmentTools;
  options: BuildSettings;
}

const DOCKER_CONFIG_KEY = ".dockerconfigjson";
/** An image that was missing may be there by now, pushed by whomever. */
const MISSING_MS = 10_000;
const FAILURES = new Set(["BuildFailed", "BuildTimedOut"]);

/** @returns Nothing where the Project builds nothing. */
export async function seeBuild(
  owner: Environment,
  given: { project: Project; siblings: readonly Environment[]; commit: string; secrets: BuildSecrets },
  deps: BuildDeps,
): Promise<SeenBuild | undefined> {
  const request = requestFor(given);
  if (!request) return undefined;
  const { options, tools } = deps;
  const name = jobName(request, options);
  const problem = requestProblem(request);
  if (problem) {
    const step = { step: "fail", reason: "BuildRefused", message: problem } as const;
    return { request, name, objects: [], log: "", step };
  }
  const seen = look(owner, { name, siblings: given.siblings }, deps);
  const step = remembered(stepOf(owner, { request, seen, push: given.secrets.push }, deps), seen);
  const failure = "failure" in step ? step.failure : undefined;
  const log = failure ? await tools.deploying.logs.tail(failure, deps.kube) : "";
  const objects = jobObjects(owner, { request, seen, step, login: given.secrets.login }, options);
  return { request, name, step, log, objects };
}

/** The Pod goes before its Job, and what it said with it. */
function remembered(step: BuildStep, { name, failed }: BuildSeen): BuildStep {
  if (step.step !== "fail" || step.failure || failed?.name !== name) return step;
  return { ...step, reason: failed.reason, message: failed.message };
}

function requestFor(
  { project, commit, secrets }: { project: Project; commit: string; secrets: BuildSecrets },
): BuildRequest | undefined {
  const { build, source } = project.spec;
  if (!build) return undefined;
  const { dockerfile, context, builder, image, timeoutSeconds, pushSecretRef } = build;
  const versions = [secrets.push, secrets.login].map((secret) => secret && sourceOf(secret));
  return {
    ...{ repositoryUrl: source.repositoryUrl, commit, dockerfile, context, builder, image, timeoutSeconds },
    ...(pushSecretRef ? { pushSecret: { name: pushSecretRef.name, key: DOCKER_CONFIG_KEY } } : {}),
    ...(source.secretRef ? { gitSecret: { name: source.secretRef.name } } : {}),
    ...(versions.some((version) => version) ? { secretsDigest: digestOf(versions) } : {}),
  };
}

function look(
  owner: Environment,
  { name, siblings }: { name: string; siblings: readonly Environment[] },
  { cache }: Pick<GatherDeps, "cache">,
): BuildSeen {
  const failed = rememberedFailure(owner, name);
  return {
    name,
    namespace: environmentNamespace(owner),
    jobs: jobsOf([owner, ...siblings], cache),
    pods: cache(POD, "children").ownedBy(owner.metadata.uid!),
    ...(failed ? { failed } : {}),
  };
}

/** Where they belong only: labels can be forged, and whoever did so could keep an image from being built. */
function jobsOf(owners: readonly Environment[], cache: GatherDeps["cache"]): KubeObject[] {
  const byUid = new Map(owners.map((each) => [each.metadata.uid ?? "", environmentNamespace(each)]));
  return [...byUid].flatMap(([uid, namespace]) =>
    cache(JOB, "children").ownedBy(uid).filter((job) => isBuildJob(job) && job.metadata.namespace === namespace)
  );
}

/** A Job is gone some time after its end: the status remembers what became of it. */
function rememberedFailure({ status }: Environment, name: string): BuildSeen["failed"] {
  const condition: Condition | undefined = status?.conditions?.find(({ type }) => type === "BuildReady");
  if (status?.buildJob !== name || !condition || !FAILURES.has(condition.reason)) return undefined;
  return { name, reason: condition.reason, message: condition.message };
}

function stepOf(
  owner: Environment,
  { request, seen, push }: { request: BuildRequest; seen: BuildSeen; push?: KubeObject },
  deps: BuildDeps,
): BuildStep {
  const step = decideBuild(request, seen);
  if (step.step !== "ask") return step;
  const answer = askRegistry(owner, { request, push, seen }, deps);
  if (answer.is === "looking") return step;
  const registry = answer.is === "found" ? answer.value : asRegistryError(answer.error);
  const next = decideBuild(request, { ...seen, registry });
  // Nothing is built because of an answer that is just being made anew.
  return next.step === "start" && answer.nextAt === undefined ? step : next;
}

function askRegistry(
  owner: Environment,
  { request, push, seen }: { request: BuildRequest; push?: KubeObject; seen: BuildSeen },
  deps: BuildDeps,
): Steady<InspectedImage> {
  const { images, endedBuilds } = deps.tools;
  // Whoever has built it since makes the answer before an old one.
  const image = imageKey(request);
  const ended = seen.jobs.filter((job) => job.metadata.labels?.[BUILD_IMAGE_LABEL] === image && jobEnd(job));
  const builds = endedBuilds.add(image, ended.map(({ metadata }) => metadata.uid ?? ""));
  const key = JSON.stringify([imageOf(request), push ? sourceOf(push) : "", builds]);
  const question = {
    look: (signal: AbortSignal) => inspect(request, push, { ...deps, signal }),
    wake: () => deps.wake(owner),
    group: registryOf(request),
  };
  const known = images.ask(key, question);
  const isMissing = known.is === "found" && !known.value.exists;
  return isMissing ? images.ask(key, { ...question, freshMs: MISSING_MS }) : known;
}

/** Many repositories hang together. */
function registryOf(request: BuildRequest): string {
  const parsed = parseReference(imageOf(request));
  return parsed.ok ? normalized(parsed.reference).registry : "";
}

async function inspect(
  request: BuildRequest,
  push: KubeObject | undefined,
  { kube, tools, signal }: Pick<BuildDeps, "kube" | "tools"> & { signal: AbortSignal },
): Promise<InspectedImage> {
  const parsed = parseReference(imageOf(request));
  if (!parsed.ok) throw new RegistryError("unusable", parsed.problem);
  const secret = push &&
    await kube.get(SECRET, { namespace: push.metadata.namespace, name: push.metadata.name });
  const keyring = secret && keyringOf(secret);
  return await tools.registry.inspect(parsed.reference, { signal, ...(keyring ? { keyring } : {}) });
}

function keyringOf(secret: KubeObject): Keyring {
  const content: SecretContent = { type: secret.type, data: secret.data };
  const read = readKeyring(content);
  const name = `Secret "${secret.metadata.namespace}/${secret.metadata.name}"`;
  if (!read.ok) throw new RegistryError("unusable", `${name} cannot be used: ${read.problem}`);
  if (configJsonKey(content) !== undefined) return read.keyring;
  throw new RegistryError("unusable", `${name} cannot be used for builds: it must have the key "${DOCKER_CONFIG_KEY}"`);
}

function asRegistryError(error: unknown): RegistryError {
  if (error instanceof RegistryError) return error;
  return new RegistryError("unreachable", error instanceof Error ? error.message : String(error), { cause: error });
}

/** The Job that is to start or is there already, unless an older one builds the same image. */
function jobObjects(
  owner: Environment,
  { request, seen, step, login }: { request: BuildRequest; seen: BuildSeen; step: BuildStep; login?: KubeObject },
  options: BuildSettings,
): KubeObject[] {
  const { name, namespace } = seen;
  const own = seen.jobs.find(({ metadata }) => metadata.name === name && metadata.namespace === namespace);
  if (!own && step.step !== "start") return [];
  if (own && obsoleteJobs([own], { request, seen }).length > 0) return [];
  const job = buildJob(request, options, { namespace, labels: ownerLabels(owner) });
  // The login is in reach of whoever deploys here: it is there while it is needed, and no longer.
  const isOver = own && jobEnd(own) !== undefined;
  const logins = login && !isOver ? [loginCopy(login, request, namespace)] : [];
  const { allowedRanges: allowed, clusterRanges: denied } = options;
  const policy = { name: "maquette-builds", namespace };
  const policies = allowed.length > 0 ? [buildEgressPolicy(policy, { denied, allowed })] : [];
  return [...policies, ...logins, job];
}

/** It says which host it is for: a Secret may be for some only. */
function loginCopy(login: KubeObject, { repositoryUrl }: BuildRequest, namespace: string): KubeObject {
  const copy = copyOf(login, { namespace, name: login.metadata.name });
  const annotations = { ...copy.metadata.annotations, [ANNOTATION_GIT_HOST]: repositoryHost(repositoryUrl) ?? "" };
  return { ...copy, metadata: { ...copy.metadata, annotations } };
}
