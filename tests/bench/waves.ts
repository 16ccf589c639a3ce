/**
 * Waves of owners: created, updated, looked at after a restart, deleted; all at once.
 *
 * @module
 */
import { keyOf, type KubeObject, type Resource } from "../../lib/api/object.ts";
import { DEPLOYMENT, NAMESPACE } from "../../lib/api/resources.ts";
import { waitFor } from "../wait.ts";
import { preview } from "../integration/previews.ts";
import type { Bed, Usage } from "./bed.ts";
import { Sightings, untilCounted, untilNone, untilReady } from "./outside.ts";
import { type Decisions, OWNER, pullRequests } from "./owners.ts";
import { inParallel } from "./parallel.ts";

/** One wave, measured. Times in milliseconds from the first request of whoever asked for it. */
export interface Wave {
  wave: "create" | "update" | "restart" | "delete";
  size: number;
  /** Until every owner was accepted. */
  askedMs?: number;
  /** Until the children were as asked for: all there, all with the new image, all gone. */
  doneMs: number;
  /** Until every owner says Ready. */
  readyMs?: number;
  /** Until the children were as asked for. */
  usage: Usage;
  /** Until the operator was quiet. */
  wholeUsage: Usage;
  memory: { rssMb: number; peakMb: number };
}

export interface WaveOptions {
  decisions: Decisions;
  applyConcurrency: number;
}

const MANAGER = "bench";
const WITHIN_MS = 900_000;

/** The four waves over one range of pull requests. */
export async function* waves(
  bed: Bed,
  range: { first: number; size: number },
  options: WaveOptions,
): AsyncGenerator<Wave> {
  const prs = pullRequests(range.first, range.size);
  yield await createWave(bed, prs, options);
  yield await updateWave(bed, prs, options);
  yield await restartWave(bed, prs);
  yield await deleteWave(bed, prs, options);
}

async function createWave(bed: Bed, prs: number[], options: WaveOptions): Promise<Wave> {
  const { kube } = bed;
  const { decisions, applyConcurrency } = options;
  const expected = countsOf((await Promise.all(prs.map((pr) => decisions.objects(pr)))).flat(), decisions);
  // The Deployment comes last of all; that the others are there as well is counted afterwards.
  using sightings = await Sightings.begin(kube, [DEPLOYMENT]);
  const lastSeen = sightings.expect(prs.length);
  const used = await bed.meter();
  const start = performance.now();
  await inParallel(prs, applyConcurrency, (pr) => kube.create(preview(pr), OWNER, MANAGER));
  const askedMs = performance.now() - start;
  const seen = await lastSeen;
  const usage = await used();
  const wasComplete = await untilCounted(kube, expected);
  const doneMs = (wasComplete ? seen : performance.now()) - start;
  await untilReady(kube, OWNER, prs.map((pr) => keyOf(preview(pr))));
  const readyMs = performance.now() - start;
  return { wave: "create", size: prs.length, askedMs, doneMs, readyMs, usage, ...await atRest(bed, used) };
}

async function updateWave(bed: Bed, prs: number[], { applyConcurrency }: WaveOptions): Promise<Wave> {
  const { kube } = bed;
  // Nothing but the image changes in a Deployment's spec here.
  using sightings = await Sightings.begin(kube, [DEPLOYMENT], ({ metadata }) => metadata.generation === 2);
  const lastSeen = sightings.expect(prs.length);
  const used = await bed.meter();
  const start = performance.now();
  const patch = [{ op: "replace" as const, path: "/spec/image_tag", value: "v2" }];
  await inParallel(prs, applyConcurrency, (pr) => kube.patch(OWNER, preview(pr).metadata, patch));
  const askedMs = performance.now() - start;
  const doneMs = await lastSeen - start;
  const usage = await used();
  await untilReady(kube, OWNER, prs.map((pr) => keyOf(preview(pr))));
  const readyMs = performance.now() - start;
  return { wave: "update", size: prs.length, askedMs, doneMs, readyMs, usage, ...await atRest(bed, used) };
}

/** The operator starts over environments that are as they should be. */
async function restartWave(bed: Bed, prs: number[]): Promise<Wave> {
  await bed.stopOperator();
  const start = performance.now();
  await bed.startOperator();
  await waitFor("the leader to have looked at all", async () => {
    const name = "maquette_reconcile_duration_seconds_count";
    return await bed.operator.metric(name, { kind: OWNER.kind }) >= prs.length;
  }, WITHIN_MS);
  const doneMs = performance.now() - start;
  await bed.quiet();
  const usage = await bed.total();
  return { wave: "restart", size: prs.length, doneMs, usage, wholeUsage: usage, memory: await bed.memory() };
}

async function deleteWave(bed: Bed, prs: number[], { applyConcurrency }: WaveOptions): Promise<Wave> {
  const { kube } = bed;
  const used = await bed.meter();
  const start = performance.now();
  await inParallel(prs, applyConcurrency, (pr) => kube.remove(OWNER, preview(pr).metadata, {}));
  const askedMs = performance.now() - start;
  await untilNone(kube, [NAMESPACE]);
  const doneMs = performance.now() - start;
  const usage = await used();
  await waitFor("all owners to be gone", async () => (await kube.list(OWNER, {}, { limit: 1 })).items.length === 0);
  return { wave: "delete", size: prs.length, askedMs, doneMs, usage, ...await atRest(bed, used) };
}

async function atRest(bed: Bed, used: () => Promise<Usage>): Promise<Pick<Wave, "wholeUsage" | "memory">> {
  await bed.quiet();
  return { wholeUsage: await used(), memory: await bed.memory() };
}

function countsOf(objects: readonly KubeObject[], decisions: Decisions): Map<Resource, number> {
  const counts = new Map<Resource, number>();
  for (const object of objects) {
    const resource = decisions.resourceOf(object);
    counts.set(resource, (counts.get(resource) ?? 0) + 1);
  }
  return counts;
}
