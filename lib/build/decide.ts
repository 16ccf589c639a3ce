/**
 * What to do about a build. Pure.
 *
 * ```
 *            image is there ──────────────────────────────► use
 * (ask) ──►  missing ── another builds it ──► wait
 *            missing ── nobody builds it ───► start ──► running ──► succeeded ──► use
 *            no answer ──► wait or fail                        └──► failed: until the request changes
 * ```
 *
 * One image is built once at a time, in whatever namespaces the environments of its Project are: the oldest Job goes on, younger ones
 * of the same image are cancelled, and their environments then find the image in the registry.
 *
 * @module
 */
import { keyOf, type KubeObject } from "../api/object.ts";
import type { RegistryError, RegistryFault } from "../registry/errors.ts";
import type { FoundImage, InspectedImage } from "../registry/registry.ts";
import { jobEnd } from "../workload/job.ts";
import type { PodFailure } from "../workload/pod_failure.ts";
import { BUILD_IMAGE_LABEL, imageKey, imageOf, isBuildJob } from "./names.ts";
import type { BuildRequest } from "./request.ts";
import { buildState } from "./state.ts";

/** What is seen of a build. */
export interface BuildSeen {
  /** Name of the Job that the request asks for: `jobName()` of job.ts. */
  name: string;
  /** Namespace that it belongs into. */
  namespace: string;
  /** The registry's answer, or why there is none; absent where it was not asked. */
  registry?: InspectedImage | RegistryError;
  /** Jobs of builds of those who may build this image, in their own namespaces, as a cache holds them. */
  jobs: readonly KubeObject[];
  pods: readonly KubeObject[];
  /** The last failure that the owner's status remembers: a Job is gone some time after its end. */
  failed?: { name: string; reason: string; message: string };
}

/**
 * - `use`: the image is there, under this digest
 * - `ask`: the registry is to be asked
 * - `start`: the Job is to be made
 * - `wait`: something else goes first
 * - `fail`: nothing more happens until the request, the Secrets or the configuration change
 *
 * `afterMs`: when to look again where no event tells.
 */
export type BuildStep =
  | { step: "use"; image: string; digest: string }
  | { step: "ask" }
  | { step: "start" }
  | { step: "wait"; reason: string; message: string; failure?: PodFailure; afterMs?: number }
  | { step: "fail"; reason: string; message: string; failure?: PodFailure; afterMs?: number };

const ASK_AGAIN_MS = 10_000;
/** A registry's answer may change without anybody changing something here. */
const ASK_FAILED_MS = 60_000;
/** Reasons of conditions, by what is wrong with a registry; the ones that time may mend wait. */
const REASONS: Readonly<Record<RegistryFault, string>> = {
  denied: "RegistryDenied",
  unreachable: "RegistryUnreachable",
  untrusted: "RegistryUntrusted",
  limited: "RegistryLimited",
  unusable: "RegistryUnusable",
};
const MAY_PASS: ReadonlySet<RegistryFault> = new Set(["unreachable", "limited"]);

/** The next step of a build. */
export function decideBuild(request: BuildRequest, seen: BuildSeen): BuildStep {
  const job = jobOf(seen);
  const state = buildState(job, seen.pods);
  if (state.phase === "succeeded" && state.digest) return use(request, state.digest);
  if (state.phase === "running") return building(request, state.failure);
  if (isFound(seen.registry)) return use(request, seen.registry.digest);
  if (state.phase === "failed") return failed(state);
  if (!job && seen.failed?.name === seen.name) {
    return failed(seen.failed);
  }
  if (!seen.registry) return { step: "ask" };
  if (!("exists" in seen.registry)) return withoutAnswer(seen.registry);
  if (job) return pushed(request);
  const rival = rivalOf(request, seen);
  return rival ? elsewhere(request, rival) : { step: "start" };
}

function isFound(answer: BuildSeen["registry"]): answer is FoundImage {
  return answer !== undefined && "exists" in answer && answer.exists;
}

function failed({ reason, message, failure }: { reason: string; message: string; failure?: PodFailure }): BuildStep {
  return { step: "fail", reason, message, ...(failure ? { failure } : {}) };
}

/**
 * The Jobs of an owner that are to be cancelled: those of builds that are asked for no more, and its own where an older
 * one builds the same image already.
 *
 * @param own the owner's Jobs
 * @param request what is to be built now; nothing where no build is asked for
 */
export function obsoleteJobs(
  own: readonly KubeObject[],
  wanted?: { request: BuildRequest; seen: Pick<BuildSeen, "name" | "namespace" | "jobs"> },
): KubeObject[] {
  return own.filter((job) => {
    if (!isBuildJob(job) || isOver(job)) return false;
    if (!wanted || job.metadata.name !== wanted.seen.name) return true;
    const rival = rivalOf(wanted.request, wanted.seen);
    return rival !== undefined && isBefore(rival, job);
  });
}

function jobOf({ jobs, name, namespace }: Pick<BuildSeen, "jobs" | "name" | "namespace">): KubeObject | undefined {
  return jobs.find(({ metadata }) => metadata.name === name && metadata.namespace === namespace);
}

/** The oldest Job that builds this image somewhere else. */
function rivalOf(request: BuildRequest, seen: Pick<BuildSeen, "name" | "namespace" | "jobs">): KubeObject | undefined {
  const key = imageKey(request);
  const own = jobOf(seen);
  return seen.jobs.filter((job) => job !== own && job.metadata.labels?.[BUILD_IMAGE_LABEL] === key && !isOver(job))
    .sort((a, b) => isBefore(a, b) ? -1 : 1)[0];
}

/** One on its way out makes room. */
function isOver(job: KubeObject): boolean {
  return job.metadata.deletionTimestamp !== undefined || jobEnd(job) !== undefined;
}

/** Times are whole seconds: the name decides between two of one second. */
function isBefore(a: KubeObject, b: KubeObject): boolean {
  const [first, second] = [a.metadata.creationTimestamp ?? "", b.metadata.creationTimestamp ?? ""];
  return first === second ? keyOf(a) < keyOf(b) : first < second;
}

function use({ image }: BuildRequest, digest: string): BuildStep {
  return { step: "use", image: `${image}@${digest}`, digest };
}

function building(request: BuildRequest, failure: PodFailure | undefined): BuildStep {
  const message = failure?.message ?? `Image "${imageOf(request)}" is being built`;
  return { step: "wait", reason: failure?.reason ?? "Building", message, ...(failure ? { failure } : {}) };
}

function elsewhere(request: BuildRequest, rival: KubeObject): BuildStep {
  const message = `Image "${imageOf(request)}" is being built by Job "${keyOf(rival)}"`;
  return { step: "wait", reason: "BuildingElsewhere", message };
}

/** The registry may have been asked a moment before the push. */
function pushed(request: BuildRequest): BuildStep {
  const message = `Image "${imageOf(request)}" is pushed, and its registry does not show it yet`;
  return { step: "wait", reason: "ImagePending", message, afterMs: ASK_AGAIN_MS };
}

function withoutAnswer({ fault, message, retryAfterMs }: RegistryError): BuildStep {
  const reason = REASONS[fault];
  if (!MAY_PASS.has(fault)) return { step: "fail", reason, message, afterMs: ASK_FAILED_MS };
  return { step: "wait", reason, message, afterMs: Math.max(retryAfterMs ?? 0, ASK_AGAIN_MS) };
}
