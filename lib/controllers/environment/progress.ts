/**
 * How far each stage of an environment is, by what was seen. Pure.
 *
 * @module
 */
import { environmentNamespace } from "../../environment_names.ts";
import { RenderError } from "../../render/render_error.ts";
import type { FetchRequest } from "../../render/renderer.ts";
import { Stalled } from "../../runtime/errors.ts";
import { nameOf } from "../../runtime/status.ts";
import { changeCount } from "../../deploy/set_changes.ts";
import type { DeploymentReport } from "../../deploy/deployment.ts";
import { withLog } from "../../workload/logs.ts";
import { leadsElsewhere } from "./desired.ts";
import { isCurrent, type Seen } from "./gather.ts";
import type { IngressChoice } from "./ingress.ts";
import { refText } from "./source.ts";
import { ingressStage, namespaceStage, type Stage, type Stages } from "./stages.ts";

/** What the stages follow from. */
export interface StageInput {
  seen: Seen;
  /** How the environment is reached, where that is known. */
  choice: IngressChoice | undefined;
  /** Where it is reached, where it is. */
  url: string | undefined;
  /** Own objects that are not there yet. */
  missing: readonly string[];
  ref: FetchRequest["ref"];
  /** Milliseconds since the epoch. */
  now: number;
}

const WAITING: Stage = { is: "waiting" };
/** No event of ours shows that somebody else's build is over. */
const ELSEWHERE_MS = 5_000;
const MOST_NAMES = 3;
const MOST_REFUSED = 10;

/** All stages; one whose turn has not come waits. */
export function stagesOf(input: StageInput): Stages {
  const { seen, missing } = input;
  const own = missing.filter((name) => !name.startsWith("Ingress ") && !name.startsWith("Job "));
  return {
    namespace: namespaceStage(environmentNamespace(seen.owner), own),
    source: sourceStage(input),
    build: buildStage(input),
    deployment: deploymentStage(input),
    ingress: wayIn(input),
  };
}

function sourceStage({ seen: { source, project }, ref, now: _ }: StageInput): Stage {
  const { repositoryUrl } = project!.spec.source;
  if (!source) return WAITING;
  switch (source.is) {
    case "looking":
      return { is: "working", reason: "Fetching", message: `Fetching ${refText(ref)} from "${repositoryUrl}"` };
    case "failed":
      return { ...failure(source.error, "FetchFailed"), lookAgainAt: source.nextAt };
    case "found": {
      const { commit, branch } = source.value;
      const message = `Commit "${commit}"${branch ? ` of branch "${branch}"` : ""} is fetched`;
      return { is: "done", reason: "Fetched", message };
    }
  }
}

function failure(error: unknown, reason: string): Extract<Stage, { is: "failed" }> {
  if (!(error instanceof RenderError)) {
    return { is: "failed", reason, message: error instanceof Error ? error.message : String(error), mayPass: true };
  }
  const { file, line } = error.place;
  const place = file && !error.message.includes(file) ? `${file}${line ? `:${line}` : ""}: ` : "";
  return { is: "failed", reason: error.reason, message: `${place}${error.message}`, mayPass: error.isTemporary };
}

function buildStage({ seen: { build, project, source }, now }: StageInput): Stage {
  if (!project!.spec.build) {
    return { is: "unneeded", message: "The Project builds nothing: images are used as they are written" };
  }
  if (source?.is !== "found" || !build) return WAITING;
  const { step, request, log } = build;
  const about = `Image "${request.image}:${request.commit}"`;
  switch (step.step) {
    case "ask":
      return { is: "working", reason: "AskingRegistry", message: `${about} is looked for in its registry` };
    case "start":
      return { is: "working", reason: "Building", message: `${about} is being built` };
    case "use":
      return { is: "done", reason: "ImageReady", message: `Image "${step.image}" is there` };
    case "wait": {
      const afterMs = step.afterMs ?? (step.reason === "BuildingElsewhere" ? ELSEWHERE_MS : undefined);
      const later = afterMs === undefined ? {} : { lookAgainAt: now + afterMs };
      return { is: "working", reason: step.reason, message: step.message, ...later };
    }
    case "fail": {
      const later = step.afterMs === undefined ? {} : { lookAgainAt: now + step.afterMs };
      return { is: "failed", reason: step.reason, message: withLog(step.message, log), ...later };
    }
  }
}

