/**
 * What is to be said about one Project. It has no children: its Environments have. Pure.
 *
 * ```
 *  (none) → Ready ◄── mended ── Failed: a Secret that it names is missing
 *  any: deleted → Terminating, until its Environments are gone → (gone)
 * ```
 *
 * @module
 */
import type { Environment } from "../../api/environment.ts";
import { type Condition, keyOf } from "../../api/object.ts";
import type { Project } from "../../api/project.ts";
import type { Plan } from "../../runtime/definition.ts";
import type { Report } from "../../runtime/status.ts";

/** More names than these are counted. */
const MOST_NAMES = 10;

/** What a decision about one Project rests on. */
export interface SeenProject {
  owner: Project;
  /** Environments that use it; those on their way out, too. */
  environments: readonly Environment[];
  /** Names of the Secrets that are there, in its namespace. */
  secrets: ReadonlySet<string>;
}

/** See the module. */
export function decide(seen: SeenProject): Plan {
  const fields = fieldsOf(seen);
  const missing = missingSecrets(seen);
  if (missing.length > 0) {
    const message = `${missing.join("; ")}: Secrets are looked for in namespace "${seen.owner.metadata.namespace}"`;
    return { report: { phase: "Failed", state: "stalled", reason: "SecretMissing", message, fields } };
  }
  const { type, path } = seen.owner.spec.deployment;
  const message = `Environments can be made: ${type} at "${path}"`;
  return { report: { phase: "Ready", state: "ready", reason: "Ready", message, fields } };
}

/** What a Project says that is to be deleted, while Environments use it; undefined when none does. */
export function waitingFor({ environments }: Pick<SeenProject, "environments">): Report | undefined {
  if (environments.length === 0) return undefined;
  const names = environments.map(keyOf).sort();
  const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : "";
  const shown = names.slice(0, MOST_NAMES).map((name) => `"${name}"`).join(", ");
  const message = `Waits until its Environments are deleted: ${shown}${more}`;
  return { phase: "Terminating", state: "stalled", reason: "EnvironmentsExist", message };
}

function fieldsOf({ environments }: SeenProject): Record<string, unknown> {
  const ready = environments.filter((each) => readyCondition(each)?.status === "True");
  const last =
    ready.map((each) => ({ at: readyCondition(each)!.lastTransitionTime, commit: each.status!.deployedCommit }))
      .filter(({ commit }) => commit !== undefined)
      .sort((a, b) => a.at < b.at ? 1 : -1)[0];
  return {
    environments: environments.length,
    readyEnvironments: ready.length,
    ...(last ? { lastCommit: last.commit } : {}),
  };
}

function readyCondition({ status }: Environment): Condition | undefined {
  return status?.conditions?.find(({ type }) => type === "Ready");
}

/** Every Secret that is named and not there, with where it is named. */
function missingSecrets({ owner, secrets }: SeenProject): string[] {
  const { source, build, secrets: copied = [] } = owner.spec;
  const named: [field: string, name: string | undefined][] = [
    ["source.secretRef", source.secretRef?.name],
    ["build.pushSecretRef", build?.pushSecretRef?.name],
    ...copied.map((name): [string, string] => ["secrets", name]),
  ];
  return named.filter(([, name]) => name !== undefined && !secrets.has(name))
    .map(([field, name]) => `Secret "${name}", named by ${field}, does not exist`);
}
