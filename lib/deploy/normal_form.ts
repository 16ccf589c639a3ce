/**
 * Rendered objects in the form in which the API server gives them back, as far as that is known, so that a comparison
 * with what is there finds nothing where nothing is to do; and without what is the cluster's to write. Pure.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { KubeObject } from "../api/object.ts";

/** Fields of built-in kinds that the server drops where they are false or 0: absent means the same. */
const DROPPED_WHEN_ZERO = new Set([
  ...["hostNetwork", "hostPID", "hostIPC", "stdin", "stdinOnce", "tty", "readOnly"],
  ...["publishNotReadyAddresses", "paused", "minReadySeconds"],
]);
/** Kinds that hold a Pod template, and where. */
const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  "apps/v1 Deployment": ["spec", "template"],
  "apps/v1 StatefulSet": ["spec", "template"],
  "apps/v1 DaemonSet": ["spec", "template"],
  "apps/v1 ReplicaSet": ["spec", "template"],
  "v1 ReplicationController": ["spec", "template"],
  "batch/v1 Job": ["spec", "template"],
  "batch/v1 CronJob": ["spec", "jobTemplate", "spec", "template"],
};

type Json = Record<string, unknown>;

/**
 * A copy of a rendered object as it is sent.
 *
 * @param options.isScaled An autoscaler decides how many Pods there are: `spec.replicas` is left to it.
 */
export function normalForm(rendered: KubeObject, namespace: string, options: { isScaled?: boolean } = {}): KubeObject {
  const { status: _status, metadata, ...rest } = cleaned(rendered, isBuiltin(rendered)) as unknown as KubeObject;
  const { name, labels, annotations, finalizers } = metadata;
  const object: KubeObject = { ...rest, metadata: { name, namespace, ...kept({ labels, annotations, finalizers }) } };
  if (object.kind === "Secret" && object.apiVersion === "v1") normalizeSecret(object);
  // Made again whenever its time is over, it would run again for ever.
  if (isJob(object) && object.spec) delete object.spec.ttlSecondsAfterFinished;
  if (options.isScaled && object.spec) delete object.spec.replicas;
  return object;
}

/** The Pod template inside an object, or nothing. */
export function podTemplateOf(object: KubeObject): { metadata?: { labels?: Record<string, string> } } | undefined {
  if (object.apiVersion === "v1" && object.kind === "Pod") return undefined;
  // deno-lint-ignore no-explicit-any -- read step by step, each of which may be missing
  let place: any = object;
  const path = TEMPLATES[`${object.apiVersion} ${object.kind}`];
  for (const step of path ?? []) place = place?.[step];
  return path && typeof place === "object" && place !== null ? place : undefined;
}

function isJob({ apiVersion, kind }: KubeObject): boolean {
  return apiVersion === "batch/v1" && kind === "Job";
}

/** Groups of Kubernetes itself: `""`, `apps`, `networking.k8s.io`. */
function isBuiltin({ apiVersion }: KubeObject): boolean {
  const group = apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
  return !group.includes(".") || group.endsWith(".k8s.io");
}

/** Without values that say nothing. Lists keep their members: their order has a meaning. */
function cleaned(value: unknown, isBuiltin: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => cleaned(item, isBuiltin));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([name, member]) =>
    member !== null && member !== undefined &&
    !(isBuiltin && (member === false || member === 0) && DROPPED_WHEN_ZERO.has(name))
  );
  return Object.fromEntries(entries.map(([name, member]) => [name, cleaned(member, isBuiltin)]));
}

function kept(fields: Json): Json {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** The server keeps no `stringData`, and writes base64 in one line. */
function normalizeSecret(secret: KubeObject): void {
  const { stringData = {}, data = {} } = secret;
  delete secret.stringData;
  const folded = Object.entries(stringData).map(([name, text]) => [name, Buffer.from(String(text)).toString("base64")]);
  const joined = Object.entries(data).map(([name, text]) => [name, String(text).replace(/\s+/g, "")]);
  if (joined.length + folded.length > 0) secret.data = Object.fromEntries([...joined, ...folded]);
}
