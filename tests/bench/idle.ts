/**
 * The latency of an idle operator: one environment after the other.
 *
 * @module
 */
import { keyOf } from "../../lib/api/object.ts";
import { preview } from "../integration/previews.ts";
import type { Bed } from "./bed.ts";
import { Sightings, untilReady } from "./outside.ts";
import { type Decisions, OWNER, pullRequests } from "./owners.ts";

/** Milliseconds of each environment. */
export interface IdleRun {
  /** From the request that applies it until the API server has answered: admission is in it. */
  accepted: number[];
  /** From that request until a watch outside has shown the last child. */
  complete: number[];
}

/** Makes environments one by one, each when the one before is Ready and quiet. The first of all does not count. */
export async function idleRun(
  bed: Bed,
  range: { first: number; size: number },
  decisions: Decisions,
): Promise<IdleRun> {
  const objects = await decisions.objects(range.first);
  const resources = [...new Set(objects.map((object) => decisions.resourceOf(object)))];
  using sightings = await Sightings.begin(bed.kube, resources);
  const run: IdleRun = { accepted: [], complete: [] };
  for (const pr of pullRequests(range.first, range.size + 1)) {
    const complete = sightings.expect(objects.length);
    const start = performance.now();
    await bed.kube.create(preview(pr), OWNER, "bench");
    const accepted = performance.now();
    const last = await complete;
    await untilReady(bed.kube, OWNER, [keyOf(preview(pr))]);
    if (pr === range.first) continue;
    run.accepted.push(accepted - start);
    run.complete.push(last - start);
  }
  return run;
}

/** Removes them. */
export async function removeOwners(bed: Bed, range: { first: number; size: number }): Promise<void> {
  for (const pr of pullRequests(range.first, range.size + 1)) {
    await bed.kube.remove(OWNER, preview(pr).metadata, {});
  }
}
