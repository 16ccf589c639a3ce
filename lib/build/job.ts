/**
 * The objects of a build: a Job in the environment's namespace, and what its Pod may talk to. Pure: the same request
 * gives the same objects.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";
import { buildContainer, BUILDER, fetchContainer, FETCHER, VOLUMES } from "./containers.ts";
import { BUILD_IMAGE_LABEL, BUILD_LABEL, imageKey, shortDigest } from "./names.ts";
import type { BuildOptions, BuildRequest } from "./request.ts";

/** The user of BuildKit's image without root. */
const USER = 1000;
/** A node that is drained does not count; a build that says no would say it again. */
const RETRIES = 1;
const SHOWN_COMMIT = 8;
const COMPONENT = { "app.kubernetes.io/component": "build" };

/**
 * Name of the Job. It follows from all that can make another image or another outcome, so a build whose request changed,
 * or that the operator now runs another way, is another Job: the one of a name never changes.
 */
export function jobName(request: BuildRequest, options: BuildOptions): string {
  const { commit, image, secretsDigest = "" } = request;
  const content = JSON.stringify([image, commit, secretsDigest, jobSpec(request, options)]);
  return `build-${commit.slice(0, SHOWN_COMMIT)}-${shortDigest(content)}`;
}

/**
 * The Job of a build.
 *
 * Its Pod is admitted under Pod Security baseline with both builders, has no service-account token, and runs no text of
 * the request: values are arguments and variables.
 *
 * @param into.labels labels of the owner, for the Job and its Pods
 */
export function buildJob(
  request: BuildRequest,
  options: BuildOptions,
  into: { namespace: string; labels: Readonly<Record<string, string>> },
): KubeObject {
  const name = jobName(request, options);
  const labels = { ...into.labels, ...COMPONENT, [BUILD_LABEL]: name, [BUILD_IMAGE_LABEL]: imageKey(request) };
  const spec = jobSpec(request, options);
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, namespace: into.namespace, labels },
    spec: { ...spec, template: { metadata: { labels }, ...spec.template } },
  };
}

/** Without the labels, which hold the name. */
function jobSpec(request: BuildRequest, options: BuildOptions): { template: { spec: Record<string, unknown> } } {
  const rules = [
    { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
    ...[FETCHER, BUILDER].map((name) => failsJob(name, request)),
  ];
  const limits = {
    activeDeadlineSeconds: request.timeoutSeconds,
    ttlSecondsAfterFinished: options.ttlSecondsAfterFinished,
    backoffLimit: RETRIES,
    podFailurePolicy: { rules },
  };
  return { ...limits, template: { spec: podSpec(request, options) } };
}

/** Our scripts end with 1 where another try would say the same. Kaniko ends with whatever a `RUN` has ended with. */
function failsJob(containerName: string, { builder }: BuildRequest): Record<string, unknown> {
  const isKaniko = builder === "kaniko" && containerName === BUILDER;
  const codes = isKaniko ? { operator: "NotIn", values: [0] } : { operator: "In", values: [1] };
  return { action: "FailJob", onExitCodes: { containerName, ...codes } };
}

function podSpec(request: BuildRequest, options: BuildOptions): Record<string, unknown> {
  return {
    restartPolicy: "Never",
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 5,
    securityContext: podSecurity(request),
    initContainers: [fetchContainer(request, options)],
    containers: [buildContainer(request, options)],
    volumes: [
      { name: VOLUMES.work, emptyDir: { sizeLimit: options.storage } },
      { name: VOLUMES.tmp, emptyDir: { sizeLimit: options.storage } },
      ...(request.gitSecret ? [gitLogin(request.gitSecret)] : []),
      ...(request.pushSecret ? [registryLogin(request.pushSecret)] : []),
    ],
  };
}

/** With a group of its own, what Kaniko copies into an image would belong to it. */
function podSecurity({ builder }: BuildRequest): Record<string, unknown> {
  const user = { runAsNonRoot: true, runAsUser: USER, runAsGroup: USER };
  return builder === "buildkit" ? { ...user, fsGroup: USER } : user;
}

/** Without the mode, ssh would not use a key that is its own user's. Where that is another, the volume's group may read. */
function gitLogin({ name }: { name: string }): Record<string, unknown> {
  return { name: VOLUMES.git, secret: { secretName: name, defaultMode: 0o400 } };
}

function registryLogin({ name, key }: { name: string; key: string }): Record<string, unknown> {
  return { name: VOLUMES.registry, secret: { secretName: name, items: [{ key, path: "config.json" }] } };
}

const LINK_LOCAL = ["169.254.0.0/16", "fe80::/10"];
/** The metadata services of clouds on IPv6, which are not link-local: AWS, Google. */
const METADATA_V6 = ["fd00:ec2::254/128", "fd20:ce::254/128"];

/**
 * Lets the Pods of builds out: to DNS, to the internet, and to the networks where the company's registry and git server
 * are. Registries and repositories are names, and policies know addresses only; base images and packages come from
 * wherever a Dockerfile says.
 *
 * @param ranges.denied networks of the cluster, cut out of the internet
 * @param ranges.allowed networks that builds may reach nevertheless
 */
export function buildEgressPolicy(
  metadata: { name: string; namespace: string },
  ranges: { denied: readonly string[]; allowed: readonly string[] },
): KubeObject {
  const dns = {
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } },
    podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
  };
  const blocked = [...LINK_LOCAL, ...METADATA_V6, ...ranges.denied];
  const internet = ["0.0.0.0/0", "::/0"].map((cidr) => (
    { ipBlock: { cidr, except: blocked.filter((range) => range.includes(":") === cidr.includes(":")) } }
  ));
  const egress: Record<string, unknown>[] = [
    { to: [dns], ports: [{ protocol: "UDP", port: 53 }, { protocol: "TCP", port: 53 }] },
    { to: internet },
  ];
  if (ranges.allowed.length > 0) egress.push({ to: ranges.allowed.map((cidr) => ({ ipBlock: { cidr } })) });
  const podSelector = { matchExpressions: [{ key: BUILD_LABEL, operator: "Exists" }] };
  const spec = { podSelector, policyTypes: ["Egress"], egress };
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata, spec };
}
