/**
 * Attempts to begin a run that the cluster refuses: a minute lies between two of them, whatever wakes their owner in it,
 * and in between others may have the database. The status remembers the last one, because its operator may be gone by
 * then. Pure.
 *
 * @module
 */
import type { DatabaseMigration } from "../../api/database_migration.ts";
import type { Condition } from "../../api/object.ts";
import { isPaused } from "../../runtime/settle.ts";
import { type Report, rfc3339 } from "../../runtime/status.ts";

/** How long until what could not be made is tried again. */
const OBSTACLE_MS = 60_000;
/** How long until what an attempt has left is looked at: a refusal may wake nobody, and the database is held. */
const LEFT_MS = 1_000;
/** Reasons that the runtime gives when a child cannot be made. */
const OBSTACLES: ReadonlySet<string> = new Set(["NotOwned", "Forbidden", "Refused"]);

/** What somebody else has to put right before a run can begin: their object has its name, or a quota is used up. */
type Obstacle = Pick<Report, "phase" | "state" | "reason" | "message">;

/** @param name Of the run. @param now Milliseconds since the epoch. @returns When to try again, where that is to come. */
export function nextAttemptAt(owner: DatabaseMigration, name: string, now: number): number | undefined {
  if (!isObstacle(endOfAttempt(owner, name))) return undefined;
  const at = Date.parse(owner.status!.attempt!.time);
  // Whoever wrote a time that is to come had another clock: that is no reason to wait for it.
  return at <= now && now < at + OBSTACLE_MS ? at + OBSTACLE_MS : undefined;
}

/** What the last attempt met, said as it was said then. */
export function couldNotBegin({ status }: DatabaseMigration): Obstacle {
  const { reason, message } = status!.conditions!.find(({ type }) => type === "Ready")!;
  return reason === "NotOwned"
    ? { phase: "Failed", state: "stalled", reason, message }
    : { phase: "Pending", state: "reconciling", reason, message };
}

/**
 * What the report of an attempt says beyond others: it stays in the status only where the attempt fails. After one that
 * failed for no obstacle, the runtime alone says when to try again.
 */
export function attemptOf(
  owner: DatabaseMigration,
  name: string,
  now: number,
): { attempt?: NonNullable<DatabaseMigration["status"]>["attempt"]; lookAgainAt?: number } {
  if (isPaused(owner)) return {};
  const before = endOfAttempt(owner, name);
  const isBackingOff = before !== undefined && !isObstacle(before);
  return { attempt: { name, time: rfc3339(now) }, ...(isBackingOff ? {} : { lookAgainAt: now + LEFT_MS }) };
}

/** What came of the last attempt at this very run, since when nobody has changed the spec. */
function endOfAttempt({ status, metadata }: DatabaseMigration, name: string): Condition | undefined {
  if (status?.attempt?.name !== name) return undefined;
  const ready = status.conditions?.find(({ type }) => type === "Ready");
  return ready?.observedGeneration === metadata.generation ? ready : undefined;
}

function isObstacle(end: Condition | undefined): boolean {
  return end !== undefined && OBSTACLES.has(end.reason);
}
