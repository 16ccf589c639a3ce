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
import { mayRun } from "../../workload/pods.ts";
import { latestMigration } from "./live.ts";
import { isExpanded, isNewTemplate } from "./migration.ts";
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
  /** Volumes that somebody has given its marks by hand: nobody has saved what is in them. */
  otherClaims: KubeObject[];
  autoscaler?: KubeObject;
  /** What brings traffic in, or changes the number of Pods: Ingress, Service, autoscaler, budget, schedule. */
  frontage: KubeObject[];
  /** What the Pods run with: configuration, certificate. */
  others: KubeObject[];
  /** Of the Service. */
  endpointSlices: KubeObject[];
  /** Those of the present template that are not being deleted. */
  pods: KubeObject[];
  /** All of the application that may still run, those that end included. Nobody deletes those that are over (evicted). */
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
  peers: Peer[];
  /** The namespace of the application is being deleted: nothing can be made in it any more. */
  isNamespaceLeaving?: boolean;
}

/** An application with the same schema. */
export interface Peer {
  owner: PortfolioApp;
  deployment?: KubeObject;
  /** All of it that may still run. */
  allPods: KubeObject[];
}

/** Reads caches, and the log of a Pod that fails. */
export async function gather(
  owner: PortfolioApp,
  from: Omit<GatherDeps, "wake"> & { settings: AppSettings; logs: LogReader },
): Promise<Seen> {
  const { settings, logs, kube } = from;
  const children = (resource: Resource): KubeObject[] => childrenOf(owner, resource, from);
  const named = (resource: Resource, part: string): KubeObject | undefined => childOf(owner, { resource, part }, from);
  const place = from.cache(NAMESPACE, "all").get(owner.metadata.namespace ?? "default");
  const template = podTemplate(owner, podRulesOf(place));
  const deployment = named(DEPLOYMENT, "deployment");
  const everyPod = podsOf(owner, from);
  const pods = podsOfTemplate(everyPod, template);
  const failure = firstFailure(pods);
  return {
    owner,
    settings,
    rivals: rivalsOf(owner, settings.domain, (kind) => from.cache(kind, "all"))
      .map((rival) => hostClaim(rival, settings.domain)),
    template,
    deployment,
    claim: named(CLAIM, "data"),
    otherClaims: children(CLAIM).filter(({ metadata }) => metadata.name !== appChild(owner, "data")),
    autoscaler: named(AUTOSCALER, "autoscaler"),
    frontage: [INGRESS, SERVICE, AUTOSCALER, DISRUPTION_BUDGET, CRON_JOB].flatMap(children),
    others: [CONFIG_MAP, SECRET].flatMap(children),
    endpointSlices: children(ENDPOINT_SLICE),
    pods,
    allPods: everyPod.filter(mayRun),
    failure,
    log: failure ? await logs.tail(failure, kube) : "",
    wildcard: wildcardOf(settings, from),
    ...await migrationOf(owner, { ...from, mayRoll: isNewTemplate({ deployment, template }) }),
    isNamespaceLeaving: place?.metadata.deletionTimestamp !== undefined,
    ...await seenTasks({
      jobs: children(JOB),
      pods: children(POD),
      secrets: secretsOf(owner, from),
    }, { logs, kube }),
  };
}

type Caches = Pick<GatherDeps, "cache">;

function childrenOf({ metadata }: PortfolioApp, resource: Resource, { cache }: Caches): KubeObject[] {
  const { namespace = "default", uid } = metadata;
  return cache(resource, "children").ownedBy(uid!).filter((object) => object.metadata.namespace === namespace);
}

function childOf(
  owner: PortfolioApp,
  { resource, part }: { resource: Resource; part: string },
  caches: Caches,
): KubeObject | undefined {
  return childrenOf(owner, resource, caches).find(({ metadata }) => metadata.name === appChild(owner, part));
}

/** Those that its Deployment makes. */
function podsOf(owner: PortfolioApp, caches: Caches): KubeObject[] {
  const selector = Object.entries(selectorOf(owner));
  return childrenOf(owner, POD, caches).filter(({ metadata }) =>
    selector.every(([name, value]) => metadata.labels?.[name] === value)
  );
}

async function migrationOf(
  owner: PortfolioApp,
  from: Pick<GatherDeps, "cache" | "kube"> & { settings: AppSettings; mayRoll: boolean },
): Promise<Pick<Seen, "migration" | "peers">> {
  const key = migrationKey(owner);
  if (key === undefined) return { peers: [] };
  const named = from.cache(PORTFOLIO_APP.resource, "all").indexed(BY_MIGRATION, key) as PortfolioApp[];
  const others = named.filter(({ metadata }) => metadata.uid !== owner.metadata.uid);
  const peers = others.map((peer): Peer => ({
    owner: peer,
    deployment: childOf(peer, { resource: DEPLOYMENT, part: "deployment" }, from),
    allPods: podsOf(peer, from).filter(mayRun),
  }));
  const known = from.cache(from.settings.migrations, "all").get(key);
  return { migration: known && from.mayRoll && isExpanded(known) ? await latestMigration(known, from) : known, peers };
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
