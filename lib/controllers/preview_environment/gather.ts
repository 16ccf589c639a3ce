/**
 * Everything that is read for one PreviewEnvironment, in one place.
 *
 * @module
 */
import type { KubeObject, Resource } from "../../api/object.ts";
import { ENVIRONMENT } from "../../api/environment.ts";
import { PREVIEW_ENVIRONMENT, type PreviewEnvironment } from "../../api/preview_environment.ts";
import { CONFIG_MAP, DEPLOYMENT, ENDPOINT_SLICE, POD, RESOURCE_QUOTA, SECRET } from "../../api/resources.ts";
import { BY_HOST as BY_ENVIRONMENT_HOST } from "../../environment_names.ts";
import { BY_HOST, hostname, targetNamespace } from "../../preview_names.ts";
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
  /** Other previews of the same host in other namespaces, and Environments that have it. */
  rivals: KubeObject[];
  /** Of the Pods as they shall be. */
  template: PodTemplate;
  /** Ours, in the target namespace. */
  deployment?: KubeObject;
  /** Ours, in the target namespace. */
  quota?: KubeObject;
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
    rivals: rivalsOf(owner, from),
    template,
    deployment: children(DEPLOYMENT).find(({ metadata }) => metadata.name === appName(owner)),
    quota: children(RESOURCE_QUOTA)[0],
    endpointSlices: children(ENDPOINT_SLICE),
    pods,
    failure,
    log: failure ? await logs.tail(failure, kube) : "",
    sources: foundSources(sourcesOf(owner, settings), from),
  };
}

/**
 * An explicit namespace does not change the host: two environments of one pull request would share it. An Environment
 * that merely wants it takes another one.
 */
function rivalsOf(
  owner: PreviewEnvironment,
  { cache, settings }: Pick<GatherDeps, "cache"> & { settings: PreviewSettings },
): KubeObject[] {
  const host = hostname(owner.spec, settings.domain);
  const label = hostname(owner.spec, "");
  const previews = cache(PREVIEW_ENVIRONMENT.resource, "all").indexed(BY_HOST, label) as PreviewEnvironment[];
  const environments = cache(ENVIRONMENT.resource, "all").indexed(BY_ENVIRONMENT_HOST, label.slice(0, -1));
  return [
    ...previews.filter(({ metadata, spec }) =>
      metadata.uid !== owner.metadata.uid && targetNamespace(spec) !== targetNamespace(owner.spec)
    ),
    ...environments.filter(({ status }) => status?.host === host),
  ];
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
