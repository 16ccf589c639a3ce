/**
 * The facts that a decision about an environment turns on, each named for what is wrong. Pure.
 *
 * ```
 *             ┌──────────── spec changed ────────────┐
 *             ▼                                      │
 *  (none) → Provisioning ── rolled out, endpoints → Ready ── Pods lost → Degraded ── back → Ready
 *             │    ▲                                 │
 *             ▼    └── mended ── Failed ◄── rollout stuck
 *  any: a source is missing, NotOwned → Failed       older namespace still there → Pending
 *  any: time over → Expired → deleted → Terminating → (gone)
 * ```
 *
 * @module
 */
export { hasExpired, isExpiring } from "../../lifetime.ts";
import { type Rollout, rolloutOf, servingPods } from "../../workload/rollout.ts";
import { certificateSecret, fullImage, TEMPLATE_LABEL } from "./desired.ts";
import type { KubeObject } from "../../api/object.ts";
import { isReservedNamespace } from "../../naming.ts";
import { targetNamespace } from "../../preview_names.ts";
import type { Seen } from "./gather.ts";
import type { Amounts } from "./limits.ts";
import { sourceKey, type SourceRef, sourcesOf, usedSources } from "./sources.ts";

/**
 * What passes by itself is not spoken of before: in every new namespace Pods are refused for a moment, until quota and
 * service account are known everywhere.
 */
const PATIENCE_MS = 30_000;

/** The namespace belongs to the cluster, to the operator or to those that the configuration keeps free. */
export function isNamespaceReserved({ owner, settings }: Seen): boolean {
  const { operatorNamespace, reservedNamespaces } = settings;
  return isReservedNamespace(targetNamespace(owner.spec), [operatorNamespace, ...reservedNamespaces]);
}

/** Who had the host before this one. */
export function hostHolder({ owner, rivals }: Seen): KubeObject | undefined {
  return rivals.find((rival) => isOlder(rival, owner));
}

/** The same order as that of Environments: of two, each says the same about both. */
function isOlder(a: KubeObject, b: KubeObject): boolean {
  const [first, second] = [a, b].map(({ metadata }) => `${metadata.creationTimestamp} ${metadata.uid}`);
  return first! < second!;
}

/** The first Secret or ConfigMap that the environment needs and that does not exist. */
export function missingSource({ owner, settings, sources }: Seen): SourceRef | undefined {
  return sourcesOf(owner, settings).find((ref) => !ref.isOptional && !sources.has(sourceKey(ref)));
}

/** A Secret that would take the place of the environment's certificate, and whose readers would get that one's key. */
export function refusedSource({ owner, settings }: Seen): SourceRef | undefined {
  const certificate = certificateSecret(owner, settings);
  return usedSources(owner).find(({ kind, name }) => kind === "Secret" && name === certificate);
}

/** What the quota must go on to allow, while Pods of an older spec may be there. */
export function heldAmounts(seen: Seen): Amounts | undefined {
  const { owner, deployment, quota, template } = seen;
  const applied = deployment?.spec?.template?.metadata?.labels?.[TEMPLATE_LABEL];
  const isPresent = applied === template.metadata.labels[TEMPLATE_LABEL] &&
    deployment?.spec?.replicas === owner.spec.replicas;
  return isPresent && rolloutOf(deployment).state === "complete" ? undefined : quota?.spec?.hard;
}

interface Explanation {
  /** CamelCase. */
  reason: string;
  message: string;
}

/**
 * What there is to say about the Pods. `stuck`: new Pods cannot run, or the Deployment's deadline has passed.
 * `degraded`: it was ready as it is asked for now, and is not any more.
 */
export type Verdict =
  | { is: "ready" }
  /** `lookAgainAt` in milliseconds since the epoch. */
  | Explanation & { is: "stuck" | "degraded" | "onItsWay"; lookAgainAt?: number };

/** Judges the rollout and the endpoints. @param now Milliseconds since the epoch. */
export function verdictOn(seen: Seen, now: number): Verdict {
  const rollout = rolloutOf(seen.deployment);
  const serving = Math.min(rollout.available, servingPods(seen.endpointSlices, seen.pods).length);
  if (rollout.state === "complete" && serving >= rollout.wanted) return { is: "ready" };
  const wasReady = rollout.state !== "updating" && hadBeenReady(seen);
  const trouble = troubleOf(seen, rollout);
  if (trouble?.isFinal) return { is: wasReady ? "degraded" : "stuck", ...explanationOf(trouble) };
  const is = wasReady ? "degraded" : "onItsWay";
  const tellAt = trouble?.since === undefined ? undefined : trouble.since + PATIENCE_MS;
  if (trouble && tellAt !== undefined && now >= tellAt) return { is, ...explanationOf(trouble) };
  // One text from the first Pod to the last endpoint: every other one would be one more write of the status.
  const waiting = wasReady
    ? { reason: "PodsNotReady", message: `${serving} of ${rollout.wanted} Pods serve` }
    : { reason: "RollingOut", message: `Image "${fullImage(seen.owner.spec)}" is being rolled out` };
  return { is, ...waiting, lookAgainAt: tellAt };
}

/** Ready at this very generation of the spec. */
function hadBeenReady({ owner }: Seen): boolean {
  const { phase, observedGeneration } = owner.status ?? {};
  return observedGeneration === owner.metadata.generation && (phase === "Ready" || phase === "Degraded");
}

/** What is in the way of the rollout. Not final: it may pass by itself. */
interface Trouble extends Explanation {
  isFinal: boolean;
  /** Milliseconds since the epoch, where it is known. */
  since?: number;
}

function explanationOf({ reason, message }: Trouble): Explanation {
  return { reason, message };
}

function troubleOf(seen: Seen, rollout: Rollout): Trouble | undefined {
  const { failure, log } = seen;
  const { isOverdue: isFinal, refusal } = rollout;
  const serving = rollout.available > 0 && rollout.older > 0 ? "; the version before keeps serving" : "";
  if (failure && !failure.mayPass) {
    const tail = log ? `; the last lines of its log:\n${log}` : "";
    return { reason: failure.reason, message: `${failure.message}${serving}${tail}`, isFinal: true };
  }
  if (refusal) {
    const message = `Pods cannot be made: ${refusal.message}${serving}`;
    return { reason: "FailedCreate", message, isFinal, since: refusal.since };
  }
  if (failure) {
    return { reason: failure.reason, message: `${failure.message}${serving}`, isFinal, since: failure.since };
  }
  if (!isFinal || rollout.state === "complete") return undefined;
  return { reason: "ProgressDeadlineExceeded", message: `${overdueText(seen)}${serving}`, isFinal };
}

function overdueText({ owner, settings }: Seen): string {
  const { port, health_path: path } = owner.spec;
  const seconds = settings.progressDeadlineSeconds;
  return `No further Pod became ready within ${seconds} s: GET "${path}" on port ${port} must answer with 200 to 399`;
}
