/**
 * How far an environment is, stage by stage, and what is to be said about it. Pure.
 *
 * ```
 *  namespace → source → build → deployment → ingress
 *   Pending    Pending  Building  Deploying   Deploying    all done: Ready
 *      └──────────┴────────┴── failed: Failed ──┴─────────── what was deployed before keeps serving
 * ```
 *
 * The first stage that is not done says the phase. A new commit, a changed Project or config begins again at source; a
 * lost namespace at the beginning. Deletion is the runtime's: Terminating.
 *
 * @module
 */
import type { Environment } from "../../api/environment.ts";
import type { Finding, Report } from "../../runtime/status.ts";
import type { IngressChoice } from "./ingress.ts";

/** How far one stage is. */
export type Stage =
  /** Its turn comes when the stage before is done. */
  | { is: "waiting" }
  /** Nothing is to be done: why. */
  | { is: "unneeded"; message: string }
  /** `lookAgainAt` in milliseconds since the epoch, where no event tells. */
  | { is: "working"; reason: string; message: string; lookAgainAt?: number }
  /** `mayPass`: tried again without anybody acting. */
  | { is: "failed"; reason: string; message: string; mayPass?: boolean; lookAgainAt?: number }
  | { is: "done"; reason: string; message: string };

/** All of them, in their order. */
export interface Stages {
  /** The target namespace as one unit. */
  namespace: Stage;
  /** The commit, fetched. */
  source: Stage;
  /** The image of the commit. */
  build: Stage;
  /** What was rendered, applied and ready. */
  deployment: Stage;
  /** The way in. */
  ingress: Stage;
}

interface StageInfo {
  condition: string;
  phase: "Pending" | "Building" | "Deploying";
  waitsFor: string;
}

const STAGES: Readonly<Record<keyof Stages, StageInfo>> = {
  namespace: { condition: "NamespaceReady", phase: "Pending", waitsFor: "the Project" },
  source: { condition: "SourceReady", phase: "Pending", waitsFor: "the namespace" },
  build: { condition: "BuildReady", phase: "Building", waitsFor: "the source" },
  deployment: { condition: "DeploymentReady", phase: "Deploying", waitsFor: "the image" },
  ingress: { condition: "IngressReady", phase: "Deploying", waitsFor: "the deployment" },
};
const ORDER = Object.keys(STAGES) as (keyof Stages)[];

/** The namespace is done when all of it is there. @param missing What of it is not, as `Kind "name"`. */
export function namespaceStage(namespace: string, missing: readonly string[]): Stage {
  if (missing.length === 0) {
    return { is: "done", reason: "NamespaceReady", message: `Namespace "${namespace}" is set up` };
  }
  return { is: "working", reason: "SettingUp", message: `Setting up namespace "${namespace}": ${missing.join(", ")}` };
}

/** The way in, once it is known what is deployed. @param url Where it leads in. */
export function ingressStage(choice: IngressChoice, url: string): Stage {
  switch (choice.how) {
    case "none":
      return { is: "unneeded", message: choice.message };
    case "unclear":
      return { is: "failed", reason: choice.reason, message: choice.message };
    case "own":
      return { is: "done", reason: "Routed", message: `${url} leads to Service "${choice.backend.service}"` };
    case "deployed":
      return { is: "done", reason: "Routed", message: `${url} leads to Ingress "${choice.ingresses.join('", "')}"` };
  }
}

/** The conditions of all stages, in their order. */
export function conditionsOf(stages: Stages): Finding[] {
  return ORDER.map((name) => findingOf(STAGES[name], stages[name]));
}

function findingOf({ condition: type, waitsFor }: StageInfo, stage: Stage): Finding {
  switch (stage.is) {
    case "waiting":
      return { type, status: "False", reason: "Waiting", message: `Waits for ${waitsFor}` };
    case "unneeded":
      return { type, status: "True", reason: "NotNeeded", message: stage.message };
    case "done":
      return { type, status: "True", reason: stage.reason, message: stage.message };
    default:
      return { type, status: "False", reason: stage.reason, message: stage.message };
  }
}

type Judgement = Pick<Report, "phase" | "state" | "reason" | "message" | "outcome" | "conditions" | "lookAgainAt">;

/**
 * What all stages together come to.
 *
 * @param about.commit the commit that they are about, where it is known
 * @param about.url where the environment is reached, where it is
 */
export function judgementOf(owner: Environment, stages: Stages, about: { commit?: string; url?: string }): Judgement {
  const conditions = conditionsOf(stages);
  const current = ORDER.find((name) => stages[name].is !== "done" && stages[name].is !== "unneeded");
  if (current === undefined) return { ...ready(stages, about), conditions };
  const stage = stages[current];
  const { condition, phase } = STAGES[current];
  const { reason, message } = findingOf(STAGES[current], stage);
  const lookAgainAt = "lookAgainAt" in stage ? stage.lookAgainAt : undefined;
  if (stage.is !== "failed") return { phase, state: "reconciling", reason, message, conditions, lookAgainAt };
  const text = `${message}${stillServing(owner, about.commit)}`;
  return {
    phase: "Failed",
    state: stage.mayPass ? "reconciling" : "stalled",
    reason,
    message: text,
    outcome: { outcome: "Failed", reason, message: `${condition}: ${text}` },
    conditions,
    lookAgainAt,
  };
}

function ready({ ingress, deployment }: Stages, { commit, url }: { commit?: string; url?: string }): Judgement {
  const what = commit ? `Commit "${commit}"` : "What is deployed";
  const isReached = ingress.is === "done" && url !== undefined;
  const message = isReached
    ? `${what} serves at ${url}`
    : `${what} is ready${ingress.is === "unneeded" ? `. ${ingress.message}` : ""}`;
  const reason = deployment.is === "done" ? "Ready" : "NothingDeployed";
  return { phase: "Ready", state: "ready", reason, message, outcome: { outcome: "Ready", reason, message } };
}

/** A new commit that fails takes nothing away from the one before. */
function stillServing({ status }: Environment, commit: string | undefined): string {
  const before = status?.deployedCommit;
  return before && before !== commit ? `; commit "${before}" keeps serving` : "";
}
