/**
 * Everything that is read for one Printer, in one place.
 *
 * @module
 */
import { keyOf, type KubeObject } from "../../api/object.ts";
import type { Printer } from "../../api/printer.ts";
import { JOB, POD } from "../../api/resources.ts";
import type { GatherDeps } from "../../runtime/definition.ts";
import { childKey } from "../../runtime/changes.ts";
import type { LogReader } from "../../workload/logs.ts";
import { failureOf, type PodFailure } from "../../workload/pod_failure.ts";
import { containerState, recordedEnding } from "./checks.ts";
import { CONTAINER, desiredMarks, REQUEST_LABEL, requestDigest } from "./desired.ts";
import type { PrinterSettings } from "./settings.ts";

/** What a decision about one Printer rests on. */
export interface Seen {
  owner: Printer;
  settings: PrinterSettings;
  /** The Pod or Job of what is asked for now. */
  child?: KubeObject;
  /** Children of what was asked for before. */
  others: KubeObject[];
  /** The Pod that prints: the child itself, or that Pod of the Job that tells most. */
  pod?: KubeObject;
  /** What keeps it from printing. */
  failure?: PodFailure;
  /** The end of its log, when it failed. */
  log: string;
  /** The beginning of its log, when it has ended and the log could be read. */
  output: string;
}

/** Reads caches, and the log of a Pod that has ended, unless the status knows already what became of it. */
export async function gather(
  owner: Printer,
  from: Pick<GatherDeps, "cache" | "kube"> & { settings: PrinterSettings; logs: LogReader },
): Promise<Seen> {
  const { settings, logs, kube } = from;
  const uid = owner.metadata.uid!;
  const ours = [POD, JOB].flatMap((resource) => from.cache(resource, "children").ownedBy(uid));
  const children = ours.filter((object) => (makerOf(object) ?? uid) === uid);
  const child = children.find((object) => isAskedFor(object, owner));
  const others = children.filter((other) => other !== child);
  const seen: Seen = { owner, settings, child, others, log: "", output: "" };
  if (!child || recordedEnding(owner)) return seen;
  const pods = ours.filter((object) => makerOf(object) === child.metadata.uid);
  const pod = child.kind === POD.kind ? child : tellingPod(pods);
  return pod ? { ...seen, pod, ...await toldBy(pod, { logs, kube }) } : seen;
}

async function toldBy(
  pod: KubeObject,
  { logs, kube }: Pick<GatherDeps, "kube"> & { logs: LogReader },
): Promise<Pick<Seen, "failure" | "log" | "output">> {
  const failure = failureOf(pod);
  const hasEnded = containerState(pod)?.terminated !== undefined;
  return {
    failure,
    log: failure ? await logs.tail(failure, kube) : "",
    output: hasEnded ? await logs.head(pod, CONTAINER, kube) : "",
  };
}

function isAskedFor(object: KubeObject, owner: Printer): boolean {
  return childKey(object) === childKey(desiredMarks(owner)) &&
    object.metadata.labels?.[REQUEST_LABEL] === requestDigest(owner.spec);
}

/** A Job hands our labels on to its Pods; the ownerReference tells them from what we made. */
function makerOf(object: KubeObject): string | undefined {
  return object.metadata.ownerReferences?.find(({ controller }) => controller)?.uid;
}

/** The one that succeeded, else one that is under way, else the one that failed last. */
function tellingPod(pods: KubeObject[]): KubeObject | undefined {
  const rank = ({ status, metadata }: KubeObject): number => {
    if (status?.phase === "Succeeded") return 3;
    if (metadata.deletionTimestamp) return 0;
    return status?.phase === "Failed" ? 1 : 2;
  };
  const endOf = (pod: KubeObject): string => containerState(pod)?.terminated?.finishedAt ?? "";
  const order = (a: KubeObject, b: KubeObject): number =>
    rank(b) - rank(a) || compare(endOf(b), endOf(a)) || compare(keyOf(a), keyOf(b));
  return pods.sort(order)[0];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
