/**
 * What must hold of every status, at any moment, whatever the kind: kstatus' conventions and promise 5, as numbered
 * checks after those of fluxcd/pkg (`runtime/conditions/check`). Tests run them after every scenario.
 *
 * @module
 */
import type { Condition, KubeObject } from "../api/object.ts";

/** What a check looks at. */
interface Subject {
  owner: KubeObject;
  conditions: Condition[];
  /** Milliseconds since the epoch. */
  now: number;
}

/** @returns What is wrong, or nothing. */
type Rule = (subject: Subject) => string | undefined;

const LONGEST_HISTORY = 5;
const SUMMARY = ["Reconciling", "Stalled"];
const REASON = /^[A-Z][A-Za-z0-9]{0,1023}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

const RULES: Readonly<Record<string, Rule>> = {
  "S01 Ready is present": ({ conditions }) => find(conditions, "Ready") ? undefined : "it is not",
  "S02 a type of condition is there once": ({ conditions }) => repeated(conditions.map(({ type }) => type)),
  "S03 Ready=True excludes Reconciling and Stalled": ({ conditions }) =>
    find(conditions, "Ready")?.status === "True" ? listed(summaries(conditions)) : undefined,
  "S04 what is not Ready says whether it is Reconciling or Stalled, and not both": ({ conditions }) => {
    const ready = find(conditions, "Ready");
    if (!ready || ready.status === "True" || summaries(conditions).length === 1) return undefined;
    return listed(summaries(conditions)) ?? "neither";
  },
  "S05 Reconciling and Stalled are True or absent": ({ conditions }) =>
    listed(summaries(conditions).filter(({ status }) => status !== "True")),
  "S06 observedGeneration is present and not ahead": ({ owner: { metadata, status } }) =>
    notAfter(status?.observedGeneration, metadata.generation),
  "S07 observedGeneration of a condition is present and not ahead of the status's": ({ owner, conditions }) =>
    first(conditions, ({ observedGeneration }) => notAfter(observedGeneration, owner.status?.observedGeneration)),
  "S08 Ready is about the generation of the status": ({ owner, conditions }) => {
    const { observedGeneration } = find(conditions, "Ready") ?? owner.status ?? {};
    return observedGeneration === owner.status?.observedGeneration ? undefined : `${observedGeneration}`;
  },
  "S09 a reason is one CamelCase word": ({ conditions }) =>
    first(conditions, ({ reason }) => REASON.test(reason) ? undefined : `"${reason}"`),
  "S10 a message is there": ({ conditions }) => first(conditions, ({ message }) => message ? undefined : "none"),
  "S11 a transition time is RFC 3339 in UTC, not before the object was made and not to come": (
    { owner, conditions, now },
  ) =>
    first(conditions, ({ lastTransitionTime: time }) => {
      const isSane = TIME.test(time) && time >= (owner.metadata.creationTimestamp ?? "") && Date.parse(time) <= now;
      return isSane ? undefined : `"${time}"`;
    }),
  "S12 a phase is there": ({ owner }) => owner.status?.phase ? undefined : "none",
  "S13 what is being deleted, and was looked at since, is not Ready": ({ owner: { metadata, status }, conditions }) => {
    const isSeen = metadata.deletionTimestamp !== undefined && status?.observedGeneration === metadata.generation;
    return isSeen && find(conditions, "Ready")?.status === "True" ? "it is" : undefined;
  },
  "S14 the history has at most five entries, the newest first": ({ owner }) => {
    const times: string[] = (owner.status?.history ?? []).map((entry: { time: string }) => entry.time);
    const isOrdered = times.every((time, index) => index === 0 || time <= times[index - 1]!);
    return times.length <= LONGEST_HISTORY && isOrdered ? undefined : times.join(", ");
  },
  "S15 a child stands in the inventory once": ({ owner }) =>
    repeated((owner.status?.inventory ?? []).map((entry: object) => JSON.stringify(entry))),
};

/**
 * Checks the status of an object of one of our kinds.
 *
 * @param now Milliseconds since the epoch; without it no time is too late.
 * @returns What is broken, one line for each rule, with its number; nothing when all is well.
 */
export function statusRules(owner: KubeObject, now = Infinity): string[] {
  const subject: Subject = { owner, conditions: owner.status?.conditions ?? [], now };
  return Object.entries(RULES).flatMap(([rule, check]) => {
    const problem = check(subject);
    return problem === undefined ? [] : [`${rule}: ${problem}`];
  });
}

function find(conditions: Condition[], type: string): Condition | undefined {
  return conditions.find((condition) => condition.type === type);
}

function summaries(conditions: Condition[]): Condition[] {
  return conditions.filter(({ type }) => SUMMARY.includes(type));
}

function listed(conditions: Condition[]): string | undefined {
  return conditions.length ? conditions.map(({ type, status }) => `${type}=${status}`).join(", ") : undefined;
}

function first(conditions: Condition[], check: (condition: Condition) => string | undefined): string | undefined {
  for (const condition of conditions) {
    const problem = check(condition);
    if (problem !== undefined) return `${condition.type}: ${problem}`;
  }
  return undefined;
}

function repeated(texts: string[]): string | undefined {
  return texts.find((text, index) => texts.indexOf(text) !== index);
}

function notAfter(observed: unknown, limit: unknown): string | undefined {
  return typeof observed === "number" && typeof limit === "number" && observed <= limit
    ? undefined
    : `${observed} of ${limit}`;
}
