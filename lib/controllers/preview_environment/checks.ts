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
import { TEMPLATE_LABEL } from "../../workload/pod_template.ts";
import { rolloutOf } from "../../workload/rollout.ts";
import { type Verdict, verdictOnRollout } from "../../workload/verdict.ts";
import { certificateSecret, fullImage } from "./desired.ts";
import { isReservedNamespace } from "../../naming.ts";
import { targetNamespace } from "../../preview_names.ts";
import type { Seen } from "./gather.ts";
import type { Amounts } from "./limits.ts";
import { sourceKey, type SourceRef, sourcesOf, usedSources } from "./sources.ts";

export type { Verdict };

/** The namespace belongs to the cluster, to the operator or to those that the configuration keeps free. */
export function isNamespaceReserved({ owner, settings }: Seen): boolean {
  const { operatorNamespace, reservedNamespaces } = settings;
  return isReservedNamespace(targetNamespace(owner.spec), [operatorNamespace, ...reservedNamespaces]);
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

/** Judges the rollout and the endpoints. @param now Milliseconds since the epoch. */
export function verdictOn(seen: Seen, now: number): Verdict {
  const { port, health_path: path } = seen.owner.spec;
  return verdictOnRollout({
    ...seen,
    wasReady: hadBeenReady(seen),
    underWay: `Image "${fullImage(seen.owner.spec)}" is being rolled out`,
    deadlineSeconds: seen.settings.progressDeadlineSeconds,
    healthy: `GET "${path}" on port ${port} must answer with 200 to 399`,
  }, now);
}

/** Ready at this very generation of the spec. */
function hadBeenReady({ owner }: Seen): boolean {
  const { phase, observedGeneration } = owner.status ?? {};
  return observedGeneration === owner.metadata.generation && (phase === "Ready" || phase === "Degraded");
}
