/**
 * The spine of every reconcile: gather → decide → act → report, for a kind that the runtime does not know.
 *
 * @module
 */
import { ANNOTATION_PAUSED } from "../api/names.ts";
import type { KubeObject } from "../api/object.ts";
import { act, type ActDeps } from "./act.ts";
import { type Changes, changesFor, childKey, countOf, listedOf, withinReach } from "./changes.ts";
import type { ControllerDefinition, GatherDeps, Plan } from "./definition.ts";
import type { KubeClient } from "../kube/client.ts";
import { hasStatus } from "../kube/errors.ts";
import { Stalled, Waiting } from "./errors.ts";
import { inventoryEntry, nameOf, type Report } from "./status.ts";

/** What one reconcile came to. */
export interface Outcome {
  report: Report;
  deleteOwner: boolean;
  /** What went wrong; the report tells people, this tells the runtime when to try again. */
  error?: unknown;
  /** Changes that were made: what an Event about a repair is worth. */
  changes?: Changes;
}

export interface SettleDeps extends Omit<GatherDeps, "kube">, Omit<ActDeps, "kube"> {
  kube: KubeClient;
  /** What carries this owner's uid in all caches of the kinds that the definition owns. */
  owned(owner: KubeObject): KubeObject[];
}

/** Whether the owner's annotation stops changes to its children; a deletion it does not stop. */
export function isPaused({ metadata }: KubeObject): boolean {
  return metadata.annotations?.[ANNOTATION_PAUSED] === "true" && metadata.deletionTimestamp === undefined;
}

/** Brings the children to what is wanted and says what is true afterwards. Throws only what `gather` throws. */
export async function settle<Seen>(
  owner: KubeObject,
  definition: ControllerDefinition<Seen>,
  deps: SettleDeps,
): Promise<Outcome> {
  const plan = await planFor(owner, definition, deps);
  const isStill = isPaused(owner);
  const wanted = wantedChanges(owner, isStill ? withoutRevoked(plan) : plan, { definition, deps });
  const changes = isStill ? revocations(wanted, plan) : wanted;
  const waiting = countOf(wanted) - countOf(changes);
  const say = (said: Plan): Report => {
    const report = withInventory(said, owner, deps);
    return isStill ? paused(report, waiting) : report;
  };
  const mayAct = countOf(changes) > 0;
  if (plan.further === undefined && !mayAct) return { report: say(plan), deleteOwner: plan.deleteOwner ?? false };
  let current = plan;
  let performed: unknown;
  try {
    if (mayAct) {
      await act(owner, changes, deps);
      // What goes beyond the children follows from them as they are now.
      current = await planFor(owner, definition, deps);
    }
    if (current.further !== undefined) performed = await definition.perform?.(owner, current.further, deps);
  } catch (error) {
    return { report: failed(withInventory(current, owner, deps), error), deleteOwner: false, error, changes };
  }
  // What was written is in the caches now: what is said is what is true after acting, not before.
  const after = performed === undefined && mayAct ? current : await planFor(owner, definition, deps, performed);
  return { report: say(after), deleteOwner: after.deleteOwner ?? false, changes };
}

function wantedChanges<Seen>(
  owner: KubeObject,
  { desired, keep = [], revoked = [] }: Plan,
  { definition, deps }: { definition: ControllerDefinition<Seen>; deps: SettleDeps },
): Changes {
  if (!desired && revoked.length === 0) return changesFor(owner, [], []);
  const roots = definition.roots(owner, deps);
  const kept = new Set(keep.map(childKey));
  const owned = desired ? deps.owned(owner).filter((object) => !kept.has(childKey(object))) : revoked;
  const reach = { desired: desired ?? [], roots };
  return changesFor(owner, desired ?? [], withinReach(owned, owner, reach), revoked);
}

/** What may not stay as it is cannot become what is desired either while changes are stopped. */
function withoutRevoked(plan: Plan): Plan {
  const keys = new Set((plan.revoked ?? []).map(childKey));
  return { ...plan, desired: plan.desired?.filter((object) => !keys.has(childKey(object))) };
}

/** Of changes, those that nobody may stop. */
function revocations({ remove }: Changes, { revoked = [] }: Plan): Changes {
  const keys = new Set(revoked.map(childKey));
  return { create: [], update: [], remove: remove.filter((object) => keys.has(childKey(object))), leaving: [] };
}

async function planFor<Seen>(
  owner: KubeObject,
  definition: ControllerDefinition<Seen>,
  deps: GatherDeps,
  performed?: unknown,
): Promise<Plan> {
  return definition.decide(await definition.gather(owner, deps, performed), deps.clock.now());
}

/** The inventory lists what is there and ours, in the order of what is wanted; what is left as it is stays listed. */
function withInventory(plan: Plan, owner: KubeObject, deps: SettleDeps): Report {
  const there = new Set(deps.owned(owner).map(childKey));
  if (!plan.desired) return { inventory: listedOf(owner.status?.inventory, there), ...plan.report };
  const made = [...plan.desired, ...plan.keep ?? []].filter((object) => there.has(childKey(object)));
  return { ...plan.report, inventory: made.map(inventoryEntry) };
}

function paused(report: Report, pending: number): Report {
  const text = `Changes are stopped by annotation "${ANNOTATION_PAUSED}"`;
  const conditions = [
    ...(report.conditions ?? []),
    { type: "Paused", status: "True" as const, reason: "Paused", message: text },
  ];
  if (pending === 0) return { ...report, conditions };
  const message = `${text}: ${pending} ${pending === 1 ? "change waits" : "changes wait"}`;
  const phase = report.state === "ready" ? "Pending" : report.phase;
  return { ...report, conditions, phase, state: "reconciling", reason: "Paused", message };
}

/** The report that an error makes of a report: what else was found out (URL, times, when to look again) stays. */
export function failed(report: Report, error: unknown): Report {
  if (error instanceof Stalled) {
    const { reason, message } = error;
    return { ...report, phase: "Failed", state: "stalled", reason, message, outcome: undefined };
  }
  if (error instanceof Waiting) {
    const { reason, message } = error;
    return { ...report, phase: "Pending", state: "reconciling", reason, message, outcome: undefined };
  }
  const message = error instanceof Error ? error.message : String(error);
  // What is not as asked for is not ready, whatever the children say.
  const phase = report.state === "ready" ? "Failed" : report.phase;
  return { ...report, phase, state: "reconciling", reason: reasonOf(error), message, outcome: undefined };
}

function reasonOf(error: unknown): string {
  if (hasStatus(error, 403)) return "Forbidden";
  if (hasStatus(error, 422)) return "Refused";
  return "ReconcileError";
}

/** What was done to a child that had been right before, in words. */
export function repairsOf(changes: Changes): string[] {
  return [
    ...changes.create.map((object) => `${nameOf(object)} was missing and is made again`),
    ...changes.update.map(({ desired, why }) => `${nameOf(desired)} was changed (${why}) and is set back`),
    ...changes.remove.map((object) => `${nameOf(object)} is not wanted any more and is deleted`),
  ];
}
