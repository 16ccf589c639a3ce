/**
 * The children of a DatabaseMigration at each point of a run. Pure.
 *
 * @module
 */
import { ANNOTATION_CONTENT, ANNOTATION_SOURCE } from "../../api/names.ts";
import type { KubeObject } from "../../api/object.ts";
import type { Run } from "../../migration/job.ts";
import { childKey } from "../../runtime/changes.ts";
import type { Plan } from "../../runtime/definition.ts";
import { isHeldBy, type Seen } from "./gather.ts";
import { desiredLease } from "./lock.ts";

/** What there shall be: `desired` is made or set right, `keep` stays as it is, all else goes. */
export type Children = Pick<Plan, "desired" | "keep" | "revoked">;

/**
 * The Lease, and everything that a run needs. Jobs go last by their kind: none begins without the Lease.
 *
 * @param before A run that is over: what is there of it stays, and nothing of it is made.
 */
export function childrenOf(seen: Seen, run: Run, before?: Run): Children {
  const { owner, settings } = seen;
  const there = intactOf(seen, run);
  const wanted = objectsOf(run);
  const kept = [...wanted, ...(before ? objectsOf(before) : [])];
  return {
    desired: [
      desiredLease(owner, settings.operatorNamespace),
      ...wanted.filter((child) => !there.has(childKey(child))),
    ],
    keep: kept.flatMap((child) => there.get(childKey(child)) ?? []),
  };
}

/** Whether the Lease and the objects of a run are there, so that nothing is to be written. */
export function isLocked(seen: Seen, run: Run): boolean {
  const there = intactOf(seen, run);
  const isThere = objectsOf(run).every((child) => there.has(childKey(child)));
  return isThere && isHeldBy(seen.lease, seen.owner) && seen.ownLeases.length === 1;
}

/**
 * What is left after these runs: Jobs as long as they are kept for their logs, with their files.
 *
 * @returns nothing where no more is there: all stays as it is, without a write
 */
export function childrenLeft(seen: Seen, runs: readonly Run[]): Children {
  const jobs = new Set(seen.jobs.map(({ metadata }) => metadata.name));
  const wanted = new Set(runs.filter(({ name }) => jobs.has(name)).flatMap(objectsOf).map(childKey));
  const [kept, more] = [true, false].map((isWanted) =>
    [...seen.jobs, ...seen.configMaps].filter((child) => wanted.has(childKey(child)) === isWanted)
  );
  const { ownLeases } = seen;
  return more!.length > 0 || ownLeases.length > 0 ? { desired: [], keep: kept, revoked: ownLeases } : {};
}

/** While nothing can run: what is there stays, but no database is held, whoever has stopped changes. */
export function childrenAtRest({ jobs, configMaps, ownLeases }: Seen): Children {
  return ownLeases.length > 0 ? { desired: [], keep: [...jobs, ...configMaps], revoked: ownLeases } : {};
}

/**
 * Those that are there. A Job never changes, and what it reads neither, but where somebody changed it; before the Job is
 * made, another version of the operator may have written something else.
 */
function intactOf({ jobs, configMaps }: Seen, run: Run): Map<string, KubeObject> {
  const isBegun = jobs.some(({ metadata }) => metadata.name === run.name);
  const wanted = new Map(run.configMaps.map((child) => [childKey(child), contentOf(child)]));
  const intact = configMaps.filter((child) => {
    if (child.metadata.annotations?.[ANNOTATION_SOURCE] === "") return false;
    const content = wanted.get(childKey(child));
    return isBegun || content === undefined || content === contentOf(child);
  });
  return new Map([...jobs, ...intact].map((child) => [childKey(child), child]));
}

function contentOf({ metadata }: KubeObject): string | undefined {
  return metadata.annotations?.[ANNOTATION_CONTENT];
}

function objectsOf({ job, configMaps }: Run): KubeObject[] {
  return [...configMaps, job];
}
