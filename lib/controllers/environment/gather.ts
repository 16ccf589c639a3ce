/**
 * Everything that is read for one Environment, in one place: caches, and what is read slowly beside the reconciles, as
 * far as it is known.
 *
 * @module
 */
import { ENVIRONMENT, type Environment } from "../../api/environment.ts";
import { LABEL_DEPLOYED } from "../../api/names.ts";
import type { KubeObject } from "../../api/object.ts";
import { PROJECT, type Project } from "../../api/project.ts";
import { INGRESS, JOB, NAMESPACE, POD, ROLE_BINDING, SECRET } from "../../api/resources.ts";
import { BUILD_LABEL, isBuildJob } from "../../build/names.ts";
import type { DeploymentReport, DeploymentRequest } from "../../deploy/deployment.ts";
import { DEPLOYED_NEEDS } from "../../deploy/watched_kinds.ts";
import {
  BY_PROJECT,
  entitledProject,
  environmentNamespace,
  isNested,
  type Known,
  usedProject,
} from "../../environment_names.ts";
import { type HostClaim, hostClaim, rivalsOf } from "../../hosts.ts";
import type { Fetched } from "../../render/renderer.ts";
import { childKey } from "../../runtime/changes.ts";
import type { GatherDeps } from "../../runtime/definition.ts";
import type { Stalled, Waiting } from "../../runtime/errors.ts";
import { firstFailure, type PodFailure } from "../../workload/pod_failure.ts";
import { type BuildSettings, seeBuild, type SeenBuild } from "./build.ts";
import { fullHostOf, obstacleOf, type SeenEnvironment } from "./checks.ts";
import { reservedNames } from "./desired.ts";
import { deploymentRequest } from "./deployment.ts";
import { INGRESS_NAME } from "./ingress.ts";
import { secretMarks } from "./lent.ts";
import { type Kept, type Prepared, readKept, type RenderingInput, renderingKey } from "./rendering.ts";
import { renderNow } from "./render_now.ts";
import type { EnvironmentSettings } from "./settings.ts";
import { askSource } from "./source.ts";
import { secretKeys, sourceKey } from "./sources.ts";
import type { Steady } from "./steady_lookups.ts";
import { possibleNamespaces } from "./target_namespace.ts";
import type { EnvironmentTools } from "./tools.ts";

/** What the deployment of a revision came to, just before, and the rendering that it was of. */
export type Performed =
  & { revision: string; kept: Kept }
  & ({ report: DeploymentReport } | { error: Stalled | Waiting });

/** What a decision about one Environment rests on. What is absent was not asked for: its turn has not come. */
export interface Seen extends SeenEnvironment {
  /** The Ingress that is ours, as it is. */
  ingress?: KubeObject;
  source?: Steady<Fetched>;
  build?: SeenBuild;
  rendering?: Steady<Prepared>;
  /** The rendering as it is kept, where there is one. */
  kept?: Kept;
  /** Of the rendering. */
  deployment?: DeploymentRequest;
  /** It may be of another revision than the one that is to be deployed by now: {@link isCurrent}. */
  performed?: Performed;
  /** The first Pod of what is deployed that does not run, and the end of its log. */
  failure?: PodFailure;
  log: string;
}

/** What gathering needs. */
export interface EnvironmentDeps extends GatherDeps {
  settings: EnvironmentSettings;
  builds: BuildSettings;
  /** Absent where nothing is fetched, built or deployed: in a plan. */
  tools?: EnvironmentTools;
}

