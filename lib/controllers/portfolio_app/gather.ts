/**
 * Everything that is read for one PortfolioApp, in one place.
 *
 * @module
 */
import type { KubeObject, Resource } from "../../api/object.ts";
import { PORTFOLIO_APP, type PortfolioApp } from "../../api/portfolio_app.ts";
import {
  AUTOSCALER,
  CLAIM,
  CONFIG_MAP,
  CRON_JOB,
  DEPLOYMENT,
  DISRUPTION_BUDGET,
  ENDPOINT_SLICE,
  INGRESS,
  JOB,
  NAMESPACE,
  POD,
  SECRET,
  SERVICE,
} from "../../api/resources.ts";
import { type HostClaim, hostClaim, rivalsOf } from "../../hosts.ts";
import { appChild } from "../../portfolio_names.ts";
import type { GatherDeps } from "../../runtime/definition.ts";
import type { LogReader } from "../../workload/logs.ts";
import { firstFailure, type PodFailure } from "../../workload/pod_failure.ts";
import { podsOfTemplate, type PodTemplate } from "../../workload/pod_template.ts";
import { podRulesOf, podTemplate, selectorOf } from "./pod.ts";
import type { AppSettings } from "./settings.ts";
import { BY_MIGRATION, migrationKey, namedSecrets } from "./sources.ts";
import { type SeenTasks, seenTasks } from "./tasks.ts";

/** What a decision about one application rests on. */
export interface Seen extends SeenTasks {
  owner: PortfolioApp;
  settings: AppSettings;
  /** Others that have or want its host, of whatever kind. */
  rivals: HostClaim[];
  /** Of the Pods as they shall be. */
  template: PodTemplate;
  deployment?: KubeObject;
  claim?: KubeObject;
  autoscaler?: KubeObject;
  /** What brings traffic in, or changes the number of Pods: Ingress, Service, autoscaler, budget, schedule. */
  frontage: KubeObject[];
  /** What the Pods run with: configuration, certificate. */
  others: KubeObject[];
  /** Of the Service. */
  endpointSlices: KubeObject[];
  /** Those of the present template that are not being deleted. */
  pods: KubeObject[];
  /** All of the application, those that end included. */
  allPods: KubeObject[];
  /** The first of `pods` that does not run. */
  failure?: PodFailure;
  /** The end of its log. */
  log: string;
  /** The operator's wildcard certificate, metadata alone, where there is one. */
  wildcard?: KubeObject;
  /** The DatabaseMigration that the spec names. */
  migration?: KubeObject;
  /** Other applications that name it. */
  peers: PortfolioApp[];
}

/** Reads caches, and the log of a Pod that fails. */
export async function gather(
  owner: PortfolioApp,
  from: Omit<GatherDeps, "wake"> & { settings: AppSettings; logs: LogReader },
): Promise<Seen> {
  const { settings, logs, kube } = from;
  const { namespace = "default", uid } = owner.metadata;
  const children = (resource: Resource): KubeObject[] =>
    from.cache(resource, "children").ownedBy(uid!).filter((object) => object.metadata.namespace === namespace);
  const named = (resource: Resource, part: string): KubeObject | undefined =>
    children(resource).find(({ metadata }) => metadata.name === appChild(owner, part));
  const template = podTemplate(owner, podRulesOf(from.cache(NAMESPACE, "all").get(namespace)));
  const allPods = children(POD).filter((pod) => isOfApplication(pod, owner));
  const pods = podsOfTemplate(allPods, template);
  const failure = firstFailure(pods);
  return {
    owner,
    settings,
    rivals: rivalsOf(owner, settings.domain, (kind) => from.cache(kind, "all"))
      .map((rival) => hostClaim(rival, settings.domain)),
    template,
    deployment: named(DEPLOYMENT, "deployment"),
    claim: named(CLAIM, "data"),
    autoscaler: named(AUTOSCALER, "autoscaler"),
    frontage: [INGRESS, SERVICE, AUTOSCALER, DISRUPTION_BUDGET, CRON_JOB].flatMap(children),
    others: [CONFIG_MAP, SECRET].flatMap(children),
    endpointSlices: children(ENDPOINT_SLICE),
    pods,
    allPods,
    failure,
    log: failure ? await logs.tail(failure, kube) : "",
    wildcard: wildcardOf(settings, from),
    ...migrationOf(owner, from),
    ...await seenTasks({
      jobs: children(JOB),
      pods: children(POD),
      schedule: children(CRON_JOB)[0],
      secrets: secretsOf(owner, from),
    }, { logs, kube }),
  };
}

function isOfApplication({ metadata }: KubeObject, owner: PortfolioApp): boolean {
  return Object.entries(selectorOf(owner)).every(([name, value]) => metadata.labels?.[name] === value);
}

function migrationOf(
  owner: PortfolioApp,
  { cache, settings }: Pick<GatherDeps, "cache"> & { settings: AppSettings },
): Pick<Seen, "migration" | "peers"> {
  const key = migrationKey(owner);
  if (key === undefined) return { peers: [] };
  const named = cache(PORTFOLIO_APP.resource, "all").indexed(BY_MIGRATION, key) as PortfolioApp[];
  const peers = named.filter(({ metadata }) => metadata.uid !== owner.metadata.uid && !metadata.deletionTimestamp);
  return { migration: cache(settings.migrations, "all").get(key), peers };
}

function wildcardOf(
  { tls, operatorNamespace }: AppSettings,
  { cache }: Pick<GatherDeps, "cache">,
): KubeObject | undefined {
  if (tls.mode !== "wildcard") return undefined;
  const secret = cache(SECRET, "all").get(`${operatorNamespace}/${tls.secret}`);
  return secret?.metadata.deletionTimestamp ? undefined : secret;
}

/** Metadata of the Secrets that backups are made with: another version is a reason to try again. */
function secretsOf(owner: PortfolioApp, { cache }: Pick<GatherDeps, "cache">): KubeObject[] {
  const { namespace } = owner.metadata;
  return namedSecrets(owner).map((name) => cache(SECRET, "all").get(`${namespace}/${name}`)).filter((found) => !!found);
}
