/**
 * What is to be done about one PortfolioApp and what is to be said. Pure: it powers `maquette plan`, too.
 *
 * @module
 */
import type { KubeObject } from "../../api/object.ts";
import { chooseHost, type HostClaim, hostClaim, type HostProblem, hostProblem, strayIngresses } from "../../hosts.ts";
import { parseReference } from "../../image/reference.ts";
import type { Plan } from "../../runtime/definition.ts";
import { isPaused } from "../../runtime/settle.ts";
import { type Finding, type Report, WARNINGS } from "../../runtime/status.ts";
import { rolloutOf } from "../../workload/rollout.ts";
import type { Verdict } from "../../workload/verdict.ts";
import { handOver, scaleOf } from "./autoscaler.ts";
import { autoscalingFinding } from "./autoscaler_finding.ts";
import { backupFinding, keptJobs, latestBackup, type Progress, restoredAt, restoreProgress } from "./backup.ts";
import { scheduledBackup, taskJob } from "./backup_job.ts";
import { hasNothingToSave, isCertificateMissing, storageFinding, verdictOn, warningsOf } from "./checks.ts";
import { claim, deployment, surroundings, urlOf } from "./desired.ts";
import type { Seen } from "./gather.ts";
import { approval, contractFinding, gateOf, rolledWith } from "./migration.ts";
import type { Further } from "./perform.ts";
import { fullImage } from "./pod.ts";

/** What the API server says against the watch (live.ts) is nobody's event. */
const GATE_MS = 30_000;

/** @param now Milliseconds since the epoch. */
export function decide(seen: Seen, now: number): Plan {
  const common = commonReport(seen);
  const problem = takenHost(seen) ?? certificateProblem(seen);
  if (problem) {
    const ingresses = seen.frontage.filter(({ kind }) => kind === "Ingress");
    const revoked = strayIngresses(claimOf(seen), seen.rivals, ingresses);
    return { revoked, report: { ...common, phase: "Failed", state: "stalled", ...problem } };
  }
  const restore = restoreProgress(seen, now);
  if (restore && restore.state.is !== "done") return restoring(seen, common, restore);
  const gate = gateOf(seen);
  if (!gate.isOpen) return held(seen, common, { ...gate.report, lookAgainAt: now + GATE_MS });
  const verdict = verdictOn(seen, now);
  const lookAgainAt = verdict.is === "ready" ? undefined : verdict.lookAgainAt;
  return {
    desired: desiredObjects(seen),
    keep: keptObjects(seen),
    further: furtherOf(seen, verdict.is === "ready"),
    report: { ...common, ...judged(seen, verdict, common.fields), lookAgainAt },
  };
}

function claimOf({ owner, settings }: Seen): HostClaim {
  return hostClaim(owner, settings.domain);
}

function takenHost(seen: Seen): HostProblem | undefined {
  return hostProblem(chooseHost(claimOf(seen), seen.rivals));
}

function desiredObjects(seen: Seen): KubeObject[] {
  const { owner, settings, template } = seen;
  const { backup } = owner.spec;
  const scale = scaleOf(owner, seen.deployment);
  return [
    ...surroundings(owner, settings, { ...seen, scale }),
    ...(backup?.when === "schedule" && !hasNothingToSave(seen) ? [scheduledBackup(owner, backup, settings)] : []),
    deployment(owner, settings, { scale, template, annotations: rolledWith(seen) }),
  ];
}

/** What the spec asks for no more and what is kept nevertheless: volumes, and a Job that the status does not know of yet. */
function keptObjects(seen: Seen): KubeObject[] {
  return [
    ...keptClaims(seen),
    ...(seen.owner.status?.restoredAt ? [] : keptJobs(seen)),
  ];
}

function keptClaims({ owner, claim, otherClaims }: Seen): KubeObject[] {
  return [...otherClaims, ...(claim && !owner.spec.storage ? [claim] : [])];
}

function furtherOf(seen: Seen, isComplete: boolean): Further | undefined {
  if (isPaused(seen.owner)) return undefined;
  const further = { handOver: handOver(seen.owner, seen.deployment), approve: approval(seen, isComplete) };
  return further.handOver || further.approve ? further : undefined;
}

/** What is there stays, with the configuration that it was started with, until the schema is ready for the new version. */
function held(
  seen: Seen,
  common: Common,
  report: Pick<Report, "phase" | "state" | "reason" | "message" | "lookAgainAt">,
): Plan {
  const isHeld = ({ kind }: KubeObject): boolean => kind === "ConfigMap" || kind === "Deployment";
  const there = [...(seen.deployment ? [seen.deployment] : []), ...seen.others].filter(isHeld);
  const image = fullImage(seen.owner.spec);
  const { state, reason, message } = report;
  const outcome = state === "stalled" ? { outcome: "Failed", image, reason, message } : undefined;
  return {
    desired: desiredObjects(seen).filter((object) => !isHeld(object)),
    keep: [...keptObjects(seen), ...there],
    report: { ...common, ...report, outcome },
  };
}

