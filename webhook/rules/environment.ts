/**
 * Admission of the kind Environment (SPEC section 5). Pure.
 *
 * Mutating fills in the labels `catalyst.dev/team`, `project` and `environment` by lib/environment_names.ts, and cuts a
 * TTL that is over the maximum. No TTL is filled in: an Environment that names none (a deployment, say) lives until it
 * is deleted.
 *
 * What depends on the Project is judged where the Project is known. One that is not known is no reason to refuse: both
 * may come from one file, the cache a moment behind. The controller judges the same again.
 *
 * @module
 */
import { ENVIRONMENT } from "../../lib/api/environment.ts";
import { LABEL_ENVIRONMENT, LABEL_PROJECT, LABEL_TEAM } from "../../lib/api/names.ts";
import { keyOf, type KubeObject } from "../../lib/api/object.ts";
import type { Project } from "../../lib/api/project.ts";
import { isObject } from "../../lib/api/schema.ts";
import type { Problem } from "../../lib/api/validate.ts";
import {
  environmentHosts,
  type EnvironmentLike,
  environmentNames,
  environmentNamespace,
  mayUse,
  namespaceFor,
  projectKeys,
} from "../../lib/environment_names.ts";
import {
  type AdmissionContext,
  type AdmissionRules,
  type Change,
  isFieldChanged,
  type Mutation,
  specOf,
} from "./admission_rules.ts";
import { hostProblems } from "./hosts.ts";
import { pauseWarnings, withFinalizer, withLabels } from "./shared.ts";
import { targetProblems } from "./target.ts";
import { cutTtl, cutWarning, ttlProblems } from "./ttl.ts";

const SHORT_COMMIT = /^(?:[0-9a-f]{4,39}|[0-9a-f]{41,63})$/;

/** The rules. */
export const ENVIRONMENT_RULES: AdmissionRules = {
  kind: ENVIRONMENT,
  mutate,
  specProblems: (change, context) => [
    ...nestedProblems(change, context),
    ...projectProblems(change, context),
    ...namespaceProblems(change, context),
    ...takenHostProblems(change, context),
    ...ttlProblems("spec.ttlSeconds", specOf(change.object).ttlSeconds, context.config.maxTtlSeconds),
  ],
  metadataProblems: labelProblems,
  warnings: (change, context) => [
    ...projectWarnings(change, context),
    ...sourceWarnings(change),
    ...variableWarnings(change, context),
    ...pauseWarnings(change),
  ],
  newImages: () => [],
};

function mutate({ object, old }: Change, { config }: AdmissionContext): Mutation {
  const named = withNames(old === undefined ? withFinalizer(object) : object);
  const spec = specOf(object);
  const cut = cutTtl(spec.ttlSeconds, config.maxTtlSeconds);
  if (cut === undefined) return { object: named, warnings: [] };
  const warnings = [cutWarning("spec.ttlSeconds", spec.ttlSeconds, cut)];
  return { object: { ...named, spec: { ...spec, ttlSeconds: cut } }, warnings };
}

function withNames(object: KubeObject): KubeObject {
  const given = readable(object);
  // The API server makes up a generated name only after this.
  if (given === undefined || !given.metadata.name) return object;
  const { team, project, environment } = environmentNames(given);
  return withLabels(object, { [LABEL_TEAM]: team, [LABEL_PROJECT]: project, [LABEL_ENVIRONMENT]: environment });
}

/** Undefined where a field that names follow from has not the type that its schema wants. */
function readable(object: KubeObject): EnvironmentLike | undefined {
  const { projectRef, namespace } = specOf(object);
  if (!isObject(projectRef) || typeof projectRef.name !== "string") return undefined;
  const isRead = [projectRef.namespace, namespace].every((name) => (name ?? "") === "" || typeof name === "string");
  return isRead ? object as unknown as EnvironmentLike : undefined;
}

/** The Project that is meant, where it is known. */
function projectOf({ object }: Change, { tenants }: AdmissionContext): Project | undefined {
  const given = readable(object);
  return given && projectKeys(given).map((key) => tenants.project(key)).find((project) => project !== undefined);
}

/** To live in a namespace that somebody has had made proves nothing. */
function nestedProblems({ object }: Change, { tenants }: AdmissionContext): Problem[] {
  if (!tenants.isNested(object)) return [];
  const message = `"${object.metadata.namespace}" was made for an environment: no Environment may live in it`;
  return [{ field: "metadata.namespace", message }];
}

