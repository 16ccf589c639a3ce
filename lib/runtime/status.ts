/**
 * What a reconcile reports, and how it becomes `status` (promise 5): kstatus conditions with transition times that
 * change only with the condition's status, written once and only when something changed.
 *
 * @see https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md
 * @module
 */
import type { Condition, KubeObject } from "../api/object.ts";

/** Condition of what is legal but hardly what the author wants; there while there is any, and a Warning when it comes. */
export const WARNINGS = "HasWarnings";

/** A condition before the runtime adds generation and time. */
export type Finding = Pick<Condition, "type" | "status" | "reason" | "message">;

/** A child as it stands in `status.inventory`. */
export interface InventoryEntry {
  kind: string;
  namespace?: string;
  name: string;
}

/** An entry of `status.history`. */
export interface HistoryEntry {
  time: string;
  outcome: string;
  reason?: string;
  message?: string;
  image?: string;
  /** Of what has no image: the version that it was about. */
  version?: string;
}

/** What a reconcile found out; the runtime turns it into `status`. */
export interface Report {
  /** One word for `kubectl get`. */
  phase: string;
  /** `ready`: as asked for. `reconciling`: on its way. `stalled`: somebody must act. */
  state: "ready" | "reconciling" | "stalled";
  /** CamelCase, for machines; becomes the reason of Ready. */
  reason: string;
  /** For people; becomes the message of Ready. */
  message: string;
  /** The kind's own conditions; those that it leaves out are dropped. */
  conditions?: readonly Finding[];
  /** The kind's own status fields. */
  fields?: Readonly<Record<string, unknown>>;
  inventory?: readonly InventoryEntry[];
  /** Added to the history when it differs from its newest entry. */
  outcome?: Omit<HistoryEntry, "time">;
  /** Nothing was found out about the present spec: what the status says is about the one before. */
  isUnseen?: boolean;
  /** When to look again although nothing changed: milliseconds since the epoch. */
  lookAgainAt?: number;
}

const HISTORY = 5;
/** The API server refuses longer ones (metav1.Condition). */
const LONGEST_MESSAGE = 32_768;

/**
 * The status that a report makes of an owner's present one.
 *
 * @param now Milliseconds since the epoch.
 */
export function statusOf(owner: KubeObject, report: Report, now: number): Record<string, unknown> {
  const old = owner.status ?? {};
  const generation = report.isUnseen ? old.observedGeneration ?? owner.metadata.generation : owner.metadata.generation;
  const findings = [...summary(report), ...(report.conditions ?? [])];
  const conditions = findings.map((finding) => dated(finding, old.conditions ?? [], { generation, now }));
  return {
    ...report.fields,
    phase: report.phase,
    observedGeneration: generation,
    conditions,
    ...(report.inventory ? { inventory: report.inventory } : {}),
    ...historyOf(old.history ?? [], report, now),
  };
}

/** Ready always; Reconciling and Stalled only while they are true, as kstatus wants it. */
function summary(report: Report): Finding[] {
  const { state, reason, message } = report;
  const ready: Finding = { type: "Ready", status: state === "ready" ? "True" : "False", reason, message };
  if (state === "ready") return [ready];
  return [ready, { type: state === "stalled" ? "Stalled" : "Reconciling", status: "True", reason, message }];
}

function dated(finding: Finding, old: Condition[], at: { generation?: number; now: number }): Condition {
  const before = old.find((condition) => condition.type === finding.type);
  return {
    type: finding.type,
    status: finding.status,
    reason: finding.reason,
    message: finding.message.slice(0, LONGEST_MESSAGE),
    observedGeneration: at.generation,
    lastTransitionTime: before?.status === finding.status ? before.lastTransitionTime : rfc3339(at.now),
  };
}

function historyOf(old: HistoryEntry[], report: Report, now: number): { history?: HistoryEntry[] } {
  const { outcome } = report;
  const newest = old[0];
  const isNews = outcome && (newest?.outcome !== outcome.outcome || newest.image !== outcome.image ||
    newest.version !== outcome.version || newest.reason !== outcome.reason);
  const history = isNews ? [entryOf(outcome, now), ...old].slice(0, HISTORY) : old;
  return history.length > 0 ? { history } : {};
}

function entryOf(outcome: Omit<HistoryEntry, "time">, now: number): HistoryEntry {
  const message = outcome.message?.slice(0, LONGEST_MESSAGE);
  return { time: rfc3339(now), ...outcome, ...(message === undefined ? {} : { message }) };
}

/** RFC 3339 in whole seconds, as Kubernetes writes times. */
export function rfc3339(epochMs: number): string {
  return new Date(Math.floor(epochMs / 1000) * 1000).toISOString().replace(".000Z", "Z");
}

/** Whether two JSON values are equal; the order of members and members that are undefined do not count. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  for (const name of new Set([...Object.keys(left), ...Object.keys(right)])) {
    if (!sameJson(left[name], right[name])) return false;
  }
  return true;
}

/**
 * Conditions that became what they were not before: what an Event is worth. Of the kind's own those that became true: why
 * one is not is what Ready says.
 */
export function transitions(before: Condition[], after: Condition[]): Condition[] {
  return after.filter((condition) => {
    if (condition.type === "Reconciling" || condition.type === "Stalled") return false;
    if (condition.type !== "Ready" && condition.status !== "True") return false;
    const old = before.find((other) => other.type === condition.type);
    return old?.status !== condition.status || old.reason !== condition.reason;
  });
}

/** `Kind namespace/name`, as messages name an object. */
export function nameOf(object: { kind: string; metadata: { namespace?: string; name: string } }): string {
  const { namespace, name } = object.metadata;
  return `${object.kind} "${namespace ? `${namespace}/` : ""}${name}"`;
}

/** The inventory entry of an object. */
export function inventoryEntry(object: KubeObject): InventoryEntry {
  const { namespace, name } = object.metadata;
  return namespace ? { kind: object.kind, namespace, name } : { kind: object.kind, name };
}

/** The kind's own status fields and conditions, which a report that knows nothing new must not drop. */
export function keptFields(owner: KubeObject): Required<Pick<Report, "fields" | "conditions">> {
  const {
    phase: _phase,
    observedGeneration: _generation,
    conditions = [],
    inventory: _inventory,
    history: _history,
    ...fields
  } = owner.status ?? {};
  const summary = ["Ready", "Reconciling", "Stalled"];
  return { fields, conditions: conditions.filter((condition: { type: string }) => !summary.includes(condition.type)) };
}
