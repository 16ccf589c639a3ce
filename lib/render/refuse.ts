/**
 * Judges what was rendered before any of it is applied: all that no environment may have, at once. Pure.
 *
 * For most of it this gives only the words: the objects are applied as the environment's ServiceAccount, under Pod
 * Security, by the rules of ownership. Marks of Maquette's own and ways past the isolation are held back here alone.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";
import { detourOf } from "./detours.ts";
import { encodingProblems } from "./encoded_content.ts";
import { type KeptApart, usesOf } from "./kept_apart.ts";
import { ownMarksOf } from "./own_marks.ts";
import { podProblems } from "./pod_rules.ts";
import { groupOf, podSpecOf, titleOf } from "./pod_templates.ts";
import type { Rendering } from "./renderer.ts";
import { portProblems } from "./service_ports.ts";

/** The kind does not live in a namespace. */
export const CLUSTER_SCOPED = "ClusterScoped";
/** The object is for another namespace. */
export const OTHER_NAMESPACE = "OtherNamespace";
/** A Pod wants what Pod Security refuses. */
export const POD_REFUSED = "PodRefused";
/** The object or a template in it has marks of Maquette's own. */
export const MARK_RESERVED = "MarkReserved";
/** The object would have traffic carried past the environment's NetworkPolicies. */
export const PAST_ISOLATION = "PastIsolation";
/** The name is one of the environment's own objects. */
export const NAME_RESERVED = "NameReserved";
/** The object uses what is there for Maquette alone. */
export const USE_RESERVED = "UseReserved";
/** The API server would refuse the ports of a Service. */
export const PORTS_REFUSED = "PortsRefused";
/** What a Secret or a ConfigMap has in base64 is none. */
export const CONTENT_REFUSED = "ContentRefused";
/** The same object stands twice. */
export const RENDERED_TWICE = "RenderedTwice";

/** Something that keeps a rendering from being applied. */
export interface RefusedObject {
  reason: string;
  /** Names object and file. */
  message: string;
}

/** What the judgement rests on. */
export interface Judging {
  /** Of the environment. */
  namespace: string;
  /** Whether a kind lives in a namespace; `undefined` where nobody knows. Well-known kinds are known without it. */
  isNamespaced?(kind: { group: string; kind: string }): boolean | undefined;
  /** The environment's own objects, `kind/name`: `NetworkPolicy/isolation`. */
  reserved?: ReadonlySet<string>;
  /** What nothing that is deployed may use. */
  apart?: KeptApart;
}

/** Cluster-scoped kinds of Kubernetes itself, for judging without a cluster. */
const CLUSTER_KINDS: ReadonlySet<string> = new Set([
  ...["/Namespace", "/Node", "/PersistentVolume", "rbac.authorization.k8s.io/ClusterRole"],
  ...["rbac.authorization.k8s.io/ClusterRoleBinding", "apiextensions.k8s.io/CustomResourceDefinition"],
  ...["apiregistration.k8s.io/APIService", "admissionregistration.k8s.io/MutatingWebhookConfiguration"],
  ...["admissionregistration.k8s.io/ValidatingWebhookConfiguration", "scheduling.k8s.io/PriorityClass"],
  ...["admissionregistration.k8s.io/ValidatingAdmissionPolicy", "networking.k8s.io/IngressClass"],
  ...["admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding", "storage.k8s.io/StorageClass"],
  ...["storage.k8s.io/CSIDriver", "node.k8s.io/RuntimeClass", "certificates.k8s.io/CertificateSigningRequest"],
  ...["flowcontrol.apiserver.k8s.io/FlowSchema", "flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration"],
]);

/** What to do instead, by kind. */
const INSTEAD: Readonly<Record<string, string>> = {
  Namespace: "the environment has its namespace already; leave it out",
  CustomResourceDefinition: "it is for the whole cluster; have it installed once, by whoever runs the cluster",
  ClusterRole: "use a Role",
  ClusterRoleBinding: "use a RoleBinding",
  PersistentVolume: "use a PersistentVolumeClaim",
};

/** One rule over one object. */
type Rule = (object: KubeObject, judging: Judging) => RefusedObject[];

const RULES: readonly Rule[] = [
  ...[clusterScoped, otherNamespace, ownMarks, reservedName, reservedUse, pastIsolation, refusedPod, refusedPorts],
  refusedContent,
];