function certificateProblem(seen: Seen): Pick<Report, "reason" | "message"> | undefined {
  const { tls, operatorNamespace } = seen.settings;
  if (!isCertificateMissing(seen) || tls.mode !== "wildcard") return undefined;
  const message = `Secret "${tls.secret}" does not exist in namespace "${operatorNamespace}"`;
  return { reason: "SourceMissing", message };
}

/** The volume is there, and nothing else: no Pod may see what is only half brought back. */
function restoring(seen: Seen, common: Common, { task, state }: Progress): Plan {
  const { owner } = seen;
  const { storage, restoreFrom } = owner.spec;
  const { archive } = restoreFrom!;
  const claims = storage ? [claim(owner, storage, seen.claim)] : [];
  const jobs = state.is === "due" ? [taskJob(owner, task, state.attempt)] : [];
  const keep = [...keptClaims(seen), ...(state.is === "due" ? [] : keptJobs(seen))];
  const plan = { desired: [...claims, ...jobs], keep };
  if (state.is === "failed") {
    const message = `Archive "${archive}" cannot be brought back: ${state.message}`;
    const outcome = { outcome: "Failed", image: fullImage(owner.spec), reason: "RestoreFailed", message };
    const report: Report = { ...common, phase: "Failed", state: "stalled", reason: "RestoreFailed", message, outcome };
    return { ...plan, report: { ...report, lookAgainAt: state.retryAt } };
  }
  const running = state.is === "running" ? state : undefined;
  const stuck = running?.message ? `: ${running.message}` : "";
  const message = `Archive "${archive}" is being brought back before the first Pod starts${stuck}`;
  const report = { ...common, phase: "Pending", state: "reconciling" as const, reason: "Restoring", message };
  return { ...plan, report: { ...report, lookAgainAt: running?.lookAgainAt } };
}

type Judgement = Pick<Report, "phase" | "state" | "reason" | "message" | "outcome" | "fields">;

function judged(seen: Seen, verdict: Verdict, fields: Common["fields"]): Judgement {
  const { owner, settings } = seen;
  const image = fullImage(owner.spec);
  if (verdict.is === "ready") {
    const message = `Image "${image}" serves at ${urlOf(owner, settings)}`;
    const outcome = { outcome: "Running", image, reason: "Ready" };
    return {
      phase: "Running",
      state: "ready",
      reason: "Ready",
      message,
      outcome,
      fields: { ...fields, ...rolledOut(image) },
    };
  }
  const { reason, message } = verdict;
  if (verdict.is === "stuck") {
    const outcome = { outcome: "Failed", image, reason, message };
    return { phase: "Failed", state: "stalled", reason, message, outcome };
  }
  const phase = verdict.is === "degraded" ? "Degraded" : "Progressing";
  return { phase, state: "reconciling", reason, message };
}

type Common = Pick<Report, "fields" | "conditions">;

/** What there is to say whatever comes of it. */
export function commonReport(seen: Seen): Common {
  const warnings = warningsOf(seen);
  const findings: (Finding | undefined)[] = [
    storageFinding(seen),
    autoscalingFinding(seen),
    contractFinding(seen),
    backupFinding(latestBackup(seen)),
    warnings.length > 0
      ? { type: WARNINGS, status: "True", reason: "Warnings", message: warnings.join("; ") }
      : undefined,
  ];
  return { fields: fieldsOf(seen), conditions: findings.filter((finding) => finding !== undefined) };
}

function fieldsOf(seen: Seen): Record<string, unknown> {
  const { owner, settings, deployment: observed } = seen;
  const { wanted, available } = rolloutOf(observed);
  const replicas = observed ? wanted : 0;
  // One that is too many is on its way out.
  const serving = Math.min(available, replicas);
  const known = {
    ...(owner.status?.image === undefined ? {} : rolledOut(owner.status.image)),
    replicas,
    readyReplicas: serving,
    ready: `${serving}/${replicas}`,
    // One at somebody else's host would lead to somebody else.
    url: takenHost(seen) ? undefined : urlOf(owner, settings),
    backup: latestBackup(seen),
    restoredAt: restoredAt(seen),
  };
  return Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined));
}

/** What is said of the image that was rolled out completely last. */
function rolledOut(image: string): { image: string; version: string } {
  return { image, version: versionOf(image) };
}

function versionOf(image: string): string {
  const parsed = parseReference(image);
  return (parsed.ok && (parsed.reference.tag ?? parsed.reference.digest)) || "latest";
}
