/**
 * The kind PreviewEnvironment as the runtime takes it: what is watched, mapped and allowed, as data.
 *
 * @module
 */
import { ENVIRONMENT } from "../../api/environment.ts";
import { keyOf } from "../../api/object.ts";
import { PORTFOLIO_APP } from "../../api/portfolio_app.ts";
import { PREVIEW_ENVIRONMENT, type PreviewEnvironment } from "../../api/preview_environment.ts";
import {
  CONFIG_MAP,
  DEPLOYMENT,
  ENDPOINT_SLICE,
  INGRESS,
  LIMIT_RANGE,
  NAMESPACE,
  NETWORK_POLICY,
  POD,
  RESOURCE_QUOTA,
  SECRET,
  SERVICE,
} from "../../api/resources.ts";
import { BY_HOST, claimedHosts, HOST_KINDS, hostClaim, hostWatch } from "../../hosts.ts";
import { targetNamespace } from "../../preview_names.ts";
import { withoutContent } from "../../runtime/copies.ts";
import type { Change, ControllerDefinition, Lister, Permission, WatchNeed } from "../../runtime/definition.ts";
import { annotatedOwner } from "../../runtime/ownership.ts";
import { LogReader } from "../../workload/logs.ts";
import { podShape } from "../../workload/pod_failure.ts";
import { endpointsShape, rolloutShape } from "../../workload/rollout.ts";
import { bareMetadata, withoutStatus } from "../../workload/shapes.ts";
import { decide } from "./decide.ts";
import { gather, type Seen } from "./gather.ts";
import type { PreviewMetrics } from "./metrics.ts";
import type { PreviewSettings } from "./settings.ts";
import { sourceKey, sourcesOf } from "./sources.ts";

/** Index over PreviewEnvironments by the namespace that they are for. */
export const BY_TARGET = "target-namespace";
const BY_SOURCE = "source";

const KIND = PREVIEW_ENVIRONMENT.resource;
const APPLY = ["list", "watch", "get", "create", "patch", "delete"] as const;

/** What the operator must be allowed for this kind. */
export const PREVIEW_PERMISSIONS: readonly Permission[] = [
  { groups: [KIND.group], resources: [KIND.plural], verbs: ["list", "watch", "get", "patch", "delete"] },
  { groups: [KIND.group], resources: [`${KIND.plural}/status`], verbs: ["patch"] },
  ...[ENVIRONMENT, PORTFOLIO_APP].map(({ resource: { group, plural } }): Permission => ({
    ...{ groups: [group], resources: [plural], verbs: ["list", "watch"] },
  })),
  {
    groups: [""],
    resources: ["namespaces", "services", "configmaps", "secrets", "resourcequotas", "limitranges"],
    verbs: APPLY,
  },
  { groups: ["apps"], resources: ["deployments"], verbs: APPLY },
  { groups: ["networking.k8s.io"], resources: ["ingresses", "networkpolicies"], verbs: APPLY },
  { groups: [""], resources: ["pods"], verbs: ["list", "watch"] },
  { groups: [""], resources: ["pods/log"], verbs: ["get"] },
  { groups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
];

/** The definition for one configuration. */
export function previewEnvironmentController(
  settings: PreviewSettings,
  metrics?: PreviewMetrics,
): ControllerDefinition<Seen> {
  const logs = new LogReader();
  return {
    kind: KIND,
    owns: [
      { resource: NAMESPACE, scope: "all", owners: ownersOfNamespace },
      child(DEPLOYMENT, { reads: rolloutShape }),
      ...[SERVICE, INGRESS, NETWORK_POLICY, RESOURCE_QUOTA, LIMIT_RANGE].map((kind) =>
        child(kind, { reads: withoutStatus })
      ),
      ...[SECRET, CONFIG_MAP].map((kind) => child(kind, { shape: withoutContent })),
    ],
    watches: [
      child(POD, { shape: podShape }),
      child(ENDPOINT_SLICE, { shape: endpointsShape }),
      ...HOST_KINDS.map((resource) => hostWatch(resource, settings.domain)),
      source(SECRET, usersOf("Secret")),
      source(CONFIG_MAP, usersOf("ConfigMap")),
    ],
    permissions: PREVIEW_PERMISSIONS,
    indexes: {
      [BY_TARGET]: (owner) => [targetNamespace((owner as PreviewEnvironment).spec)],
      [BY_HOST]: (owner) => claimedHosts(hostClaim(owner, settings.domain)),
      [BY_SOURCE]: (owner) => sourcesOf(owner as PreviewEnvironment, settings).map(sourceKey),
    },
    gather: (owner, deps) => gather(owner as PreviewEnvironment, { ...deps, settings, logs }),
    decide,
    roots: (owner) => [{ resource: NAMESPACE, name: targetNamespace((owner as PreviewEnvironment).spec) }],
    reconciled: (owner, status) => metrics?.reconciled(owner as PreviewEnvironment, status),
  };
}

function child(resource: WatchNeed["resource"], parts: Pick<WatchNeed, "shape" | "reads">): WatchNeed {
  return { resource, scope: "children", ...parts };
}

function source(resource: WatchNeed["resource"], owners: WatchNeed["owners"]): WatchNeed {
  return { resource, scope: "all", metadataOnly: true, shape: bareMetadata, owners };
}

/** Also those whose namespace somebody else holds: they go on when it is gone. */
function ownersOfNamespace({ object }: Change, owners: Lister): string[] {
  const annotated = annotatedOwner(object, KIND);
  const waiting = owners.indexed(BY_TARGET, object.metadata.name).map(keyOf);
  return annotated ? [annotated, ...waiting] : waiting;
}

function usersOf(kind: "Secret" | "ConfigMap"): (change: Change, owners: Lister) => string[] {
  return ({ object }, owners) => {
    const { namespace = "", name } = object.metadata;
    return owners.indexed(BY_SOURCE, sourceKey({ kind, namespace, name })).map(keyOf);
  };
}