/** Hooks of other events are not run. */
const RUN: ReadonlySet<string> = new Set(["pre-install", "pre-upgrade", "post-install", "post-upgrade"]);

/** @returns Every problem of every object and hook, in the order in which they were rendered. */
export function refusedOf(rendering: Rendering, judging: Judging): RefusedObject[] {
  const hooks = rendering.hooks.filter(({ events }) => events.some((event) => RUN.has(event)));
  const items = [...rendering.objects, ...hooks];
  const definitions = rendering.refused.map(({ source, apiVersion, kind, name }) =>
    inFile(source, clusterScopedProblem({ apiVersion, kind, metadata: { name } }))
  );
  const problems = items.flatMap(({ source, object }) =>
    RULES.flatMap((rule) => rule(object, judging)).map((problem) => inFile(source, problem))
  );
  return [...definitions, ...problems, ...twice(rendering.objects)];
}

function inFile(source: string, { reason, message }: RefusedObject): RefusedObject {
  return { reason, message: source === "" ? message : `${source}: ${message}` };
}

function clusterScoped(object: KubeObject, { isNamespaced }: Judging): RefusedObject[] {
  const [group, { kind }] = [groupOf(object), object];
  const isKnown = isNamespaced?.({ group, kind });
  return isKnown === false || (isKnown === undefined && CLUSTER_KINDS.has(`${group}/${kind}`))
    ? [clusterScopedProblem(object)]
    : [];
}

function clusterScopedProblem(object: Pick<KubeObject, "kind" | "metadata" | "apiVersion">): RefusedObject {
  const instead = INSTEAD[object.kind] ?? "it is for the whole cluster, and an environment has only its namespace";
  return { reason: CLUSTER_SCOPED, message: `${titleOf(object)} is refused: ${instead}` };
}

function otherNamespace(object: KubeObject, { namespace }: Judging): RefusedObject[] {
  const other = object.metadata.namespace;
  if (other === undefined || other === "" || other === namespace) return [];
  const message = `${
    titleOf(object)
  } is for the namespace "${other}": everything of an environment is in "${namespace}"`;
  return [{ reason: OTHER_NAMESPACE, message }];
}

function ownMarks(object: KubeObject): RefusedObject[] {
  const marks = ownMarksOf(object);
  if (marks.length === 0) return [];
  const message = `${titleOf(object)} has marks that are Maquette's to set: leave out ${marks.join(", ")}`;
  return [{ reason: MARK_RESERVED, message }];
}

function reservedName(object: KubeObject, { reserved }: Judging): RefusedObject[] {
  if (!reserved?.has(titleOf(object))) return [];
  return [{ reason: NAME_RESERVED, message: `${titleOf(object)} has a name that the environment uses itself` }];
}

function reservedUse(object: KubeObject, { apart }: Judging): RefusedObject[] {
  return refusedFor(object, USE_RESERVED, apart ? usesOf(object, apart) : []);
}

function pastIsolation(object: KubeObject): RefusedObject[] {
  return refusedFor(object, PAST_ISOLATION, [detourOf(object)].filter((detour) => detour !== undefined));
}

function refusedPod(object: KubeObject): RefusedObject[] {
  const spec = podSpecOf(object);
  return refusedFor(object, POD_REFUSED, spec ? podProblems(spec) : []);
}

function refusedPorts(object: KubeObject): RefusedObject[] {
  return refusedFor(object, PORTS_REFUSED, portProblems(object));
}

function refusedContent(object: KubeObject): RefusedObject[] {
  return refusedFor(object, CONTENT_REFUSED, encodingProblems(object));
}

function refusedFor(object: KubeObject, reason: string, problems: readonly string[]): RefusedObject[] {
  return problems.map((problem) => ({ reason, message: `${titleOf(object)} is refused: ${problem}` }));
}

function twice(items: readonly { source: string; object: KubeObject }[]): RefusedObject[] {
  const first = new Map<string, string>();
  return items.flatMap(({ source, object }) => {
    const key = `${groupOf(object)}/${titleOf(object)}`;
    const before = first.get(key);
    first.set(key, before ?? source);
    if (before === undefined) return [];
    const message = `${titleOf(object)} is rendered twice: by ${before || "a generator"} and by ${
      source || "a generator"
    }`;
    return [{ reason: RENDERED_TWICE, message }];
  });
}
