/**
 * What one PreviewEnvironment asks the cluster for. Pure: the same spec gives the same objects.
 *
 * @module
 */
import type { KubeObject } from "../../api/object.ts";
import type { PreviewEnvironment } from "../../api/preview_environment.ts";
import { combine } from "../../image/reference.ts";
import { hostname, targetNamespace } from "../../preview_names.ts";
import { copyOf } from "../../runtime/copies.ts";
import { digestOf } from "../../runtime/differs.ts";
import { ownerLabels } from "../../runtime/ownership.ts";
import {
  certificateSecret as certificateSecretOf,
  ingressObject,
  urlOf as urlOfHost,
} from "../../workload/exposure.ts";
import {
  GUARDED_CONTAINER,
  GUARDED_POD,
  type PodTemplate,
  probesOf,
  ROLLING,
  TEMPLATE_LABEL,
  withoutEmptyValue,
} from "../../workload/pod_template.ts";
import { type Amounts, containerResources, limitRange, resourceQuota } from "./limits.ts";
import { networkPolicies } from "./network_policies.ts";
import type { PreviewSettings } from "./settings.ts";

/** The label that CI and people select environments by. */
const PR_LABEL = "pr-number";

type Named = { name: string; namespace: string };

/**
 * Everything for one environment, the namespace first.
 *
 * @param given.sources What is to be copied into it. @param given.template Of {@link podTemplate}, where it is known.
 * @param given.held See {@link resourceQuota}.
 */
export function desiredObjects(
  owner: PreviewEnvironment,
  settings: PreviewSettings,
  given: { sources: Iterable<KubeObject>; template?: PodTemplate; held?: Amounts },
): KubeObject[] {
  const namespace = targetNamespace(owner.spec);
  return [
    namespaceObject(owner, namespace),
    limitRange(namespace),
    resourceQuota(namespace, owner.spec, { tls: settings.tls, held: given.held }),
    ...networkPolicies(namespace, owner.spec.port, settings),
    ...[...given.sources].map((source) => copyOf(source, { namespace, name: source.metadata.name })),
    service(owner, { name: `pr-${owner.spec.pr_number}-svc`, namespace }),
    ingress(owner, { name: `pr-${owner.spec.pr_number}-ingress`, namespace }, settings),
    deployment(owner, { name: appName(owner), namespace }, {
      settings,
      template: given.template ?? podTemplate(owner),
    }),
  ];
}

/** Name of the Deployment. */
export function appName(owner: PreviewEnvironment): string {
  return `pr-${owner.spec.pr_number}-app`;
}

/** The image with its tag. Admission and the schema let no other pass; one that did is shown as it stands. */
export function fullImage({ image, image_tag }: PreviewEnvironment["spec"]): string {
  const combined = combine(image, image_tag);
  return combined.ok ? combined.image : image;
}

/** Where the environment is reached. */
export function urlOf(owner: PreviewEnvironment, settings: PreviewSettings): string {
  return urlOfHost(hostname(owner.spec, settings.domain), settings.tls);
}

function namespaceObject(owner: PreviewEnvironment, name: string): KubeObject {
  const labels = {
    [PR_LABEL]: String(owner.spec.pr_number),
    "pod-security.kubernetes.io/enforce": "baseline",
    "pod-security.kubernetes.io/warn": "restricted",
  };
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } };
}

function selector(owner: PreviewEnvironment): Record<string, string> {
  const { "maquette.dev/owner-uid": uid = "" } = ownerLabels(owner);
  return { "app.kubernetes.io/name": appName(owner), "maquette.dev/owner-uid": uid };
}

function deployment(
  owner: PreviewEnvironment,
  metadata: Named,
  { settings, template }: { settings: PreviewSettings; template: PodTemplate },
): KubeObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata,
    spec: {
      replicas: owner.spec.replicas,
      revisionHistoryLimit: 2,
      progressDeadlineSeconds: settings.progressDeadlineSeconds,
      selector: { matchLabels: selector(owner) },
      strategy: ROLLING,
      template,
    },
  };
}

/** The template of the environment's Pods. */
export function podTemplate(owner: PreviewEnvironment): PodTemplate {
  const spec = {
    ...GUARDED_POD,
    ...(owner.spec.image_pull_secrets ? { imagePullSecrets: owner.spec.image_pull_secrets } : {}),
    containers: [container(owner.spec)],
  };
  return {
    metadata: { labels: { ...ownerLabels(owner), ...selector(owner), [TEMPLATE_LABEL]: digestOf(spec) } },
    spec,
  };
}

function container(spec: PreviewEnvironment["spec"]): Record<string, unknown> {
  const httpGet = { path: spec.health_path, port: spec.port, scheme: "HTTP" };
  return {
    name: "app",
    image: fullImage(spec),
    ports: [{ name: "http", containerPort: spec.port, protocol: "TCP" }],
    ...(spec.env ? { env: spec.env.map(withoutEmptyValue) } : {}),
    ...(spec.env_from ? { envFrom: spec.env_from } : {}),
    resources: containerResources(spec.resources),
    securityContext: GUARDED_CONTAINER,
    ...probesOf({ httpGet }),
  };
}

function service(owner: PreviewEnvironment, metadata: Named): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata,
    spec: {
      type: "ClusterIP",
      selector: selector(owner),
      ports: [{ name: "http", protocol: "TCP", port: 80, targetPort: owner.spec.port }],
    },
  };
}

function ingress(owner: PreviewEnvironment, metadata: Named, settings: PreviewSettings): KubeObject {
  const backend = { service: `pr-${owner.spec.pr_number}-svc`, port: 80 };
  return ingressObject(metadata, { host: hostname(owner.spec, settings.domain), backend }, settings);
}

/** Name of the Secret that holds the certificate's key, in the environment's namespace. */
export function certificateSecret(owner: PreviewEnvironment, { tls, domain }: PreviewSettings): string | undefined {
  return certificateSecretOf(hostname(owner.spec, domain), tls);
}
