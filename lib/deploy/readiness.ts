/**
 * Whether what was applied has become what was asked for. Pure.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";
import { nameOf } from "../runtime/status.ts";
import { kstatusOf } from "../workload/kstatus.ts";
import type { SeenObjects } from "./observer.ts";
import { identityOf, type Wanted } from "./wanted.ts";

/** One object that is not what was asked for. */
export interface Pending {
  object: KubeObject;
  message: string;
}

/** How far the objects are. */
export interface Readiness {
  /** `failed`: at least one will not get there by itself. */
  state: "current" | "inProgress" | "failed";
  /** Failures first. */
  pending: Pending[];
}

/** A controller that writes a status at all has done so by then. */
const UNSEEN_MS = 10_000;

/** @param now Milliseconds since the epoch. */
export function readinessOf(wanted: readonly Wanted[], seen: SeenObjects, now: number): Readiness {
  const failed: Pending[] = [];
  const inProgress: Pending[] = [];
  for (const one of wanted) {
    const object = seen.get(identityOf(one.object))?.object;
    if (!object) inProgress.push({ object: one.object, message: "Is not there yet" });
    else if (isUnseen(one, object, now)) inProgress.push({ object, message: "No controller has looked at it yet" });
    else {
      const { state, message } = kstatusOf(object, now);
      if (state === "failed") failed.push({ object, message });
      else if (state !== "current") inProgress.push({ object, message });
    }
  }
  const state = failed.length > 0 ? "failed" : inProgress.length > 0 ? "inProgress" : "current";
  return { state, pending: [...failed, ...inProgress] };
}

/** `Deployment "pr-7/shop": Pods that are available: 1 of 2; …` @param most Objects that are told of. */
export function pendingText(pending: readonly Pending[], most = 5): string {
  const texts = pending.slice(0, most).map(({ object, message }) => `${nameOf(object)}: ${message}`);
  return pending.length > most ? `${texts.join("; ")}; and ${pending.length - most} more` : texts.join("; ");
}

/** A custom resource is taken for current while nobody says otherwise, which a moment after its creation nobody can. */
function isUnseen({ kind }: Wanted, object: KubeObject, now: number): boolean {
  const isCustom = kind.resource.group.includes(".") && !kind.resource.group.endsWith(".k8s.io");
  if (!isCustom || object.status !== undefined || !kind.subresources.includes("status")) return false;
  return now - Date.parse(object.metadata.creationTimestamp ?? "") < UNSEEN_MS;
}
