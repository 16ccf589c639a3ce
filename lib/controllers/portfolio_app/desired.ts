/**
 * What one PortfolioApp asks the cluster for. Pure: the same spec gives the same objects.
 *
 * @module
 */
import type { KubeObject } from "../../api/object.ts";
import type { PortfolioApp } from "../../api/portfolio_app.ts";
import { compareQuantities, isQuantity } from "../../api/quantity.ts";
import { appChild, appHost } from "../../portfolio_names.ts";
import { copyOf, withOwnContent } from "../../runtime/copies.ts";
import { ingressObject, type TlsSettings, urlOf as urlOfHost } from "../../workload/exposure.ts";
import type { PodTemplate } from "../../workload/pod_template.ts";
import { autoscaler, mostReplicas, type Scale, SCALED_BY } from "./autoscaler.ts";
import { podTemplate, rollingOf, selectorOf } from "./pod.ts";
import type { AppSettings } from "./settings.ts";

const SERVICE_PORT = 80;

/** What there is already that the objects depend on. */
export interface Given {
  /** How many Pods, and who says so. */
  scale: Scale;
  /** The claim as observed. */
  claim?: KubeObject;
  /** The operator's wildcard certificate, metadata alone. */
  wildcard?: KubeObject;
}

/** Everything but the Deployment, whose turn may be later. */
export function surroundings(owner: PortfolioApp, settings: AppSettings, given: Given): KubeObject[] {
  const { config, storage, autoscaling } = owner.spec;
  return [
    ...(config ? [configMap(owner, config)] : []),
    ...(storage ? [claim(owner, storage, given.claim)] : []),
    service(owner),
    ...exposure(owner, settings, given.wildcard),
    ...(autoscaling ? [autoscaler(owner, autoscaling)] : []),
    ...(mostReplicas(owner) > 1 ? [disruptionBudget(owner)] : []),
  ];
}

/** Where the application is reached: from outside, or else from within the cluster. */
export function urlOf(owner: PortfolioApp, settings: AppSettings): string {
  const host = appHost(owner, settings.domain);
  if (host !== undefined) return urlOfHost(host, settings.tls);
  return `http://${appChild(owner, "service")}.${owner.metadata.namespace}.svc`;
}

function at(owner: PortfolioApp, part: string): { name: string; namespace: string } {
  return { name: appChild(owner, part), namespace: owner.metadata.namespace ?? "default" };
}

/** Its content is kept out of caches. */
function configMap(owner: PortfolioApp, data: Record<string, string>): KubeObject {
  return withOwnContent({ apiVersion: "v1", kind: "ConfigMap", metadata: at(owner, "config"), data });
}

/** @param template Of {@link podTemplate}, where it is known. */
export function deployment(
  owner: PortfolioApp,
  settings: AppSettings,
  { scale, template = podTemplate(owner), annotations = {} }: {
    scale: Scale;
    template?: PodTemplate;
    annotations?: Record<string, string>;
  },
): KubeObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { ...at(owner, "deployment"), annotations: { ...annotations, [SCALED_BY]: scale.scaledBy } },
    spec: {
      ...(scale.replicas === undefined ? {} : { replicas: scale.replicas }),
      revisionHistoryLimit: 5,
      progressDeadlineSeconds: settings.progressDeadlineSeconds,
      selector: { matchLabels: selectorOf(owner) },
      strategy: rollingOf(owner),
      template,
    },
  };
}

/** To the port by its name: while another port rolls out, every Pod is asked at its own. */
function service(owner: PortfolioApp): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: at(owner, "service"),
    spec: {
      type: "ClusterIP",
      selector: selectorOf(owner),
      ports: [{ name: "http", protocol: "TCP", port: SERVICE_PORT, targetPort: "http" }],
    },
  };
}

/** The Ingress, and a copy of the wildcard certificate for it: several applications may share a namespace. */
function exposure(owner: PortfolioApp, settings: AppSettings, wildcard: KubeObject | undefined): KubeObject[] {
  const host = appHost(owner, settings.domain);
  if (host === undefined) return [];
  const backend = { service: appChild(owner, "service"), port: SERVICE_PORT };
  const copy = settings.tls.mode === "wildcard" ? at(owner, "tls") : undefined;
  const tls: TlsSettings = copy ? { mode: "wildcard", secret: copy.name } : settings.tls;
  return [
    ...(copy && wildcard ? [copyOf(wildcard, copy)] : []),
    ingressObject(at(owner, "ingress"), { host, backend }, { ...settings, tls }),
  ];
}

/**
 * The volume. It grows with the spec and never shrinks, whatever the spec says.
 *
 * @param observed The claim as it is.
 */
export function claim(
  owner: PortfolioApp,
  storage: NonNullable<PortfolioApp["spec"]["storage"]>,
  observed?: KubeObject,
): KubeObject {
  const { size, storageClassName, accessModes = ["ReadWriteOnce"] } = storage;
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: at(owner, "data"),
    spec: {
      accessModes,
      ...(storageClassName === undefined ? {} : { storageClassName }),
      resources: { requests: { storage: shrinksBelow(size, observed) ?? size } },
    },
  };
}

/** The size of a claim that is larger than what is asked for now. */
export function shrinksBelow(size: string | number, observed: KubeObject | undefined): string | number | undefined {
  const present: unknown = observed?.spec?.resources?.requests?.storage;
  return isQuantity(present) && compareQuantities(present, size) > 0 ? present : undefined;
}

/** One Pod at a time may be taken away by those who drain nodes, and one that does not work at any time. */
function disruptionBudget(owner: PortfolioApp): KubeObject {
  return {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: at(owner, "budget"),
    spec: {
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: "AlwaysAllow",
      selector: { matchLabels: selectorOf(owner) },
    },
  };
}
