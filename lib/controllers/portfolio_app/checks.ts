/**
 * The facts that a decision about an application turns on, each named for what is wrong. Pure.
 *
 * ```
 *  (none) → Pending ── restored ── → Progressing ── rolled out, endpoints → Running ── Pods lost → Degraded ── back → Running
 *             │                        ▲    │  ▲                              │
 *             │  │ schema first ▲      │    │  └────── spec changed ──────────┘
 *             │  └► Migrating ──┘ mended│    ▼ rollout stuck, or the migration failed
 *             ▼ cannot restore         └─ Failed (the version before keeps serving)
 *           Failed
 *  any: host taken, NotOwned → Failed
 *  any: deleted → Terminating: traffic stopped → drained → saved → (gone)      see parting.ts
 * ```
 *
 * @module
 */
import { compareQuantities, isQuantity } from "../../api/quantity.ts";
import type { Finding } from "../../runtime/status.ts";
import { type Verdict, verdictOnRollout } from "../../workload/verdict.ts";
import { shrinksBelow } from "./desired.ts";
import type { Seen } from "./gather.ts";
import { fullImage, healthText } from "./pod.ts";
import { explained } from "./tasks.ts";

/** The wildcard certificate is to be copied, and is not there. */
export function isCertificateMissing({ owner, settings, wildcard }: Seen): boolean {
  return owner.spec.ingress?.enabled === true && settings.tls.mode === "wildcard" && !wildcard;
}

/** Judges the rollout and the endpoints. @param now Milliseconds since the epoch. */
export function verdictOn(seen: Seen, now: number): Verdict {
  const { spec } = seen.owner;
  return verdictOnRollout({
    ...seen,
    wasReady: hadBeenRunning(seen),
    enough: spec.autoscaling?.minReplicas,
    underWay: `Image "${fullImage(spec)}" is being rolled out`,
    deadlineSeconds: seen.settings.progressDeadlineSeconds,
    healthy: healthText(spec),
  }, now);
}

/** Running at this very generation of the spec. */
export function hadBeenRunning({ owner }: Pick<Seen, "owner">): boolean {
  const { phase, observedGeneration } = owner.status ?? {};
  return observedGeneration === owner.metadata.generation && (phase === "Running" || phase === "Degraded");
}

/** What is legal but hardly what the author wants. */
export function warningsOf(seen: Seen): string[] {
  const { claim, owner: { spec }, tasks } = seen;
  const scheduled = tasks.filter(({ kind, end }) => kind === "scheduled" && end).at(-1);
  const shrunk = spec.storage && shrinksBelow(spec.storage.size, claim);
  return [
    ...(claim && !spec.storage
      ? [`PersistentVolumeClaim "${claim.metadata.name}" is kept, although spec.storage is gone`]
      : []),
    ...(shrunk === undefined ? [] : [`A volume never shrinks: spec.storage.size is less than the ${shrunk} it has`]),
    ...(hasNothingToSave(seen) ? ['spec.backup.tool is "volume", and there is no volume: nothing is saved'] : []),
    ...(scheduled?.end?.succeeded === false ? [`The latest scheduled backup failed: ${explained(scheduled)}`] : []),
  ];
}

/** Volumes are to be saved, and there is none. */
export function hasNothingToSave({ claim, owner: { spec } }: Seen): boolean {
  return spec.backup?.tool === "volume" && !spec.storage && !claim;
}

/** How the volume is. */
export function storageFinding({ claim, owner }: Seen): Finding | undefined {
  if (!claim || !owner.spec.storage) return undefined;
  const { phase = "Pending", capacity } = claim.status ?? {};
  const name = `PersistentVolumeClaim "${claim.metadata.name}"`;
  const type = "StorageReady";
  if (phase !== "Bound") {
    const storageClass = claim.spec?.storageClassName;
    const of = storageClass ? `storage class "${storageClass}"` : "a default storage class";
    const message = `${name} is ${phase}: no volume of ${of} is bound to it yet`;
    return { type, status: "False", reason: `Claim${phase}`, message };
  }
  const wanted: unknown = claim.spec?.resources?.requests?.storage;
  const present: unknown = capacity?.storage;
  if (isQuantity(wanted) && isQuantity(present) && compareQuantities(present, wanted) < 0) {
    return { type, status: "False", reason: "Growing", message: `${name} grows from ${present} to ${wanted}` };
  }
  return { type, status: "True", reason: "Bound", message: `${name} is bound` };
}
