/**
 * What is built, and with what. Pure.
 *
 * @module
 */
import { posix } from "node:path";
import { parseReference } from "../image/reference.ts";
import type { Mirrors } from "../registry/endpoints.ts";

/** One image of one commit. */
export interface BuildRequest {
  /** `https://`, `http://`, `git://`, `ssh://` or `user@host:path`; without credentials. */
  repositoryUrl: string;
  /** The whole hash: 40 or 64 hex digits. */
  commit: string;
  /** Folder of the repository that is built; `.` for all of it. */
  context: string;
  /** Path of the Dockerfile from the context on. */
  dockerfile: string;
  builder: "buildkit" | "kaniko";
  /** Repository to push to, without tag and digest: the commit is the tag. */
  image: string;
  /** Seconds from the Job's start, waiting for a node included. */
  timeoutSeconds: number;
  /** Secret in the namespace of the build that opens registries; `key` holds a `config.json` of Docker. */
  pushSecret?: { name: string; key: string };
  /**
   * Secret in the namespace of the build that opens the repository: `username` (`x-access-token` where it is missing)
   * and `password` or `token`, or `ssh-privatekey` and `known_hosts`.
   */
  gitSecret?: { name: string };
  /** Digest of the content of these Secrets: a build that failed for want of another password is tried again. */
  secretsDigest?: string;
}

/** What the operator's configuration says of builds. */
export interface BuildOptions {
  /** Has `sh`, `git`, `rootlesskit`, `buildkitd` and `buildctl`, and a user 1000 with subordinate ids. */
  buildkitImage: string;
  /** Has `/kaniko/executor`. */
  kanikoImage: string;
  /** Has `sh` and `git`: fetches the source for Kaniko, whose image has neither. */
  gitImage: string;
  /**
   * Seccomp profile of BuildKit, a file below the kubelet's seccomp folder; `""`: what the node does by default.
   * BuildKit makes user namespaces, which the runtime's own profile forbids, and baseline does not admit "Unconfined".
   */
  seccompProfile: string;
  /** AppArmor profile of BuildKit that is loaded on the nodes; `""`: what the node does by default. */
  appArmorProfile: string;
  /** Authorities that are trusted beside those of the images, in PEM; for registries and git. At most 64 KiB. */
  caCertificates: string;
  /** Registries and mirrors that are spoken to over plain HTTP. */
  insecureRegistries: readonly string[];
  mirrors: Mirrors;
  resources: BuildResources;
  /** Size of the volume that holds source, layers and cache: a Kubernetes quantity. */
  storage: string;
  /** Seconds that a Job is kept after its end, for its log. */
  ttlSecondsAfterFinished: number;
}

/** `resources` of the container that builds. */
export interface BuildResources {
  requests: { cpu: string; memory: string };
  limits: { cpu?: string; memory: string };
}

const URL_PATTERN =
  /^(?:(?:https?|git):\/\/[^\s/@]+\/\S+|ssh:\/\/(?:[^\s/@:]+@)?[^\s/@]+\/\S+|[\w.-]+@[\w.-]+:[^\s:]\S*)$/;
const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const MAX_CA_LENGTH = 64 * 1024;

/**
 * Why a request cannot be built, whoever let it pass: values go into arguments and paths, not into a shell, but what
 * begins like an option or leaves the checkout is nothing to try.
 *
 * @returns one sentence, or nothing
 */
export function requestProblem(request: BuildRequest): string | undefined {
  const { repositoryUrl, commit, image } = request;
  // Not shown: it may hold a password.
  if (!URL_PATTERN.test(repositoryUrl)) return "Repository must be a URL of git over HTTP or SSH, without credentials";
  if (!COMMIT.test(commit)) return `Commit must be a whole hash: ${quoted(commit)}`;
  const parsed = parseReference(image);
  if (!parsed.ok) return parsed.problem;
  if (parsed.reference.tag !== undefined || parsed.reference.digest !== undefined) {
    return `Image to build must have neither tag nor digest, the commit is its tag: ${quoted(image)}`;
  }
  return pathProblem("Context", request.context) ?? pathProblem("Dockerfile", request.dockerfile);
}

/** Why builds cannot run with these options; for the check of the configuration at start. */
export function optionsProblem({ caCertificates }: BuildOptions): string | undefined {
  if (caCertificates.length <= MAX_CA_LENGTH) return undefined;
  return `Authorities for builds are over ${MAX_CA_LENGTH} bytes: give only those that images do not have`;
}

function pathProblem(what: string, path: string): string | undefined {
  const normal = posix.normalize(path);
  const isInside = path !== "" && !path.startsWith("/") && normal !== ".." && !normal.startsWith("../");
  // deno-lint-ignore no-control-regex
  if (isInside && !/[\x00-\x1f\x7f]/.test(path)) return undefined;
  return `${what} must be a path in the repository: ${quoted(path)}`;
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
