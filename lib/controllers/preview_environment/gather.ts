/**
 * Everything that is read for one PreviewEnvironment, in one place.
 *
 * @module
 */
import type { KubeObject, Resource } from "../../api/object.ts";
import type { PreviewEnvironment } from "../../api/preview_environment.ts";
import { CONFIG_MAP, DEPLOYMENT, ENDPOINT_SLICE, INGRESS, POD, RESOURCE_QUOTA, SECRET } from "../../api/resources.ts";
import { type HostClaim, hostClaim, rivalsOf } from "../../hosts.ts";
import { targetNamespace } from "../../preview_names.ts";
import type { GatherDeps } from "../../runtime/definition.ts";
import type { LogReader } from "../../workload/logs.ts";
import { firstFailure, type PodFailure } from "../../workload/pod_failure.ts";
import { podsOfTemplate, type PodTemplate } from "../../workload/pod_template.ts";
import { appName, podTemplate } from "./desired.ts";
import type { PreviewSettings } from "./settings.ts";
import { sourceKey, type SourceRef, sourcesOf } from "./sources.ts";

/** What a decision about one environment rests on. */
export interface Seen {
  owner: PreviewEnvironment;
  settings: PreviewSettings;
  /** Others that have or want its host, of whatever kind. */
  rivals: HostClaim[];
  /** Of the Pods as they shall be. */
  template: PodTemplate;
  /** Ours, in the target namespace. */
  deployment?: KubeObject;
  /** Ours, in the target namespace. */
  quota?: KubeObject;
  /** Ours, in the target namespace. */
  ingresses: KubeObject[];
  /** Endpoints of the Service. */
  endpointSlices: KubeObject[];
  /** Those of the present template that are not being deleted. */
  pods: KubeObject[];
  /** The first of them that does not run. */
  failure?: PodFailure;
  /** The end of its log. */
  log: string;
  /** What is to be copied into the namespace, by {@link sourceKey}: metadata of what there is. */
  sources: ReadonlyMap<string, KubeObject>;
}

/** Reads caches, and the log of a Pod that fails. */
export async function gather(
  owner: PreviewEnvironment,
  from: Omit<GatherDeps, "wake"> & { settings: PreviewSettings; logs: LogReader },
): Promise<Seen> {
  const { settings, logs, kube } = from;
  const uid = owner.metadata.uid!;
  const namespace = targetNamespace(owner.spec);
  const children = (resource: Resource): KubeObject[] =>
    from.cache(resource, "children").ownedBy(uid).filter((object) => object.metadata.namespace === namespace);
  const template = podTemplate(owner);
  const pods = podsOfTemplate(children(POD), template);
  const failure = firstFailure(pods);
  return {
    owner,
    settings,
    rivals: rivalClaims(owner, from),
    template,
    deployment: children(DEPLOYMENT).find(({ metadata }) => metadata.name === appName(owner)),
    quota: children(RESOURCE_QUOTA)[0],
    ingresses: children(INGRESS),
    endpointSlices: children(ENDPOINT_SLICE),
    pods,
    failure,
    log: failure ? await logs.tail(failure, kube) : "",
    sources: foundSources(sourcesOf(owner, settings), from),
  };
}

/**
 * An explicit namespace does not change the host: two previews of one pull request would share it. Of those that are for
 * the same namespace, too, one alone gets as far as that.
 */
function rivalClaims(
  owner: PreviewEnvironment,
  { cache, settings: { domain } }: Pick<GatherDeps, "cache"> & { settings: PreviewSettings },
): HostClaim[] {
  const namespace = targetNamespace(owner.spec);
  return rivalsOf(owner, domain, (kind) => cache(kind, "all")).filter(({ kind, spec }) =>
    kind !== owner.kind || targetNamespace(spec) !== namespace
  ).map((rival) => hostClaim(rival, domain));
}

function foundSources(refs: readonly SourceRef[], { cache }: Pick<GatherDeps, "cache">): Map<string, KubeObject> {
  const found = new Map<string, KubeObject>();
  for (const ref of refs) {
    const resource = ref.kind === "Secret" ? SECRET : CONFIG_MAP;
    const object = cache(resource, "all").get(`${ref.namespace}/${ref.name}`);
    if (object && !object.metadata.deletionTimestamp) found.set(sourceKey(ref), object);
  }
  return found;
}
