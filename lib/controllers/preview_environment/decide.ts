/**
 * What is to be done about one PreviewEnvironment and what is to be said. Pure: it powers `maquette plan`, too.
 *
 * @module
 */
import { chooseHost, hostClaim, hostProblem, strayIngresses } from "../../hosts.ts";
import { targetNamespace } from "../../preview_names.ts";
import type { Plan } from "../../runtime/definition.ts";
import { type Finding, type Report, rfc3339 } from "../../runtime/status.ts";
import {
  hasExpired,
  heldAmounts,
  isExpiring,
  isNamespaceReserved,
  missingSource,
  refusedSource,
  type Verdict,
  verdictOn,
} from "./checks.ts";
import { desiredObjects, fullImage, urlOf } from "./desired.ts";
import { type Expiry, expiryOf } from "./expiry.ts";
import type { Seen } from "./gather.ts";

/** @param now Milliseconds since the epoch. */
export function decide(seen: Seen, now: number): Plan {
  const { owner, settings, template } = seen;
  const expiry = expiryOf(owner, now, settings.maxTtlSeconds);
  const claim = hostClaim(owner, settings.domain);
  const taken = hostProblem(chooseHost(claim, seen.rivals));
  const common = commonReport(seen, { expiry, hasHost: !taken }, now);
  if (hasExpired(expiry, now)) return expired(seen, common, expiry);
  const problem = namespaceProblem(seen) ?? taken ?? sourceProblem(seen);
  if (problem) {
    const revoked = strayIngresses(claim, seen.rivals, seen.ingresses);
    return { revoked, report: { ...common, phase: "Failed", state: "stalled", ...problem } };
  }
  const verdict = verdictOn(seen, now);
  const lookAgainAt = earliest(common.lookAgainAt, verdict.is === "ready" ? undefined : verdict.lookAgainAt);
  return {
    desired: desiredObjects(owner, settings, { sources: seen.sources.values(), template, held: heldAmounts(seen) }),
    report: { ...common, ...judged(seen, verdict), lookAgainAt },
  };
}

/** Admission says so first; this holds where it was not asked. */
function namespaceProblem(seen: Seen): Pick<Report, "reason" | "message"> | undefined {
  if (!isNamespaceReserved(seen)) return undefined;
  return { reason: "NamespaceReserved", message: `Namespace "${targetNamespace(seen.owner.spec)}" is reserved` };
}

function sourceProblem(seen: Seen): Pick<Report, "reason" | "message"> | undefined {
  const refused = refusedSource(seen);
  if (refused) {
    const message = `Secret "${refused.name}" has the name of the environment's certificate, whose key no Pod may ` +
      "read; rename it";
    return { reason: "SourceRefused", message };
  }
  const missing = missingSource(seen);
  if (!missing) return undefined;
  const message = `${missing.kind} "${missing.name}" does not exist in namespace "${missing.namespace}"`;
  return { reason: "SourceMissing", message };
}

function earliest(...times: (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length > 0 ? Math.min(...known) : undefined;
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
    // What is over is not about to be.
    conditions: [],
    lookAgainAt: undefined,
  };
  return { report, deleteOwner: true };
}

type CommonReport = Pick<Report, "fields" | "conditions" | "lookAgainAt">;

interface Known {
  expiry: Expiry;
  /** An URL at somebody else's host would lead to somebody else. */
  hasHost: boolean;
}

function commonReport({ owner, settings }: Seen, { expiry, hasHost }: Known, now: number): CommonReport {
  const { updatedAt, expiresAt, warnAt } = expiry;
  const expiring = isExpiring(expiry, now);
  return {
    fields: {
      ...(hasHost ? { url: urlOf(owner, settings) } : {}),
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
