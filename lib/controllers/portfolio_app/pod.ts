/**
 * The Pods of an application. Pure.
 *
 * @module
 */
import { LABEL_OWNER_UID } from "../../api/names.ts";
import type { KubeObject } from "../../api/object.ts";
import { CONFIG_FOLDER, type PortfolioApp } from "../../api/portfolio_app.ts";
import { combine } from "../../image/reference.ts";
import { appChild } from "../../portfolio_names.ts";
import { digestOf } from "../../runtime/differs.ts";
import { ownerLabels } from "../../runtime/ownership.ts";
import { containerResources } from "../../workload/amounts.ts";
import {
  GUARDED_CONTAINER,
  GUARDED_POD,
  type PodTemplate,
  probesOf,
  RESTRICTED_CONTAINER,
  ROLLING,
  TEMPLATE_LABEL,
  withoutEmptyValue,
} from "../../workload/pod_template.ts";

/** Digest of the configuration that Pods were started with: another one rolls them. */
const CONFIG_ANNOTATION = "maquette.dev/config";
/** Group that may read and write the volume, whoever the image runs as; backups run with it, too. */
export const VOLUME_GROUP = 65_534;
/** In bytes, name included: with a longer one Linux starts no process. */
const LONGEST_VARIABLE = 131_000;
const ENFORCED_LEVEL = "pod-security.kubernetes.io/enforce";
const APP_LABEL = "app.kubernetes.io/name";
const DEFAULT_GRACE_SECONDS = 30;

type Part = Record<string, unknown>;

/** Labels that tell an application's Pods from all others, those of its backups included. */
export function selectorOf(owner: PortfolioApp): Record<string, string> {
  const { [LABEL_OWNER_UID]: uid = "" } = ownerLabels(owner);
  return { [APP_LABEL]: appChild(owner, "deployment"), [LABEL_OWNER_UID]: uid };
}

/** The image with its tag. */
export function fullImage({ image, version }: PortfolioApp["spec"]): string {
  const combined = combine(image, version);
  return combined.ok ? combined.image : image;
}

/** Seconds that a Pod has to end. */
export function graceSeconds({ spec }: PortfolioApp): number {
  return spec.shutdown?.gracePeriodSeconds ?? DEFAULT_GRACE_SECONDS;
}

/** What a namespace makes of Pods. */
export interface PodRules {
  /** It refuses Pods that may do more than Pod Security's level "restricted" allows. */
  isRestricted?: boolean;
}

/** What the labels of a namespace ask of Pods. @param namespace Undefined: not seen yet. */
export function podRulesOf(namespace: KubeObject | undefined): PodRules {
  return { isRestricted: namespace?.metadata.labels?.[ENFORCED_LEVEL] === "restricted" };
}

/** The template of the application's Pods. */
export function podTemplate(
  owner: PortfolioApp,
  { isRestricted = false }: PodRules = {},
): PodTemplate & { metadata: { annotations: Record<string, string> } } {
  const { storage } = owner.spec;
  const spec: Part = {
    ...GUARDED_POD,
    ...(storage ? { securityContext: volumeSecurity() } : {}),
    terminationGracePeriodSeconds: graceSeconds(owner),
    containers: [container(owner, isRestricted ? RESTRICTED_CONTAINER : GUARDED_CONTAINER)],
    ...(storage ? nodeOfVolume(owner) : {}),
    ...(storage || owner.spec.config ? { volumes: volumes(owner) } : {}),
  };
  const annotations = { [CONFIG_ANNOTATION]: digestOf(sorted(owner.spec.config)) };
  const labels = { ...ownerLabels(owner), ...selectorOf(owner), [TEMPLATE_LABEL]: digestOf([spec, annotations]) };
  return { metadata: { labels, annotations }, spec };
}

function volumeSecurity(): Part {
  return { ...GUARDED_POD.securityContext, fsGroup: VOLUME_GROUP, fsGroupChangePolicy: "OnRootMismatch" };
}

/** The volume can be used on several nodes at once. */
function isShared({ spec }: PortfolioApp): boolean {
  return spec.storage?.accessModes?.includes("ReadWriteMany") ?? false;
}

