/**
 * What keeps an environment from being made at all: the facts, each named for what is wrong. Pure.
 *
 * ```
 *  (none) → Pending → Building → Deploying → Ready          how far it is: stages.ts
 *              ▲          │          │         │
 *              └─ mended ─┴─ Failed ◄┴─────────┘
 *  no Project yet → Pending; may not use it, over the cap, host or namespace of another, a Secret missing → Failed
 *  lives in the namespace of an environment → Failed
 *  any: deleted, or its time over → Terminating → (gone)
 * ```
 *
 * @module
 */
import type { Environment } from "../../api/environment.ts";
import { isOlder, keyOf, type KubeObject } from "../../api/object.ts";
import type { Project } from "../../api/project.ts";
import { environmentNamespace, mayUse, projectKeys } from "../../environment_names.ts";
import { chooseHost, type HostChoice, type HostClaim, hostClaim, hostProblem } from "../../hosts.ts";
import { isReservedNamespace } from "../../naming.ts";
import { childKey } from "../../runtime/changes.ts";
import type { Report } from "../../runtime/status.ts";
import { certificateSecret } from "../../workload/exposure.ts";
import type { EnvironmentSettings } from "./settings.ts";
import { projectSecrets, type SecretSource, secretSources, sourceKey } from "./sources.ts";

/** What was seen of the world around one Environment; what its stages come to is added by those who look after them. */
export interface SeenEnvironment {
  owner: Environment;
  settings: EnvironmentSettings;
  /** It lives in a namespace that was made for an environment. */
  isNested: boolean;
  /** The Project that it means, whether it may use it or not. */
  project?: Project;
  /** Environments that may use that Project and are not on their way out; this one may be among them. */
  siblings: readonly Environment[];
  /** Others that hold or want one of its hosts, of whatever kind. */
  rivals: readonly HostClaim[];
  /** Metadata of Secrets that are there, by {@link sourceKey}. */
  secrets: ReadonlyMap<string, KubeObject>;
  /** Copies of Secrets in its namespace, and Jobs of builds, as far as they are its own. */
  lent: readonly KubeObject[];
  /** Its Ingresses that are not on their way out, its own and those that are deployed. */
  ingresses: readonly KubeObject[];
  /** Children that are there and not on their way out, by `childKey` of the runtime. */
  children: ReadonlySet<string>;
}

/** Why nothing is made, and what is to be said of it. What is there already is left as it is. */
export type Obstacle = Pick<Report, "phase" | "state" | "reason" | "message">;

/** The first thing that is in the way. */
export function obstacleOf(seen: SeenEnvironment): Obstacle | undefined {
  const checks = [
    nested,
    missingProject,
    forbiddenProject,
    reservedNamespace,
    movedNamespace,
    exceededCap,
    takenHost,
    refusedSecret,
    missingSecret,
  ];
  for (const check of checks) {
    const found = check(seen);
    if (found) return found;
  }
  return undefined;
}

/** The host of the environment, or who has it. */
export function hostOf({ owner, settings, rivals }: SeenEnvironment): HostChoice {
  return chooseHost(hostClaim(owner, settings.domain), rivals)!;
}

/** Its name in DNS. */
export function fullHostOf(seen: SeenEnvironment): string {
  return hostOf(seen).host;
}

/** Those of the objects that are not there yet, as `Kind "name"`. */
export function missingObjects(desired: readonly KubeObject[], { children }: SeenEnvironment): string[] {
  return desired.filter((object) => !children.has(childKey(object)))
    .map(({ kind, metadata }) => `${kind} "${metadata.name}"`);
}

/** What is to be copied and there. */
export function foundSecrets({ project, settings, secrets }: SeenEnvironment): KubeObject[] {
  const sources = project ? secretSources(project, settings) : [];
  return sources.map((source) => secrets.get(sourceKey(source))).filter((secret) => secret !== undefined);
}

function failed(reason: string, message: string): Obstacle {
  return { phase: "Failed", state: "stalled", reason, message };
}

