/**
 * What is to be done about one PreviewEnvironment and what is to be said. Pure: it powers `maquette plan`, too.
 *
 * @module
 */
import { targetNamespace } from "../../preview_names.ts";
import type { Plan } from "../../runtime/definition.ts";
import { type Finding, type Report, rfc3339 } from "../../runtime/status.ts";
import { hasExpired, isExpiring, missingSource, type Verdict, verdictOn } from "./checks.ts";
import { desiredObjects, fullImage, urlOf } from "./desired.ts";
import { type Expiry, expiryOf } from "./expiry.ts";
import type { Seen } from "./gather.ts";

/** @param now Milliseconds since the epoch. */
export function decide(seen: Seen, now: number): Plan {
  const { owner, settings } = seen;
  const expiry = expiryOf(owner, now, settings.maxTtlSeconds);
  const common = commonReport(seen, expiry, now);
  if (hasExpired(expiry, now)) return expired(seen, common, expiry);
  const missing = missingSource(seen);
  if (missing) {
    const message = `${missing.kind} "${missing.name}" does not exist in namespace "${missing.namespace}"`;
    return { report: { ...common, phase: "Failed", state: "stalled", reason: "SourceMissing", message } };
  }
  return {
    desired: desiredObjects(owner, settings, seen.sources.values()),
    report: { ...common, ...judged(seen, verdictOn(seen)) },
  };
}

type Judgement = Pick<Report, "phase" | "state" | "reason" | "message" | "outcome">;

function judged({ owner, settings }: Seen, verdict: Verdict): Judgement {
  const image = fullImage(owner.spec);
  if (verdict.is === "ready") {
    const message = `Image "${image}" serves at ${urlOf(owner, settings)}`;
    return {
      phase: "Ready",
      state: "ready",
      reason: "Ready",
      message,
      outcome: { outcome: "Ready", image, reason: "Ready" },
    };
  }
  const { reason, message } = verdict;
  if (verdict.is === "stuck") {
    return {
      phase: "Failed",
      state: "stalled",
      reason,
      message,
      outcome: { outcome: "Failed", image, reason, message },
    };
  }
  const phase = verdict.is === "degraded" ? "Degraded" : "Provisioning";
  return { phase, state: "reconciling", reason, message };
}

function expired({ owner }: Seen, common: CommonReport, { expiresAt }: Expiry): Plan {
  const message = `Its time was over at ${rfc3339(expiresAt!)}; it is being deleted`;
  const report: Report = {
    ...common,
    phase: "Expired",
    state: "reconciling",
    reason: "Expired",
    message,
    outcome: { outcome: "Expired", image: fullImage(owner.spec), reason: "Expired" },
    lookAgainAt: undefined,
  };
  return { report, deleteOwner: true };
}

type CommonReport = Pick<Report, "fields" | "conditions" | "lookAgainAt">;

function commonReport({ owner, settings }: Seen, expiry: Expiry, now: number): CommonReport {
  const { updatedAt, expiresAt, warnAt } = expiry;
  const expiring = isExpiring(expiry, now);
  return {
    fields: {
      url: urlOf(owner, settings),
      namespace: targetNamespace(owner.spec),
      image: fullImage(owner.spec),
      updatedAt: rfc3339(updatedAt),
      ...(expiresAt === undefined ? {} : { expiresAt: rfc3339(expiresAt) }),
    },
    conditions: expiring ? [expiringFinding(expiresAt!)] : [],
    lookAgainAt: expiring ? expiresAt : warnAt,
  };
}

function expiringFinding(expiresAt: number): Finding {
  const message = `Will be deleted at ${rfc3339(expiresAt)}; annotation "maquette.dev/extend-until" keeps it longer`;
  return { type: "Expiring", status: "True", reason: "Expiring", message };
}
