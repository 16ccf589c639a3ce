/**
 * The environment's own objects: its namespace as one unit, what builds, and the way in. Pure.
 *
 * @module
 */
import type { KubeObject } from "../../api/object.ts";
import { childKey } from "../../runtime/changes.ts";
import type { Backend } from "../../workload/exposure.ts";
import { foundSecrets, fullHostOf, type SeenEnvironment } from "./checks.ts";
import type { Seen } from "./gather.ts";
import { chooseIngress, explicitService, INGRESS_NAME, type IngressChoice, ownIngress } from "./ingress.ts";
import { releaseName } from "./rendering.ts";
import { targetNamespaceObjects } from "./target_namespace.ts";
import { environmentNames } from "../../environment_names.ts";

/** The namespace and all that stands in it whatever is deployed. */
export function ownObjects(seen: SeenEnvironment): KubeObject[] {
  const { owner, project, settings } = seen;
  if (!project) return [];
  return targetNamespaceObjects(owner, project, { settings, host: fullHostOf(seen), secrets: foundSecrets(seen) });
}

/** The environment's own objects, `kind/name`: nothing that is deployed may take the place of one. */
export function reservedNames(seen: SeenEnvironment): Set<string> {
  const own = ownObjects(seen).map(({ kind, metadata }) => `${kind}/${metadata.name}`);
  return new Set([...own, `Ingress/${INGRESS_NAME}`]);
}

/** Everything that is wanted now. @param choice How the environment is reached, where that is known. */
export function desiredObjects(seen: Seen, choice: IngressChoice | undefined): KubeObject[] {
  const objects = new Map<string, KubeObject>();
  const ingress = choice ? chosenIngress(seen, choice) : keptIngress(seen);
  for (const object of [...ownObjects(seen), ...(seen.build?.objects ?? []), ...ingress]) {
    if (!objects.has(childKey(object))) objects.set(childKey(object), object);
  }
  return [...objects.values()];
}

/** How the environment is reached; nothing while that is not known, or what was deployed before is to go on serving. */
export function ingressChoice(seen: Seen): IngressChoice | undefined {
  const { owner, project, rendering } = seen;
  if (!project || rendering?.is !== "found") return undefined;
  const { objects, refused } = rendering.value;
  const deployed = { objects, release: releaseName(owner), project: environmentNames(owner).project };
  const choice = chooseIngress(deployed, explicitService(owner, project));
  const goesOn = leadsElsewhere(seen, choice) && !mayMove(seen, { choice, isRefused: refused.length > 0 });
  return goesOn ? undefined : choice;
}

/** Whether our Ingress is there and is not, or not yet, what was chosen. */
export function leadsElsewhere(seen: Pick<Seen, "ingress">, choice: IngressChoice): boolean {
  const backend = backendOf(seen);
  if (!backend || choice.how === "unclear") return false;
  return choice.how !== "own" ||
    `${choice.backend.service}:${choice.backend.port}` !== `${backend.service}:${backend.port}`;
}

/**
 * Our Ingress moves when what it will lead to is rolled out. It makes room before that for one of the source, because
 * ingress controllers refuse a second one for a host.
 */
function mayMove(seen: Seen, { choice, isRefused }: { choice: IngressChoice; isRefused: boolean }): boolean {
  if (isRefused) return false;
  return choice.how === "deployed" || isRolledOut(seen);
}

function isRolledOut({ owner, deployment, performed }: Seen): boolean {
  const report = performed && "report" in performed ? performed.report : undefined;
  const revision = report?.deployed ?? owner.status?.revision;
  return deployment !== undefined && deployment.revision === revision;
}

function chosenIngress(seen: Seen, choice: IngressChoice): KubeObject[] {
  // Where somebody must say how, what was there before goes on.
  if (choice.how === "unclear") return keptIngress(seen);
  if (choice.how !== "own") return [];
  return [ingressTo(seen, choice.backend)];
}

function ingressTo(seen: Seen, backend: Backend): KubeObject {
  const { owner, settings } = seen;
  return ownIngress(owner, { host: fullHostOf(seen), backend }, settings);
}

/** What leads in goes on doing so while a newer commit is on its way. */
function keptIngress(seen: Seen): KubeObject[] {
  const backend = backendOf(seen);
  return backend ? [ingressTo(seen, backend)] : [];
}

/** What our Ingress leads to. */
function backendOf({ ingress }: Pick<Seen, "ingress">): Backend | undefined {
  const service = ingress?.spec?.rules?.[0]?.http?.paths?.[0]?.backend?.service;
  const port = service?.port?.number ?? service?.port?.name;
  return port === undefined ? undefined : { service: service.name, port };
}
