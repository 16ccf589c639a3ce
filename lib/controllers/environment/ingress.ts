/**
 * How an environment is reached: by the Ingress that is deployed with it, else by one of ours to the Service that
 * serves. Which one that is, is said by the annotation `maquette.dev/service` of the Environment or by
 * `deployment.values.maquette` of the Project, else found by names and ports that everybody uses. Pure.
 *
 * @module
 */
import type { Environment } from "../../api/environment.ts";
import { ANNOTATION_SERVICE } from "../../api/names.ts";
import type { KubeObject } from "../../api/object.ts";
import type { Project } from "../../api/project.ts";
import { isObject } from "../../api/schema.ts";
import { environmentNamespace } from "../../environment_names.ts";
import { type Backend, ingressObject } from "../../workload/exposure.ts";
import type { EnvironmentSettings } from "./settings.ts";

/** Name of the Ingress that is ours. */
export const INGRESS_NAME = "maquette";
/** The entry of a Project's values that is for us. */
const OWN_VALUES = "maquette";
const WELL_KNOWN_NAMES = ["web", "app", "frontend"] as const;
const PORT_NAMES: readonly unknown[] = ["http", "web"];
const PORT_NUMBERS: readonly unknown[] = [80, 8080, 8000, 3000];

/** What is deployed, and the names that it may be called by. */
export interface Deployed {
  /** All objects that were rendered. */
  objects: readonly KubeObject[];
  /** Name of the release; of a chart, that names start with. */
  release: string;
  /** Name of the project. */
  project: string;
}

/** How an environment is reached. */
export type IngressChoice =
  /** By an Ingress of ours. */
  | { how: "own"; backend: Backend }
  /** By those that are deployed with it: they get the host. */
  | { how: "deployed"; ingresses: string[] }
  /** Not at all: nothing that is deployed serves. */
  | { how: "none"; message: string }
  /** Somebody must say how. */
  | { how: "unclear"; reason: "ServiceMissing" | "PortMissing" | "ServiceUnclear"; message: string };

interface ServicePort {
  name?: string;
  port: number;
  protocol?: string;
  appProtocol?: string;
}

/** The Service that somebody names, with or without a port. */
export interface ExplicitService {
  service: string;
  port?: number | string;
  /** Where it is named, for people. */
  namedBy: string;
}

/** Decides how an environment is reached. */
export function chooseIngress(deployed: Deployed, explicit?: ExplicitService): IngressChoice {
  const ingresses = ofKind(deployed, "Ingress").map(({ metadata }) => metadata.name);
  if (ingresses.length > 0) return { how: "deployed", ingresses };
  // A name elsewhere is nothing that traffic could be sent to.
  const services = ofKind(deployed, "Service").filter(({ spec }) => spec?.type !== "ExternalName");
  if (explicit) return explicitChoice(services, explicit);
  return services.length > 0
    ? foundChoice(services, deployed)
    : { how: "none", message: "Nothing that is deployed has a Service: there is no URL" };
}

/** The annotation of the Environment wins over the values of the Project. */
export function explicitService(owner: Environment, project: Project): ExplicitService | undefined {
  const annotation = owner.metadata.annotations?.[ANNOTATION_SERVICE];
  if (annotation) {
    const [service = "", port] = annotation.split(":");
    return { service, ...(port ? { port: asPort(port) } : {}), namedBy: `annotation "${ANNOTATION_SERVICE}"` };
  }
  const own = project.spec.deployment.values?.[OWN_VALUES];
  if (!isObject(own) || typeof own.service !== "string") return undefined;
  const { service, port } = own;
  const isPort = typeof port === "number" || typeof port === "string";
  return { service, ...(isPort ? { port: asPort(port) } : {}), namedBy: `deployment.values.${OWN_VALUES}.service` };
}

/** The values for the chart: without what is for us, which its schema may refuse. */
export function chartValues({ values = {} }: Project["spec"]["deployment"]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => name !== OWN_VALUES));
}

/** The Ingress that is ours, for {@link IngressChoice} `own`. */
export function ownIngress(
  owner: Environment,
  to: { host: string; backend: Backend },
  settings: EnvironmentSettings,
): KubeObject {
  return ingressObject({ name: INGRESS_NAME, namespace: environmentNamespace(owner) }, to, settings);
}

function ofKind({ objects }: Deployed, kind: string): KubeObject[] {
  return objects.filter((object) => object.kind === kind);
}

function asPort(port: number | string): number | string {
  return /^\d+$/.test(String(port)) ? Number(port) : port;
}

function portsOf(service: KubeObject): ServicePort[] {
  const ports: ServicePort[] = service.spec?.ports ?? [];
  return ports.filter(({ protocol = "TCP" }) => protocol === "TCP");
}

/** The port that speaks HTTP, by its name, else by its number. */
function httpPort(service: KubeObject): number | undefined {
  const ports = portsOf(service);
  const named = PORT_NAMES.map((name) => ports.find((port) => port.name === name || port.appProtocol === name));
  const numbered = PORT_NUMBERS.map((number) => ports.find(({ port }) => port === number));
  return [...named, ...numbered].find((port) => port !== undefined)?.port;
}

function explicitChoice(services: readonly KubeObject[], { service, port, namedBy }: ExplicitService): IngressChoice {
  const found = services.find(({ metadata }) => metadata.name === service);
  if (!found) {
    const message = `Service "${service}", named by ${namedBy}, is not deployed: ${listed(services)}`;
    return { how: "unclear", reason: "ServiceMissing", message };
  }
  const ports = portsOf(found);
  const chosen = port === undefined
    ? httpPort(found) ?? (ports.length === 1 ? ports[0]!.port : undefined)
    : ports.find((each) => each.port === port || each.name === port)?.port;
  if (chosen !== undefined) return { how: "own", backend: { service, port: chosen } };
  const known = ports.map((each) => each.name ? `${each.name} (${each.port})` : `${each.port}`).join(", ") || "none";
  const message = `Service "${service}" has ${port === undefined ? "several ports" : `no port ${port}`}: ${known}; ` +
    `name one in ${namedBy}`;
  return { how: "unclear", reason: "PortMissing", message };
}

function foundChoice(services: readonly KubeObject[], deployed: Deployed): IngressChoice {
  const serving = services.filter((service) => httpPort(service) !== undefined);
  const chosen = byName(serving, deployed) ?? (serving.length === 1 ? serving[0] : undefined);
  if (chosen) {
    return { how: "own", backend: { service: chosen.metadata.name, port: httpPort(chosen)! } };
  }
  const why = serving.length === 0
    ? "No Service has a port that is known to speak HTTP"
    : "Several Services could serve";
  const message = `${why}: ${listed(services)}; name one in annotation "${ANNOTATION_SERVICE}" or in ` +
    `deployment.values.${OWN_VALUES}.service`;
  return { how: "unclear", reason: "ServiceUnclear", message };
}

/** By whole names first; then by their ends, because charts put the release before theirs. */
function byName(services: readonly KubeObject[], { release, project }: Deployed): KubeObject | undefined {
  const whole = [release, project, ...WELL_KNOWN_NAMES].map((name) =>
    services.filter(({ metadata }) => metadata.name === name)
  );
  const ends = [project, ...WELL_KNOWN_NAMES].map((name) =>
    services.filter(({ metadata }) => metadata.name.endsWith(`-${name}`))
  );
  return [...whole, ...ends].find((found) => found.length === 1)?.[0];
}

function listed(services: readonly KubeObject[]): string {
  return services.map(({ metadata }) => `"${metadata.name}"`).join(", ") || "there is none";
}