function projectProblems(change: Change, context: AdmissionContext): Problem[] {
  const project = projectOf(change, context);
  if (project === undefined) return [];
  if (mayUse(change.object, project)) return capProblems(change, project, context);
  const message = `Project "${keyOf(project)}" may not be used from namespace "${change.object.metadata.namespace}": ` +
    "its allowedNamespaces must list it";
  return [{ field: "spec.projectRef", message }];
}

function capProblems({ object, old }: Change, project: Project, { tenants }: AdmissionContext): Problem[] {
  const cap = project.spec.maxEnvironments;
  if (cap === undefined || old !== undefined) return [];
  const key = keyOf(project);
  const others = tenants.environmentsOf(key).filter((other) => keyOf(other) !== keyOf(object));
  if (others.length < cap) return [];
  const [oldest] = others;
  const advice = oldest
    ? `: delete one first; the oldest is "${keyOf(oldest)}", of ${oldest.metadata.creationTimestamp}`
    : "";
  const message = `Project "${key}" has ${others.length} of at most ${cap} Environments (maxEnvironments)${advice}`;
  return [{ field: "spec.projectRef.name", message }];
}

function namespaceProblems(change: Change, context: AdmissionContext): Problem[] {
  const given = readable(change.object);
  if (given === undefined) return [];
  const field = given.spec.namespace ? "spec.namespace" : "metadata.name";
  const name = environmentNamespace(given);
  // An explicit one that is too long is the schema's to refuse.
  return targetProblems({ name, field }, change, context);
}

/** It takes the host that is left; where none is, it could not be reached. */
function takenHostProblems(change: Change, context: AdmissionContext): Problem[] {
  const given = readable(change.object);
  if (given === undefined || change.old !== undefined || !given.metadata.name) return [];
  const names = environmentHosts(given, context.config.domain);
  return hostProblems({ names, field: "metadata.name" }, change, context);
}

/** The namespace was made by these names: others would mean another one, and the end of what runs in this. */
function labelProblems({ object, old }: Change): Problem[] {
  const [now, before] = [readable(object), old && readable(old)];
  if (now === undefined || before === undefined || before.spec.namespace) return [];
  const [name, made] = [now, before].map((given) => namespaceFor(environmentNames(given)));
  if (name === made) return [];
  const message = `Must go on to name namespace "${made}", not "${name}": delete the object and create it anew`;
  return [{ field: "metadata.labels", message }];
}

function projectWarnings(change: Change, context: AdmissionContext): string[] {
  const given = readable(change.object);
  if (given === undefined || change.old !== undefined || projectOf(change, context)) return [];
  const places = projectKeys(given).map((key) => `"${key}"`).join(" and ");
  return [`spec.projectRef: No Project ${places} is known yet: the environment waits for it`];
}

function sourceWarnings(change: Change): string[] {
  const { source } = specOf(change.object);
  if (!isObject(source) || !isFieldChanged(change, "source")) return [];
  const { commitSha } = source;
  if (commitSha === undefined || commitSha === null) {
    return ["spec.source: Without commitSha every push is deployed: the tip is looked up once a minute"];
  }
  if (typeof commitSha !== "string" || !SHORT_COMMIT.test(commitSha)) return [];
  return ["spec.source.commitSha: Is cut short: it may come to mean more than one commit"];
}

/** A variable whose Secret nobody brings keeps every container from starting. */
function variableWarnings(change: Change, context: AdmissionContext): string[] {
  const { config } = specOf(change.object);
  const project = projectOf(change, context);
  if (!project || !isObject(config) || !Array.isArray(config.envVars) || !isFieldChanged(change, "config")) return [];
  const copied = new Set(project.spec.secrets ?? []);
  return config.envVars.flatMap((variable, index) => {
    const name = variable?.valueFrom?.secretKeyRef?.name;
    if (typeof name !== "string" || copied.has(name) || variable.valueFrom.secretKeyRef.optional === true) return [];
    const field = `spec.config.envVars[${index}].valueFrom.secretKeyRef.name`;
    return [`${field}: "${name}" is not among the Project's secrets: what is deployed has to bring it`];
  });
}