/** Of a Pod's spec: whatever uses a volume of one node must be where Pods of the application have it already. */
export function nodeOfVolume(owner: PortfolioApp): Part {
  if (isShared(owner)) return {};
  const podAffinityTerm = {
    labelSelector: { matchLabels: selectorOf(owner) },
    topologyKey: "kubernetes.io/hostname",
  };
  const preferred = [{ weight: 100, podAffinityTerm }];
  return { affinity: { podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: preferred } } };
}

/** How a Deployment changes its Pods: a volume that one Pod alone may have leaves no room for a second one. */
export function rollingOf({ spec }: PortfolioApp): unknown {
  if (!spec.storage?.accessModes?.includes("ReadWriteOncePod")) return ROLLING;
  return { ...ROLLING, rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } };
}

function volumes(owner: PortfolioApp): Part[] {
  const { storage, config } = owner.spec;
  return [
    ...(config ? [{ name: "config", configMap: { name: appChild(owner, "config") } }] : []),
    ...(storage ? [{ name: "data", persistentVolumeClaim: { claimName: appChild(owner, "data") } }] : []),
  ];
}

function mounts({ storage, config }: PortfolioApp["spec"]): Part[] {
  return [
    ...(config ? [{ name: "config", mountPath: CONFIG_FOLDER, readOnly: true }] : []),
    ...(storage ? [{ name: "data", mountPath: storage.mountPath }] : []),
  ];
}

function container(owner: PortfolioApp, securityContext: Part): Part {
  const { spec } = owner;
  const { port, shutdown } = spec;
  const mounted = mounts(spec);
  return {
    name: "app",
    image: fullImage(spec),
    ports: [{ name: "http", containerPort: port, protocol: "TCP" }],
    ...variables(owner),
    resources: containerResources(spec.resources),
    securityContext,
    ...healthOf(spec),
    ...(shutdown?.preStop ? { lifecycle: { preStop: { exec: { command: shutdown.preStop } } } } : {}),
    ...(mounted.length > 0 ? { volumeMounts: mounted } : {}),
  };
}

/** The configuration as variables, over which env wins. With a text in it that is too long for one each is named. */
function variables(owner: PortfolioApp): Part {
  const { env = {}, config } = owner.spec;
  const name = appChild(owner, "config");
  const own = sorted(env).map(([name, value]) => withoutEmptyValue({ name, value }));
  const short = sorted(config).filter((entry) => sizeOf(entry) <= LONGEST_VARIABLE).map(([key]) => key);
  const isWhole = short.length === Object.keys(config ?? {}).length;
  const named = isWhole ? [] : short.filter((key) => !(key in env) && !/^\d/.test(key));
  const all = [...named.map((key) => ({ name: key, valueFrom: { configMapKeyRef: { name, key } } })), ...own];
  return {
    ...(all.length > 0 ? { env: all } : {}),
    ...(config && isWhole ? { envFrom: [{ configMapRef: { name } }] } : {}),
  };
}

function sizeOf(entry: [string, string]): number {
  return new TextEncoder().encode(entry.join("=")).length;
}

function sorted(texts: Record<string, string> = {}): [string, string][] {
  return Object.entries(texts).sort(([a], [b]) => a < b ? -1 : 1);
}

function healthOf({ probes, port }: PortfolioApp["spec"]): Part {
  if (!probes) return probesOf({ tcpSocket: { port } });
  return Object.fromEntries(
    Object.entries(probes).map(([name, { path, port: own = port, initialDelaySeconds, ...times }]) => {
      // The API server drops a delay of 0: kept, the Deployment would never be as it is desired.
      const delay = initialDelaySeconds > 0 ? { initialDelaySeconds } : {};
      return [`${name}Probe`, { httpGet: { path, port: own, scheme: "HTTP" }, ...delay, ...times }];
    }),
  );
}

/** What must hold for a Pod to be ready, in words. */
export function healthText({ probes, port }: PortfolioApp["spec"]): string {
  const probe = probes?.readiness;
  if (!probe) return `port ${port} must take connections`;
  return `GET "${probe.path}" on port ${probe.port ?? port} must answer with 200 to 399`;
}