function deploymentStage({ seen, now }: StageInput): Stage {
  const { rendering, performed } = seen;
  if (!rendering) return WAITING;
  if (rendering.is === "looking") {
    return { is: "working", reason: "Rendering", message: "The source is being rendered" };
  }
  if (rendering.is === "failed") {
    const failed = failure(rendering.error, "RenderFailed");
    return { ...failed, ...(failed.mayPass ? { lookAgainAt: rendering.nextAt } : {}) };
  }
  const { refused, objects } = rendering.value;
  if (refused.length > 0) return refusedStage(refused);
  if (!performed || !isCurrent(seen)) {
    const message = `${count(objects.length)} to be applied`;
    return { is: "working", reason: "Applying", message, ...(performed ? { lookAgainAt: now } : {}) };
  }
  if ("error" in performed) {
    const { error } = performed;
    const { reason, message, lookAgainMs } = error;
    const later = lookAgainMs === undefined ? {} : { lookAgainAt: now + lookAgainMs };
    return { is: error instanceof Stalled ? "failed" : "working", reason, message, ...later };
  }
  return reportedStage(seen, performed.report, objects.length);
}

function refusedStage(refused: readonly { reason: string; message: string }[]): Stage {
  const told = refused.slice(0, MOST_REFUSED).map(({ message }) => message).join("; ");
  const more = refused.length > MOST_REFUSED ? `; and ${refused.length - MOST_REFUSED} more` : "";
  return { is: "failed", reason: refused[0]!.reason, message: `${told}${more}` };
}

function reportedStage(seen: Seen, report: DeploymentReport, objects: number): Stage {
  const waiting = changeCount(report.changes);
  if (seen.deployment?.isPaused && waiting > 0) {
    return { is: "working", reason: "Paused", message: `${waiting} changes of what is deployed wait` };
  }
  if (report.state === "ready") {
    if (objects === 0) return { is: "unneeded", message: "The source renders to nothing" };
    return { is: "done", reason: "Deployed", message: `${count(objects)} deployed and ready` };
  }
  const { failure: pod, log } = seen;
  if (pod && !pod.mayPass) {
    return {
      is: "failed",
      reason: pod.reason,
      message: withLog(pod.message, log),
      mayPass: report.state !== "failed",
    };
  }
  const { reason, message } = report;
  if (report.state === "failed") return { is: "failed", reason, message };
  if (report.reason !== "Progressing") return { is: "working", reason, message };
  return { is: "working", reason: "RollingOut", message: pod?.message ?? pendingNames(report) };
}

/** Without the numbers that change with every Pod: each other text is one more write of the status. */
function pendingNames({ pending }: DeploymentReport): string {
  const names = pending.map(({ object }) => nameOf(object)).sort();
  const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : "";
  return `Waiting until ${names.slice(0, MOST_NAMES).join(", ")}${more} ${names.length === 1 ? "is" : "are"} ready`;
}

function count(objects: number): string {
  return objects === 1 ? "1 object is" : `${objects} objects are`;
}

function wayIn({ seen, choice, url, missing, now }: StageInput): Stage {
  if (!choice) return WAITING;
  if (leadsElsewhere(seen, choice)) {
    // No event of somebody else tells that the revision is written down as deployed.
    const isNews = seen.owner.status?.revision !== seen.deployment?.revision;
    const message = "The Ingress goes over to what is deployed now";
    return { is: "working", reason: "SettingUp", message, ...(isNews ? { lookAgainAt: now } : {}) };
  }
  const ingress = missing.find((name) => name.startsWith("Ingress "));
  if (ingress) return { is: "working", reason: "SettingUp", message: `Setting up ${ingress}` };
  return ingressStage(choice, url ?? "");
}