/** Reads what is needed to go on from where the environment stands. */
export async function gather(owner: Environment, from: EnvironmentDeps, performed?: Performed): Promise<Seen> {
  const world = surroundings(owner, from);
  const before = performed ? { performed } : {};
  const seen: Seen = { ...world, ingress: ownIngressOf(world), log: "", ...before };
  const { project } = world;
  const { tools } = from;
  if (!project || !tools || obstacleOf(world)) return seen;
  const deps = { ...from, tools };
  const login = secretNamed(project, project.spec.source.secretRef?.name, world);
  seen.source = askSource(owner, { project, login }, deps);
  if (seen.source.is !== "found") return seen;
  const { commit, path } = seen.source.value;
  tools.checkouts.use(owner.metadata.uid!, path);
  const push = secretNamed(project, project.spec.build?.pushSecretRef?.name, world);
  const { siblings } = world;
  const asked = { project, siblings, commit, secrets: { login, push } };
  seen.build = await seeBuild(owner, asked, { ...deps, options: from.builds });
  if (seen.build && seen.build.step.step !== "use") return seen;
  const known = askRendering(seen, { ...deps, fetched: seen.source.value, login });
  if (known.is !== "found") return { ...seen, rendering: known };
  seen.kept = readKept(known.value, performed?.kept);
  const { value } = seen.kept;
  seen.rendering = { ...known, value };
  if (value.refused.length > 0) return seen;
  const marks = secretMarks(seen);
  if (!marks) return seen;
  const input = renderingInput(seen, commit, "");
  const given = { ...value, marks, binding: bindingOf(owner, from) };
  seen.deployment = deploymentRequest(input, given, from.clock.now());
  return performed && isCurrent(seen) ? { ...seen, ...await troubleOf(owner, performed, deps) } : seen;
}

/** Whether what was performed is what is to be deployed: a push may have come in between. */
export function isCurrent({ deployment, performed }: Pick<Seen, "deployment" | "performed">): boolean {
  return deployment !== undefined && deployment.revision === performed?.revision;
}

function surroundings(owner: Environment, { cache, settings }: EnvironmentDeps): SeenEnvironment {
  const known = knownBy(cache);
  const key = usedProject(owner, (each) => known.projects.get(each) !== undefined);
  const project = key === undefined ? undefined : known.projects.get(key) as Project;
  const environments = cache(ENVIRONMENT.resource, "all");
  const siblings = key === undefined
    ? []
    : environments.indexed(BY_PROJECT, key).filter((other) =>
      !other.metadata.deletionTimestamp && entitledProject(other as Environment, known) === key
    );
  const secrets = cache(SECRET, "all");
  const named = project ? secretKeys(project, settings) : [];
  const found = named.map((name) => [name, secrets.get(name)] as const)
    .filter(([, secret]) => secret && !secret.metadata.deletionTimestamp);
  return {
    owner,
    settings,
    isNested: isNested(owner, known),
    project,
    siblings: siblings as Environment[],
    rivals: rivalClaims(owner, { cache, settings }),
    secrets: new Map(found as [string, KubeObject][]),
    lent: lentTo(owner, cache),
    ingresses: ingressesOf(owner, cache),
    children: childrenOf(owner, cache),
  };
}

function knownBy(cache: GatherDeps["cache"]): Known {
  return { projects: cache(PROJECT.resource, "all"), namespaces: cache(NAMESPACE, "all") };
}

function secretNamed(project: Project, name: string | undefined, { secrets }: SeenEnvironment): KubeObject | undefined {
  const { namespace = "default" } = project.metadata;
  return name === undefined ? undefined : secrets.get(sourceKey({ namespace, name }));
}

/** An Environment that may not use its Project is about to take no host, however old it is; what it has it keeps. */
function rivalClaims(
  owner: Environment,
  { cache, settings: { domain } }: Pick<EnvironmentDeps, "cache" | "settings">,
): HostClaim[] {
  const known = knownBy(cache);
  return rivalsOf(owner, domain, (kind) => cache(kind, "all")).map((other) => {
    const claim = hostClaim(other, domain);
    const isIdle = other.kind === owner.kind && entitledProject(other as Environment, known) === undefined;
    return isIdle ? { ...claim, wanted: [] } : claim;
  });
}