/** An environment's namespace is named by whoever writes the Environment: to live in one proves nothing. */
function nested({ owner, isNested }: SeenEnvironment): Obstacle | undefined {
  if (!isNested) return undefined;
  const message = `Namespace "${owner.metadata.namespace}" was made for an environment: no Environment may live in it`;
  return failed("NestedEnvironment", message);
}

/** It may come from the same file a moment later. */
function missingProject({ owner, project }: SeenEnvironment): Obstacle | undefined {
  if (project) return undefined;
  const places = projectKeys(owner).map((key) => `"${key}"`).join(" or ");
  const isRunning = owner.status?.namespace !== undefined;
  const message = `Waits for Project ${places}${isRunning ? "; what is deployed stays as it is" : ""}`;
  return { phase: "Pending", state: "reconciling", reason: "ProjectMissing", message };
}

function forbiddenProject({ owner, project }: SeenEnvironment): Obstacle | undefined {
  if (!project || mayUse(owner, project)) return undefined;
  const isRunning = owner.status?.namespace !== undefined;
  const message = `Project "${keyOf(project)}" may not be used from namespace "${owner.metadata.namespace}": its ` +
    `allowedNamespaces must list it${isRunning ? "; what is deployed serves on, without the Project's Secrets" : ""}`;
  return failed("ProjectForbidden", message);
}

/** Admission says so first; this holds where it was not asked. */
function reservedNamespace({ owner, settings }: SeenEnvironment): Obstacle | undefined {
  const { operatorNamespace, reservedNamespaces } = settings;
  const namespace = environmentNamespace(owner);
  if (!isReservedNamespace(namespace, [operatorNamespace, ...reservedNamespaces])) return undefined;
  return failed("NamespaceReserved", `Namespace "${namespace}" is reserved`);
}

/** Labels were changed behind admission's back. To follow them would end what runs in the namespace that there is. */
function movedNamespace({ owner }: SeenEnvironment): Obstacle | undefined {
  const made = owner.status?.namespace;
  const named = environmentNamespace(owner);
  if (made === undefined || made === named) return undefined;
  const message =
    `Its labels name namespace "${named}", but it was made in "${made}": set them back, or delete it and ` +
    "create it anew";
  return failed("NamespaceChanged", message);
}

/** Those that were let in stay; of the others the oldest come first. Admission cannot count what comes at once. */
function exceededCap({ owner, project, siblings }: SeenEnvironment): Obstacle | undefined {
  const cap = project?.spec.maxEnvironments;
  if (cap === undefined || owner.status?.namespace !== undefined) return undefined;
  const before = siblings.filter((other) =>
    other.metadata.uid !== owner.metadata.uid && (other.status?.namespace !== undefined || isOlder(other, owner))
  );
  if (before.length < cap) return undefined;
  const [oldest] = [...before].sort((a, b) => isOlder(a, b) ? -1 : 1);
  const advice = oldest ? `: delete one first; the oldest is "${keyOf(oldest)}"` : "";
  const has = `Project "${keyOf(project!)}" has ${before.length} of at most ${cap} Environments`;
  return failed("TooManyEnvironments", `${has} (maxEnvironments)${advice}`);
}

function takenHost(seen: SeenEnvironment): Obstacle | undefined {
  const problem = hostProblem(hostOf(seen));
  return problem && failed(problem.reason, problem.message);
}

/** A Secret that would take the place of the environment's certificate. */
function refusedSecret(seen: SeenEnvironment): Obstacle | undefined {
  const { project, settings } = seen;
  const certificate = certificateSecret(fullHostOf(seen), settings.tls);
  const refused = project && projectSecrets(project).find(({ name }) => name === certificate);
  if (!refused) return undefined;
  return failed("SecretRefused", `Secret "${refused.name}" has the name of the environment's certificate; rename it`);
}

function missingSecret({ project, settings, secrets }: SeenEnvironment): Obstacle | undefined {
  const sources: SecretSource[] = project ? secretSources(project, settings) : [];
  const missing = sources.find((source) => !secrets.has(sourceKey(source)));
  if (!missing) return undefined;
  const { name, namespace, namedBy } = missing;
  return failed("SecretMissing", `Secret "${name}", named by ${namedBy}, does not exist in namespace "${namespace}"`);
}
