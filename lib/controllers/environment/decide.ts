/**
 * What is to be done about one Environment and what is to be said. Pure: it powers `maquette plan`, too.
 *
 * @module
 */
import { type Condition, keyOf, type KubeObject } from "../../api/object.ts";
import { environmentNamespace } from "../../environment_names.ts";
import { hostClaim, strayIngresses } from "../../hosts.ts";
import { hasExpired, isExpiring, type Lifetime } from "../../lifetime.ts";
import { listedOf } from "../../runtime/changes.ts";
import type { Plan } from "../../runtime/definition.ts";
import { type Finding, keptFields, type Report, rfc3339 } from "../../runtime/status.ts";
import { urlOf } from "../../workload/exposure.ts";
import { fullHostOf, hostOf, missingObjects, obstacleOf } from "./checks.ts";
import { desiredObjects, ingressChoice } from "./desired.ts";
import type { Further } from "./deployment.ts";
import { expiryOf } from "./expiry.ts";
import type { Seen } from "./gather.ts";
import type { IngressChoice } from "./ingress.ts";
import { revokedOf } from "./lent.ts";
import { type StageInput, stagesOf } from "./progress.ts";
import { refOf } from "./source.ts";
import { judgementOf, type Stages } from "./stages.ts";
import { warningsOf } from "./warnings.ts";

/** They are said anew with each report. */
const SAID_ANEW = new Set(["Paused", "Expiring"]);
const SETTLED = new Set(["Ready", "Failed"]);

/** @param now Milliseconds since the epoch. */
export function decide(seen: Seen, now: number): Plan {
  const { owner, settings } = seen;
  const expiry = expiryOf(owner, settings.maxTtlSeconds);
  if (hasExpired(expiry, now)) return expired(seen, expiry.expiresAt!);
  const obstacle = obstacleOf(seen);
  const plan = obstacle ? { report: { ...keptReport(seen), ...obstacle } } : progressed(seen, now);
  return withExpiry({ ...plan, revoked: [...revokedOf(seen), ...lostIngresses(seen)] }, expiry, now);
}

/** Those at a host that has become somebody else's. */
function lostIngresses({ owner, settings, rivals, ingresses }: Seen): KubeObject[] {
  return strayIngresses(hostClaim(owner, settings.domain), rivals, ingresses);
}

/** Nothing is in the way: how far it is, and what is wanted next. */
function progressed(seen: Seen, now: number): Plan {
  const choice = ingressChoice(seen);
  const desired = desiredObjects(seen, choice);
  const further: Further | undefined = seen.deployment && { request: seen.deployment, kept: seen.kept! };
  if (isLooking(seen) && hasSettled(seen)) return { desired, report: keptReport(seen) };
  const url = urlFor(seen, choice);
  const missing = missingObjects(desired, seen);
  const input: StageInput = { seen, choice, url, missing, ref: refOf(seen.owner, seen.project!), now };
  const stages = stagesOf(input);
  return { desired, further, report: reportOf(seen, { choice, url, stages, now }) };
}

/** What was said stays said while the same is looked up again: after a start, say. */
function isLooking({ source, build, rendering }: Seen): boolean {
  return source?.is === "looking" || build?.step.step === "ask" || rendering?.is === "looking";
}

function hasSettled({ owner: { status, metadata } }: Seen): boolean {
  return status?.observedGeneration === metadata.generation && SETTLED.has(status?.phase ?? "");
}

/** What the status says already. */
function keptReport({ owner, children }: Seen): Report {
  const { phase = "Pending", conditions = [], inventory } = owner.status ?? {};
  const { fields, conditions: own } = keptFields(owner);
  const ready: Condition | undefined = conditions.find(({ type }) => type === "Ready");
  const state = phase === "Ready"
    ? "ready"
    : conditions.some(({ type }) => type === "Stalled")
    ? "stalled"
    : "reconciling";
  const { reason = "Pending", message = "" } = ready ?? {};
  const kept = own.filter(({ type }) => !SAID_ANEW.has(type));
  const there = listedOf(inventory, children);
  return { phase, state, reason, message, conditions: kept, fields, ...(there ? { inventory: there } : {}) };
}

