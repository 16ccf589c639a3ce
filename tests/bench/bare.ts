/**
 * The bare parallel client: makes, changes and removes the very objects that the operator makes, with the same client
 * library and nothing else. What it needs is what the server needs.
 *
 * @module
 */
import type { KubeObject } from "../../lib/api/object.ts";
import { FIELD_MANAGER } from "../../lib/api/names.ts";
import { DEPLOYMENT, NAMESPACE } from "../../lib/api/resources.ts";
import type { KubeClient } from "../../lib/kube/client.ts";
import type { Bed, Usage } from "./bed.ts";
import { CANDIDATES } from "./options.ts";
import { untilNone } from "./outside.ts";
import { type Decisions, namespaceOf, pullRequests } from "./owners.ts";
import { inParallel } from "./parallel.ts";

/** How long the bare client took for each part of a wave, in milliseconds. */
export interface BareRun {
  createMs: number;
  updateMs: number;
  deleteMs: number;
  /** Of the creation. */
  usage: Usage;
}

/** What the bare client works with. */
export interface BareOptions {
  decisions: Decisions;
  concurrency: number;
}

const CALIBRATION_SIZE = 60;

/** Creates, updates and removes so many environments. The operator must not run: it would look at them. */
export async function bareRun(
  bed: Bed,
  range: { first: number; size: number },
  { decisions, concurrency }: BareOptions,
): Promise<BareRun> {
  const prs = pullRequests(range.first, range.size);
  const objects = (await Promise.all(prs.map((pr) => decisions.objects(pr)))).flat();
  const updates = (await Promise.all(prs.map((pr) => decisions.objects(pr, "v2")))).flat()
    .filter(({ kind }) => kind === DEPLOYMENT.kind);
  const { kube } = bed;
  const used = await bed.meter();
  const createMs = await timed(() => create(kube, objects, { decisions, concurrency }));
  const usage = await used();
  const updateMs = await timed(() =>
    inParallel(
      updates,
      concurrency,
      (object) => kube.apply(object, DEPLOYMENT, { manager: FIELD_MANAGER, force: true }),
    )
  );
  const deleteMs = await timed(async () => {
    await inParallel(prs, concurrency, (pr) => kube.remove(NAMESPACE, { name: namespaceOf(pr) }, {}));
    await untilNone(kube, [NAMESPACE]);
  });
  return { createMs, updateMs, deleteMs, usage };
}

/** Namespaces first, then everything else. */
async function create(kube: KubeClient, objects: readonly KubeObject[], options: BareOptions): Promise<void> {
  const { decisions, concurrency } = options;
  const one = async (object: KubeObject): Promise<void> => {
    const resource = decisions.resourceOf(object);
    if (resource === NAMESPACE) await kube.create(object, resource, FIELD_MANAGER);
    else await kube.apply(object, resource, { manager: FIELD_MANAGER, force: false });
  };
  await inParallel(objects.filter(({ kind }) => kind === NAMESPACE.kind), concurrency, one);
  await inParallel(objects.filter(({ kind }) => kind !== NAMESPACE.kind), concurrency, one);
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** The concurrency at which the bare client is fastest here. @param first First of the numbers that it may use. */
export async function fastestConcurrency(bed: Bed, decisions: Decisions, first: number): Promise<number> {
  const runs: { concurrency: number; ms: number }[] = [];
  // The first run of all warms the server up and does not count.
  for (const [index, concurrency] of [CANDIDATES[0], ...CANDIDATES].entries()) {
    const range = { first: first + index * CALIBRATION_SIZE, size: CALIBRATION_SIZE };
    const { createMs } = await bareRun(bed, range, { decisions, concurrency });
    if (index > 0) runs.push({ concurrency, ms: createMs });
  }
  return runs.reduce((best, run) => run.ms < best.ms ? run : best).concurrency;
}
