/**
 * Admission of the kind PreviewEnvironment (SPEC section 3). Pure.
 *
 * @module
 */
import { PREVIEW_ENVIRONMENT } from "../../lib/api/preview_environment.ts";
import type { Problem } from "../../lib/api/validate.ts";
import { hostname, type PreviewIdentity, targetNamespace } from "../../lib/preview_names.ts";
import {
  type AdmissionContext,
  type AdmissionRules,
  type Change,
  isFieldChanged,
  type Mutation,
  specOf,
} from "./admission_rules.ts";
import { extensionProblems, extensionWarnings } from "./extension.ts";
import { hostProblems } from "./hosts.ts";
import { IMAGE_AND_TAG } from "./images.ts";
import { pauseWarnings, portWarnings, withFinalizer } from "./shared.ts";
import { type Target, targetProblems } from "./target.ts";
import { cutTtl, cutWarning, ttlProblems } from "./ttl.ts";

/** The rules. */
export const PREVIEW_ENVIRONMENT_RULES: AdmissionRules = {
  kind: PREVIEW_ENVIRONMENT,
  mutate,
  specProblems: (change, context) => [
    ...namespaceProblems(change, context),
    ...IMAGE_AND_TAG.problems(change, context),
    ...ttlProblems("spec.ttl_seconds", specOf(change.object).ttl_seconds, context.config.maxTtlSeconds),
  ],
  metadataProblems: extensionProblems,
  warnings: (change, context) => [
    ...IMAGE_AND_TAG.warnings(change),
    ...ttlWarnings(change),
    ...portWarnings(change),
    ...extensionWarnings(change, context),
    ...pauseWarnings(change),
  ],
  newImages: IMAGE_AND_TAG.newImages,
};

function mutate(change: Change, context: AdmissionContext): Mutation {
  const { object, warnings } = withTtl(change, context);
  return { object: change.old === undefined ? withFinalizer(object) : object, warnings };
}

/**
 * Fills in the default TTL and cuts what is over the maximum.
 *
 * An environment that has lived without a TTL gets none by an update: counted from its creation it could be over at
 * once.
 */
function withTtl({ object, old }: Change, { config }: AdmissionContext): Mutation {
  const unchanged = { object, warnings: [] };
  const spec = specOf(object);
  const max = config.maxTtlSeconds || Infinity;
  const ttl = spec.ttl_seconds ?? undefined;
  if (ttl === undefined) {
    const isWanted = config.defaultTtlSeconds > 0 && (old === undefined || specOf(old).ttl_seconds !== undefined);
    if (!isWanted || spec !== object.spec) return unchanged;
    return { object: withSpec({ ttl_seconds: Math.min(config.defaultTtlSeconds, max) }), warnings: [] };
  }
  const cut = cutTtl(ttl, config.maxTtlSeconds);
  if (cut === undefined) return unchanged;
  return { object: withSpec({ ttl_seconds: cut }), warnings: [cutWarning("spec.ttl_seconds", ttl, cut)] };

  function withSpec(fields: Record<string, unknown>): Mutation["object"] {
    return { ...object, spec: { ...spec, ...fields } };
  }
}

function ttlWarnings(change: Change): string[] {
  const ttl = specOf(change.object).ttl_seconds ?? undefined;
  if (ttl !== undefined || !isFieldChanged(change, "ttl_seconds")) return [];
  return ["spec.ttl_seconds: Is not set: the environment lives until it is deleted"];
}

function namespaceProblems(change: Change, context: AdmissionContext): Problem[] {
  const target = targetOf(change);
  if (target === undefined) return [];
  const problems = targetProblems(target, change, context);
  return problems.length > 0 ? problems : sharedHostProblems(change, context);
}

/** An explicit namespace does not change the host: two environments of one pull request would share its traffic. */
function sharedHostProblems(change: Change, context: AdmissionContext): Problem[] {
  const identity = identityOf(change);
  if (identity === undefined || change.old !== undefined) return [];
  const names = [hostname(identity, context.config.domain)];
  return hostProblems({ names, field: identity.repository ? "spec.repository" : "spec.pr_number" }, change, context);
}

/** Undefined where a field that it follows from has not the type that its schema wants. */
function targetOf(change: Change): Target | undefined {
  const { namespace } = specOf(change.object);
  if (typeof namespace === "string" && namespace !== "") return { name: namespace, field: "spec.namespace" };
  const identity = identityOf(change);
  if (identity === undefined || !isTextOrAbsent(namespace)) return undefined;
  return { name: targetNamespace(identity), field: identity.repository ? "spec.repository" : "spec.pr_number" };
}

/** What host and namespace are made of, without an explicit namespace. */
function identityOf({ object }: Change): PreviewIdentity | undefined {
  const { pr_number, repository } = specOf(object);
  if (typeof pr_number !== "number" || !isTextOrAbsent(repository)) return undefined;
  return { pr_number, repository: repository ?? undefined };
}

function isTextOrAbsent(value: unknown): value is string | null | undefined {
  return value === undefined || value === null || typeof value === "string";
}
