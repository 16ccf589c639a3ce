/**
 * One look at a deployment and, where something is to do, one step of it.
 *
 * ```
 * look ▸ write down new kinds ▸ hooks before ▸ apply and prune, look again ▸ ready? ▸ hooks after ▸ deployed
 * ```
 *
 * Nothing is kept between two looks but lists that were read a moment ago and answers that differed from what was asked:
 * what was done is found in the cluster. A look over what is as it was rendered writes nothing.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";
import { JOB } from "../api/resources.ts";
import type { KubeClient } from "../kube/client.ts";
import type { Discovery } from "../kube/discovery.ts";
import { serviceAccountUser } from "../kube/impersonation.ts";
import type { LogReader } from "../workload/logs.ts";
import { applyChanges, type WriteDeps } from "./apply_changes.ts";
import { type DeploymentReport, hookFailed, hookRuns, type Look, reportOf, unready } from "./deployment_report.ts";
import { jobFailureText } from "./hook_failure.ts";
import { type Hook, type HookMoment, nextHook, type Rollout, spentHooks } from "./hooks.ts";
import { type DeployedEntry, inventoryAhead, kindsToRead } from "./inventory.ts";
import type { Observer, Reader } from "./observer.ts";
import { readinessOf } from "./readiness.ts";
import { type Answers, changeCount, noChanges, setChanges } from "./set_changes.ts";
import { type Place, type Wanted, wantedObjects } from "./wanted.ts";

export type { DeploymentReport } from "./deployment_report.ts";

/** What is to be deployed, and where. */
export interface DeploymentRequest extends Place, Rollout {
  /** Name of the ServiceAccount in the namespace that everything is done as. */
  account: string;
  /** Its permissions are some seconds old: the API server may not know them yet. */
  isNewcomer?: boolean;
  /** As they were rendered and judged, without hooks. */
  objects: readonly KubeObject[];
  hooks: readonly Hook[];
  /** {@link DeploymentReport.inventory} of the look before, from the owner's status. */
  inventory: readonly DeployedEntry[];
  /** Changes nothing. */
  isPaused?: boolean;
}

/** What deploying needs; one for all environments. */
export interface DeployDeps {
  /** The operator's own client, with its guard. */
  kube: KubeClient;
  discovery: Pick<Discovery, "find" | "findPreferred">;
  observer: Observer;
  answers: Answers;
  logs: LogReader;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** As the environment's ServiceAccount. */
interface Acting extends WriteDeps {
  logs: LogReader;
}

/**
 * @throws {Stalled} Somebody must act: NotOwned, Forbidden, Refused, ImmutableField, QuotaExceeded …
 * @throws {Waiting} Something else must happen first. @throws {KubeError} What another try may mend.
 */
export async function deploy(request: DeploymentRequest, deps: DeployDeps): Promise<DeploymentReport> {
  const { owner, namespace, account, isNewcomer = false } = request;
  const kube = deps.kube.with({ impersonate: serviceAccountUser(namespace, account) });
  const write: Acting = { ...deps, owner, kube, account: `${namespace}/${account}`, isNewcomer };
  const wanted = await wantedObjects(request.objects, request, deps.discovery);
  const look = await lookAt(request, wanted, { deps, as: write });
  const ahead = inventoryAhead(request.inventory, wanted, (resource) => deps.observer.isPolled(resource));
  if (request.isPaused) return reportOf(request, look);
  if (ahead) {
    return {
      ...unready(reportOf(request, look), "Recording", "New kinds are being written down"),
      inventory: ahead,
      lookAgainAt: deps.now(),
    };
  }
  const before = await runHook("pre", request, { look, write });
  if (before) return before;
  if (changeCount(look.changes) === 0) return await finish(request, look, write);
  await applyChanges(look.changes, write);
  const after = await lookAt(request, wanted, { deps, as: write });
  return await finish(request, { ...after, changes: look.changes }, write);
}

async function lookAt(
  request: DeploymentRequest,
  wanted: readonly Wanted[],
  { deps, as }: { deps: DeployDeps; as: Reader },
): Promise<Look> {
  const { observer } = deps;
  const watched = request.hooks.length > 0 ? [JOB, ...observer.watchedKinds] : observer.watchedKinds;
  const kinds = await kindsToRead(request.inventory, { wanted, watched }, deps.discovery);
  const seen = await observer.read(request, kinds, as);
  const now = deps.now();
  return {
    seen,
    changes: setChanges(wanted, seen, deps.answers),
    readiness: readinessOf(wanted, seen, now),
    isPolled: kinds.some((resource) => observer.isPolled(resource)),
    now,
  };
}

/** @returns What to say while hooks are under way; nothing when they are over. */
async function runHook(
  moment: HookMoment,
  request: DeploymentRequest,
  { look, write }: { look: Look; write: Acting },
): Promise<DeploymentReport | undefined> {
  const step = nextHook(request.hooks, moment, { rollout: request, place: request, seen: look.seen });
  const report = reportOf(request, look);
  switch (step.do) {
    case "nothing":
      return undefined;
    case "start":
      await applyChanges({ ...noChanges(), create: [step.wanted] }, write);
      return hookRuns(report, step.message, look);
    case "remove":
      await applyChanges({ ...noChanges(), remove: [step.seen] }, write);
      return hookRuns(report, step.message, look);
    case "wait":
      return hookRuns(report, step.message, look);
    case "stop":
      return hookFailed(report, moment, { ...step, why: await jobFailureText(step.job, write) });
  }
}

async function finish(request: DeploymentRequest, look: Look, write: Acting): Promise<DeploymentReport> {
  if (look.readiness.state !== "current") return reportOf(request, look);
  const after = await runHook("post", request, { look, write });
  if (after) return after;
  const spent = spentHooks(request.hooks, request, look.seen);
  if (spent.length > 0) await applyChanges({ ...noChanges(), remove: spent }, write);
  const report = { ...reportOf(request, look), deployed: request.revision };
  // Jobs of hooks go when it is written down that they are done.
  const isNews = request.deployed !== request.revision && request.hooks.length > 0;
  return isNews ? { ...report, lookAgainAt: look.now } : report;
}