function urlFor({ settings, ...seen }: Seen, choice: IngressChoice | undefined): string | undefined {
  if (choice?.how === "none" || choice?.how === "unclear") return undefined;
  const { host, by } = hostOf({ settings, ...seen });
  return by ? undefined : urlOf(host, settings.tls);
}

interface Told {
  choice: IngressChoice | undefined;
  url: string | undefined;
  stages: Stages;
  now: number;
}

function reportOf(seen: Seen, { choice, url, stages, now }: Told): Report {
  const { owner, source, build, performed } = seen;
  const commit = source?.is === "found" ? source.value.commit : undefined;
  const judged = judgementOf(owner, stages, { commit, url: choice ? url : undefined });
  const image = build?.step.step === "use" ? build.step.image : undefined;
  const warnings = warningsOf(seen);
  const report = performed && "report" in performed ? performed.report : undefined;
  const nextTip = source?.is === "found" ? source.nextAt : undefined;
  return {
    ...judged,
    ...(judged.outcome ? { outcome: { ...judged.outcome, image: image ?? commit } } : {}),
    conditions: [...(judged.conditions ?? []), ...warnings],
    fields: fieldsOf(seen, { choice, url, stages, now }, judged.state === "ready"),
    lookAgainAt: earliest(judged.lookAgainAt, report?.lookAgainAt, nextTip),
  };
}

function fieldsOf(seen: Seen, { choice, url }: Told, isReady: boolean): Record<string, unknown> {
  const { owner, source, build, performed } = seen;
  const { status } = owner;
  const commit = source?.is === "found" ? source.value.commit : status?.commit;
  const report = performed && "report" in performed ? performed.report : undefined;
  const step = build?.step;
  const fields = {
    url: choice ? url : status?.url,
    host: fullHostOf(seen),
    namespace: environmentNamespace(owner),
    project: keyOf(seen.project!),
    commit,
    image: step?.step === "use" ? step.image : seen.project!.spec.build ? status?.image : undefined,
    buildJob: build && step?.step !== "use" ? jobOf(seen) : undefined,
    service: choice?.how === "own" ? choice.backend.service : choice ? undefined : status?.service,
    deployed: report?.inventory ?? status?.deployed,
    revision: report?.deployed ?? status?.revision,
    deployedCommit: isReady ? commit : status?.deployedCommit,
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** While the registry is asked it is not known whether a Job is needed. */
function jobOf({ build, owner }: Seen): string | undefined {
  return build!.objects.length > 0 || build!.step.step === "fail" ? build!.name : owner.status?.buildJob;
}

function expired(seen: Seen, expiresAt: number): Plan {
  const message = `Its time was over at ${rfc3339(expiresAt)}; it is being deleted`;
  const outcome = { outcome: "Expired", reason: "Expired" };
  const { fields, inventory } = keptReport(seen);
  const report: Report = { phase: "Terminating", state: "reconciling", reason: "Expired", message, outcome };
  return { report: { ...report, fields: { ...fields, expiresAt: rfc3339(expiresAt) }, inventory }, deleteOwner: true };
}

function withExpiry(plan: Plan, { expiresAt, warnAt }: Partial<Lifetime>, now: number): Plan {
  const { expiresAt: _, ...fields } = plan.report.fields ?? {};
  if (expiresAt === undefined) return { ...plan, report: { ...plan.report, fields } };
  const isSoon = isExpiring({ warnAt }, now);
  const expiring: Finding[] = isSoon ? [expiringFinding(expiresAt)] : [];
  const report = {
    ...plan.report,
    fields: { ...fields, expiresAt: rfc3339(expiresAt) },
    conditions: [...(plan.report.conditions ?? []), ...expiring],
    lookAgainAt: earliest(plan.report.lookAgainAt, isSoon ? expiresAt : warnAt),
  };
  return { ...plan, report };
}

function expiringFinding(expiresAt: number): Finding {
  const message = `Will be deleted at ${rfc3339(expiresAt)}; annotation "maquette.dev/extend-until" keeps it longer`;
  return { type: "Expiring", status: "True", reason: "Expiring", message };
}

function earliest(...times: (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length > 0 ? Math.min(...known) : undefined;
}
