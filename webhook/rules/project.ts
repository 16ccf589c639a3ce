/**
 * Admission of the kind Project (SPEC section 5). Pure.
 *
 * Mutating fills in the labels `catalyst.dev/team` and `catalyst.dev/project` from namespace and name.
 *
 * @module
 */
import { LABEL_PROJECT, LABEL_TEAM } from "../../lib/api/names.ts";
import { keyOf, type KubeObject } from "../../lib/api/object.ts";
import { PROJECT } from "../../lib/api/project.ts";
import { compareQuantities, isQuantity } from "../../lib/api/quantity.ts";
import { isObject } from "../../lib/api/schema.ts";
import type { Problem } from "../../lib/api/validate.ts";
import { projectNames } from "../../lib/environment_names.ts";
import { policyProblems } from "../../lib/image/policy.ts";
import { parseReference } from "../../lib/image/reference.ts";
import { type AdmissionContext, type AdmissionRules, type Change, isFieldChanged, specOf } from "./admission_rules.ts";
import { pauseWarnings, withFinalizer, withLabels } from "./shared.ts";

/** A tenth of what etcd takes as one object; every render reads them. */
const MAX_VALUES_BYTES = 131_072;
const QUOTAS = ["cpu", "memory"] as const;

/** The rules. */
export const PROJECT_RULES: AdmissionRules = {
  kind: PROJECT,
  mutate: ({ object, old }) => ({
    object: withNames(old === undefined ? withFinalizer(object) : object),
    warnings: [],
  }),
  specProblems: (change, context) => [...valuesProblems(change), ...imageProblems(change, context)],
  metadataProblems: () => [],
  warnings: (change, context) => [
    ...sourceWarnings(change),
    ...valuesWarnings(change),
    ...quotaWarnings(change),
    ...capWarnings(change, context),
    ...pauseWarnings(change),
  ],
  // Images are made under the repository, later; it names none itself.
  newImages: () => [],
};

function withNames(object: KubeObject): KubeObject {
  // The API server makes up a generated name only after this.
  if (!object.metadata.name) return object;
  const { team, project } = projectNames(object);
  return withLabels(object, { [LABEL_TEAM]: team, [LABEL_PROJECT]: project });
}

/** A part of the spec that is an object, empty where it is not. */
function partOf(change: Change, name: string): Readonly<Record<string, unknown>> {
  const part = specOf(change.object)[name];
  return isObject(part) ? part : {};
}

function valuesProblems(change: Change): Problem[] {
  const { values } = partOf(change, "deployment");
  if (!isObject(values)) return [];
  const bytes = new TextEncoder().encode(JSON.stringify(values)).length;
  if (bytes <= MAX_VALUES_BYTES) return [];
  const message = `Must have at most ${MAX_VALUES_BYTES} bytes as JSON: ${bytes}; keep more in a file of the chart`;
  return [{ field: "spec.deployment.values", message }];
}

/** Registries only: the tag is the commit, and what runs has a digest. */
function imageProblems(change: Change, { config }: AdmissionContext): Problem[] {
  const { image } = partOf(change, "build");
  if (typeof image !== "string") return [];
  const parsed = parseReference(image);
  if (!parsed.ok) return [{ field: "spec.build.image", message: parsed.problem }];
  const policy = { ...config, allowLatest: true, requireDigest: false };
  return policyProblems(parsed.reference, policy).map((message) => ({ field: "spec.build.image", message }));
}

function sourceWarnings(change: Change): string[] {
  const { repositoryUrl: url, secretRef } = partOf(change, "source");
  if (typeof url !== "string" || !url.startsWith("http://") || !isFieldChanged(change, "source")) return [];
  const what = isObject(secretRef) ? "source code and credentials travel" : "source code travels";
  return [`spec.source.repositoryUrl: Without https, ${what} in the open`];
}

function valuesWarnings(change: Change): string[] {
  const { type, values } = partOf(change, "deployment");
  const isIdle = isObject(values) && Object.keys(values).some((name) => name !== "maquette");
  if (!isIdle || type === "helm" || !isFieldChanged(change, "deployment")) return [];
  return [`spec.deployment.values: Only charts have values: they do nothing for type "${type}"`];
}

function quotaWarnings(change: Change): string[] {
  const { defaultQuota } = partOf(change, "resources");
  if (!isObject(defaultQuota) || !isFieldChanged(change, "resources")) return [];
  const none = QUOTAS.filter((name) =>
    isQuantity(defaultQuota[name]) && compareQuantities(defaultQuota[name], 0) === 0
  );
  return none.map((name) => `spec.resources.defaultQuota.${name}: Is nothing: no Pod can start`);
}

/** A cap that comes later ends no environment. */
function capWarnings(change: Change, { tenants }: AdmissionContext): string[] {
  const { maxEnvironments: cap } = specOf(change.object);
  if (typeof cap !== "number" || change.old === undefined || !isFieldChanged(change, "maxEnvironments")) return [];
  const { length } = tenants.environmentsOf(keyOf(change.object));
  return length > cap ? [`spec.maxEnvironments: There are ${length} already; none of them is ended`] : [];
}
