/**
 * Hooks of a Helm chart that are plain Jobs: what is to be done next. Pure.
 *
 * ```
 * pre-install | pre-upgrade ──▶ the objects are applied and become ready ──▶ post-install | post-upgrade ──▶ deployed
 *         each in the order of weight and name: an older Job of the name goes ▸ start ▸ wait ▸ next
 *         one that fails stops everything until the revision changes or somebody deletes its Job
 * ```
 *
 * Each runs once for a revision: its Job says in an annotation which one it ran for, and stays until the revision is
 * deployed; from then on no hook of that revision runs. So it has no time to live either, and the policies
 * `hook-succeeded` and `hook-failed` work late: the first when the revision is deployed, the second when the next one
 * comes, so that its log can be read till then. `before-hook-creation` is what happens anyway.
 *
 * @see https://helm.sh/docs/topics/charts_hooks/
 * @module
 */
import { ANNOTATION_HOOK, ANNOTATION_REVISION } from "../api/names.ts";
import type { KubeObject } from "../api/object.ts";
import { jobEnd } from "../workload/job.ts";
import type { Seen, SeenObjects } from "./observer.ts";
import { identityOf, marked, type Place, type Wanted } from "./wanted.ts";
import { normalForm } from "./normal_form.ts";
import { nameOf } from "../runtime/status.ts";
import { JOB } from "../api/resources.ts";

/** A hook as it was rendered. */
export interface Hook {
  readonly object: KubeObject;
  /** By Helm's names: `pre-install`, `post-upgrade`, `test` … */
  readonly events: readonly string[];
  readonly weight: number;
  /** By Helm's names: `before-hook-creation`, `hook-succeeded`, `hook-failed`. */
  readonly deletePolicies: readonly string[];
}

/** A deployment of one revision. */
export interface Rollout {
  /** Changes with everything that is deployed. */
  revision: string;
  /** The revision that was deployed last, if any was. */
  deployed?: string;
}

/** When hooks run: before the objects are applied, or when they are ready. */
export type HookMoment = "pre" | "post";

/** What is to be done next. */
export type HookStep =
  | { do: "nothing" }
  /** The older Job of the name must go first. */
  | { do: "remove"; seen: Seen; message: string }
  | { do: "start"; wanted: Wanted; message: string }
  | { do: "wait"; job: KubeObject; message: string }
  | { do: "stop"; job: KubeObject; message: string };

/** Events that come here. */
const RUN = new Set(["pre-install", "pre-upgrade", "post-install", "post-upgrade"]);

/** @param seen What is there of the owner's, Jobs of hooks among it. */
export function nextHook(
  hooks: readonly Hook[],
  moment: HookMoment,
  { rollout, place, seen }: { rollout: Rollout; place: Place; seen: SeenObjects },
): HookStep {
  const event = `${moment}-${rollout.deployed === undefined ? "install" : "upgrade"}`;
  if (rollout.deployed === rollout.revision) return { do: "nothing" };
  for (const hook of ordered(hooks.filter((each) => isJob(each.object) && each.events.includes(event)))) {
    const wanted = hookJob(hook, event, { rollout, place });
    const found = seen.get(identityOf(wanted.object));
    if (!found) return { do: "start", wanted, message: `${hookName(event, wanted.object)} is started` };
    const step = stepFor(found, wanted, event);
    if (step) return step;
  }
  return { do: "nothing" };
}

function ordered(hooks: readonly Hook[]): Hook[] {
  return [...hooks].sort((a, b) => a.weight - b.weight || (a.object.metadata.name < b.object.metadata.name ? -1 : 1));
}

/** @returns Nothing where the hook is done. */
function stepFor(found: Seen, wanted: Wanted, event: string): HookStep | undefined {
  const job = found.object;
  const name = hookName(event, job);
  const leaving = `${name}: waiting until the older Job is gone`;
  if (job.metadata.deletionTimestamp) return { do: "wait", job, message: leaving };
  const { [ANNOTATION_REVISION]: ran, [ANNOTATION_HOOK]: at } = job.metadata.annotations ?? {};
  if (ran !== wanted.object.metadata.annotations?.[ANNOTATION_REVISION] || at !== event) {
    return { do: "remove", seen: found, message: leaving };
  }
  const end = jobEnd(job);
  if (!end) return { do: "wait", job, message: `${name} runs` };
  return end.succeeded ? undefined : { do: "stop", job, message: `${name} failed (${end.reason}): ${end.message}` };
}

function hookName(event: string, job: KubeObject): string {
  return `Hook "${event}" (${nameOf(job)})`;
}

/** Jobs that are left over: succeeded ones of the deployed revision that are to go, and those of older revisions. */
export function spentHooks(hooks: readonly Hook[], rollout: Rollout, seen: SeenObjects): Seen[] {
  if (rollout.deployed !== rollout.revision) return [];
  const kept = new Set(
    hooks.filter(({ deletePolicies }) => !deletePolicies.includes("hook-succeeded")).map(({ object }) =>
      identityOf(object)
    ),
  );
  return [...seen.values()].filter(({ object }) => {
    const { [ANNOTATION_HOOK]: event, [ANNOTATION_REVISION]: ran } = object.metadata.annotations ?? {};
    if (event === undefined || object.metadata.deletionTimestamp) return false;
    return ran !== rollout.revision || !kept.has(identityOf(object));
  });
}

/** What of the hooks is not run, one sentence each: other kinds than Jobs, and events that never come here. */
export function hooksNotRun(hooks: readonly Hook[]): string[] {
  return hooks.flatMap(({ object, events }) => {
    if (!isJob(object)) return [`${nameOf(object)} is a hook (${events.join(", ")}) and no Job: it is not made`];
    const others = events.filter((event) => !RUN.has(event));
    return others.length > 0 ? [`Hook "${others.join('", "')}" (${nameOf(object)}) is not run`] : [];
  });
}

function isJob({ apiVersion, kind }: KubeObject): boolean {
  return apiVersion === "batch/v1" && kind === "Job";
}

function hookJob({ object }: Hook, event: string, { rollout, place }: { rollout: Rollout; place: Place }): Wanted {
  const job = normalForm(object, place.namespace);
  const annotations = {
    ...job.metadata.annotations,
    [ANNOTATION_HOOK]: event,
    [ANNOTATION_REVISION]: rollout.revision,
  };
  const wanted = marked({ ...job, metadata: { ...job.metadata, annotations } }, place.owner);
  return { object: wanted, kind: { resource: JOB, verbs: [], subresources: ["status"] } };
}
