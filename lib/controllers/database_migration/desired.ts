/**
 * The children of a DatabaseMigration at each point of a run. Pure.
 *
 * @module
 */
import type { KubeObject } from "../../api/object.ts";
import type { Run } from "../../migration/job.ts";
import { childKey } from "../../runtime/changes.ts";
import { isHeldBy, type Seen } from "./gather.ts";
import { desiredLease } from "./lock.ts";

/** The Lease, and everything that these runs need. Jobs go last by their kind: none begins without the Lease. */
export function childrenOf(seen: Seen, runs: readonly Run[]): KubeObject[] {
  const { owner, settings } = seen;
  return [desiredLease(owner, settings.operatorNamespace), ...runs.flatMap((run) => objectsOf(seen, run))];
}

/** Whether the Lease and the Job of each run are there, so that nothing is to be written. */
export function isLocked(seen: Seen, runs: readonly Run[]): boolean {
  const there = namesOf([...seen.jobs, ...seen.configMaps]);
  const isThere = runs.every(({ job, configMaps }) =>
    [job, ...configMaps].every((child) => there.has(childKey(child)))
  );
  return isThere && isHeldBy(seen.lease, seen.owner) && seen.ownLeases.length === 1;
}

/**
 * What is left after these runs: Jobs as long as they are kept for their logs, with their files.
 *
 * @returns nothing where no more is there: all stays as it is, without a write
 */
export function childrenLeft(seen: Seen, runs: readonly Run[]): KubeObject[] | undefined {
  const jobs = new Set(seen.jobs.map(({ metadata }) => metadata.name));
  const desired = runs.filter(({ name }) => jobs.has(name)).flatMap((run) => objectsOf(seen, run));
  const wanted = namesOf(desired);
  const isMore = [...seen.jobs, ...seen.configMaps].some((child) => !wanted.has(childKey(child)));
  return isMore || seen.ownLeases.length > 0 ? desired : undefined;
}

/** A Job never changes: of one that is there only its marks are wanted. */
function objectsOf({ jobs }: Seen, { job, configMaps }: Run): KubeObject[] {
  const isThere = jobs.some(({ metadata }) => metadata.name === job.metadata.name);
  const { apiVersion, kind, metadata } = job;
  return [...configMaps, isThere ? { apiVersion, kind, metadata } : job];
}

function namesOf(objects: readonly KubeObject[]): Set<string> {
  return new Set(objects.map(childKey));
}