function lentTo(owner: Environment, cache: GatherDeps["cache"]): KubeObject[] {
  const { uid = "" } = owner.metadata;
  const namespaces = possibleNamespaces(owner);
  const secrets = cache(SECRET, "children").ownedBy(uid).filter(({ metadata }) =>
    metadata.labels?.[LABEL_DEPLOYED] === undefined
  );
  return [...secrets, ...cache(JOB, "children").ownedBy(uid).filter(isBuildJob)].filter(({ metadata }) =>
    namespaces.includes(metadata.namespace ?? "") && !metadata.deletionTimestamp
  );
}

function childrenOf({ metadata: { uid = "" } }: Environment, cache: GatherDeps["cache"]): Set<string> {
  const all = [
    ...cache(NAMESPACE, "all").ownedBy(uid),
    ...DEPLOYED_NEEDS.flatMap(({ resource, scope }) => cache(resource, scope).ownedBy(uid)),
  ];
  return new Set(all.filter(({ metadata }) => !metadata.deletionTimestamp).map(childKey));
}

function ingressesOf(owner: Environment, cache: GatherDeps["cache"]): KubeObject[] {
  const { uid = "" } = owner.metadata;
  const namespaces = possibleNamespaces(owner);
  return cache(INGRESS, "children").ownedBy(uid).filter(({ metadata }) =>
    namespaces.includes(metadata.namespace ?? "") && !metadata.deletionTimestamp
  );
}

function ownIngressOf({ owner, ingresses }: SeenEnvironment): KubeObject | undefined {
  const namespace = environmentNamespace(owner);
  return ingresses.find(({ metadata }) => metadata.name === INGRESS_NAME && metadata.namespace === namespace);
}

function bindingOf(owner: Environment, { cache }: Pick<GatherDeps, "cache">): KubeObject | undefined {
  return cache(ROLE_BINDING, "children").ownedBy(owner.metadata.uid!)[0];
}

function renderingInput(seen: Seen, commit: string, kubeVersion: string): RenderingInput {
  const { owner, settings, build } = seen;
  const project = seen.project!;
  const step = build?.step;
  const image = step?.step === "use"
    ? { image: { repository: build!.request.image, tag: commit, digest: step.digest } }
    : {};
  const reserved = reservedNames(seen);
  return { owner, project, settings, commit, host: fullHostOf(seen), kubeVersion, reserved, ...image };
}

function askRendering(
  seen: Seen,
  deps: EnvironmentDeps & { tools: EnvironmentTools; fetched: Fetched; login?: KubeObject },
): Steady<string> {
  const { owner } = seen;
  const { tools, fetched } = deps;
  const wake = (): void => deps.wake(owner);
  const version = tools.versions.ask("", { look: () => tools.kubeVersion(), wake, freshMs: 600_000 });
  if (version.is !== "found") return version;
  const input = renderingInput(seen, fetched.commit, version.value);
  return tools.renderings.ask(owner.metadata.uid!, renderingKey(input), {
    look: (signal) => renderNow(input, { ...deps, signal }),
    wake,
  });
}

async function troubleOf(
  owner: Environment,
  performed: Performed,
  deps: EnvironmentDeps & { tools: EnvironmentTools },
): Promise<Pick<Seen, "failure" | "log">> {
  if (!("report" in performed) || performed.report.state === "ready") return { log: "" };
  const names = performed.report.pending.map(({ object }) => `${object.metadata.name}-`);
  const namespace = environmentNamespace(owner);
  const pods = deps.cache(POD, "children").ownedBy(owner.metadata.uid!).filter(({ metadata }) =>
    metadata.namespace === namespace && metadata.labels?.[BUILD_LABEL] === undefined &&
    names.some((name) => metadata.name.startsWith(name))
  );
  const failure = firstFailure(pods);
  return failure ? { failure, log: await deps.tools.deploying.logs.tail(failure, deps.kube) } : { log: "" };
}
