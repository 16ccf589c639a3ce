/**
 * What is said about a deployment. Pure.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";
import { type Hook, type HookMoment, hooksNotRun, type Rollout } from "./hooks.ts";
import { type DeployedEntry, inventoryOf } from "./inventory.ts";
import type { SeenObjects } from "./observer.ts";
import { type Pending, pendingText, type Readiness } from "./readiness.ts";
import { changeCount, type SetChanges } from "./set_changes.ts";
import { nameOf } from "../runtime/status.ts";

/** What came of one look. */
export interface DeploymentReport {
  /** `inProgress`: it goes on by itself. `failed`: somebody must act, or the next revision comes. */
  state: "ready" | "inProgress" | "failed";
  /** CamelCase, for machines. */
  reason: string;
  /** For people; `""` when it is ready. */
  message: string;
  /** To be written to the owner's status before the next look, which goes by it. */
  inventory: DeployedEntry[];
  /** The revision that was deployed last; to be written likewise, because hooks go by it. */
  deployed?: string;
  /** Objects that wait or failed, failures first: their Pods may tell why. */
  pending: Pending[];
  /** What was changed, or waits to be while it is paused: for Events about repairs. */
  changes: SetChanges;
  /** Legal, but hardly what the author wants, one sentence each. */
  warnings: string[];
  /** When to look again although no watch shows anything: milliseconds since the epoch. */
  lookAgainAt?: number;
}

/** What a look has shown. */
export interface Look {
  seen: SeenObjects;
  changes: SetChanges;
  readiness: Readiness;
  /** Among the kinds is one that no watch shows. */
  isPolled: boolean;
  /** Milliseconds since the epoch. */
  now: number;
}

/** Until everything is as asked for, kinds that nobody watches are looked at so often. */
const BUSY_MS = 5_000;
/** And then so often. */
const STEADY_MS = 60_000;

/** What is true of the objects, hooks left aside. */
export function reportOf({ hooks, deployed }: Rollout & { hooks: readonly Hook[] }, look: Look): DeploymentReport {
  const { seen, changes, readiness: { state, pending }, isPolled, now } = look;
  const isReady = state === "current";
  return {
    state: isReady ? "ready" : state,
    reason: isReady ? "Deployed" : state === "failed" ? "NotReady" : "Progressing",
    message: pendingText(pending),
    inventory: inventoryOf(seen),
    deployed,
    pending,
    changes,
    warnings: [...hooksNotRun(hooks), ...changes.kept.map(keptText)],
    ...(isPolled ? { lookAgainAt: now + (isReady ? STEADY_MS : BUSY_MS) } : {}),
  };
}

function keptText(object: KubeObject): string {
  return `${nameOf(object)} is in the source no more and is kept; delete it when nobody needs it`;
}

/** The report while something else must happen first. */
export function unready(report: DeploymentReport, reason: string, message: string): DeploymentReport {
  return { ...report, state: "inProgress", reason, message };
}

/** The report while a hook is under way. */
export function hookRuns(report: DeploymentReport, message: string, { isPolled, now }: Look): DeploymentReport {
  return { ...unready(report, "HookRunning", message), ...(isPolled ? { lookAgainAt: now + BUSY_MS } : {}) };
}

/** The report when a hook failed, and what became of the revision. */
export function hookFailed(
  report: DeploymentReport,
  moment: HookMoment,
  { message, why }: { message: string; why: string },
): DeploymentReport {
  const waiting = changeCount(report.changes);
  const rest = moment === "post"
    ? "everything else of this revision is deployed"
    : report.deployed === undefined
    ? "nothing of this revision was applied"
    : `nothing of this revision was applied, the one before is still deployed${
      waiting > 0 ? ` (${waiting} changes wait)` : ""
    }`;
  const text = `${message}; ${rest}; delete the Job to run it again${why ? `; ${why}` : ""}`;
  return { ...report, state: "failed", reason: "HookFailed", message: text };
}
