/**
 * The fence that the API server holds around the leader's work: policies that refuse what reconcilers of another replica
 * write. A process that was frozen past its lease cannot take back what it had given to the network; this can. What raises
 * the fence is lib/runtime/fence.ts. Pure.
 *
 * Only Pods are fenced, by the name that the API server reads from their token: a token that is bound to no Pod, as a
 * person on a laptop has, passes. A Pod cannot lead twice at once, so its name is enough: the kubelet ends a container
 * before it starts the next one in the same Pod.
 *
 * What is fenced is what the controllers declare that they write, but for what any replica may write: Events, the Lease,
 * and the certificate of admission are not declared by them, or carry no owner's mark.
 *
 * @module
 */
import { ANNOTATION_LEADER, FENCE_POLICY, LABEL_OWNER_UID } from "../../lib/api/names.ts";
import type { KubeObject } from "../../lib/api/object.ts";
import { KINDS } from "../../lib/api/registry.ts";
import type { ControllerDefinition } from "../../lib/runtime/definition.ts";
import { ACCOUNT, mergedRules } from "./rbac.ts";

const API = "admissionregistration.k8s.io/v1";
const POD_NAME = "authentication.kubernetes.io/pod-name";
const OPERATIONS: Readonly<Record<string, string>> = {
  create: "CREATE",
  update: "UPDATE",
  patch: "UPDATE",
  delete: "DELETE",
};
/** A right that others check, and no path that anybody writes to. */
const NO_PATH = /\/finalizers$/;

interface ResourceRule {
  apiGroups: string[];
  apiVersions: string[];
  operations: string[];
  resources: string[];
}

/** What is known of a kind when its writes are fenced. */
export type Writer = Pick<ControllerDefinition, "kind" | "owns" | "watches" | "permissions">;

/**
 * Two policies with their bindings: for our own kinds, and for what is made for them.
 *
 * @throws {Error} When a permission is about an API group of which no definition names a resource.
 */
export function fenceObjects(namespace: string, writers: readonly Writer[]): KubeObject[] {
  const groups = new Set(KINDS.map(({ resource }) => resource.group));
  const rules = resourceRules(writers);
  const isOurs = ({ apiGroups: [group] }: ResourceRule): boolean => groups.has(group!);
  return [
    ...fence("owners", namespace, { resourceRules: rules.filter(isOurs) }),
    ...fence("children", namespace, {
      resourceRules: rules.filter((rule) => !isOurs(rule)),
      // So that a policy which cannot be evaluated stops nobody else's work, and costs the cluster next to nothing.
      objectSelector: { matchExpressions: [{ key: LABEL_OWNER_UID, operator: "Exists" }] },
    }),
  ];
}

function resourceRules(writers: readonly Writer[]): ResourceRule[] {
  return mergedRules(writers.flatMap(({ permissions }) => permissions)).flatMap(({ apiGroups, resources, verbs }) => {
    const operations = [...new Set(verbs.flatMap((verb) => OPERATIONS[verb] ?? []))];
    const written = resources.filter((resource) => !NO_PATH.test(resource));
    if (operations.length === 0 || written.length === 0) return [];
    return [{ apiGroups, apiVersions: apiGroups.flatMap(versionsIn(writers)), operations, resources: written }];
  });
}

/** A permission names no version; those that we use are enough, because the API server knows which others mean the same. */
function versionsIn(writers: readonly Writer[]): (group: string) => string[] {
  const resources = writers.flatMap(({ kind, owns, watches }) => [
    kind,
    ...[...owns, ...watches].map(({ resource }) => resource),
  ]);
  return (group) => {
    const versions = new Set(resources.filter((resource) => resource.group === group).map(({ version }) => version));
    if (versions.size === 0) throw new Error(`Cannot fence API group "${group}": no definition names its version`);
    return [...versions].sort();
  };
}

function fence(part: string, namespace: string, matchConstraints: Record<string, unknown>): KubeObject[] {
  const metadata = { name: `${FENCE_POLICY}-${part}` };
  return [
    {
      apiVersion: API,
      kind: "ValidatingAdmissionPolicy",
      metadata,
      spec: { ...policy(namespace), matchConstraints },
    },
    {
      apiVersion: API,
      kind: "ValidatingAdmissionPolicyBinding",
      metadata,
      spec: {
        policyName: metadata.name,
        validationActions: ["Deny"],
        // Without the Namespace there is no replica either.
        paramRef: { name: namespace, parameterNotFoundAction: "Allow" },
      },
    },
  ];
}

function policy(namespace: string): Record<string, unknown> {
  return {
    // A fence that opens when something is wrong is none. Wrong means: the API server cannot evaluate these expressions,
    // which then stops the operator and writes to its kinds, and nothing else.
    failurePolicy: "Fail",
    paramKind: { apiVersion: "v1", kind: "Namespace" },
    matchConditions: [
      {
        name: "is-the-operator",
        expression: `request.userInfo.username == 'system:serviceaccount:${namespace}:${ACCOUNT}'`,
      },
      {
        name: "is-a-pod",
        expression: `has(request.userInfo.extra) && '${POD_NAME}' in request.userInfo.extra`,
      },
    ],
    variables: [
      { name: "pod", expression: `request.userInfo.extra['${POD_NAME}'][0]` },
      {
        name: "leader",
        expression: "has(params.metadata.annotations) && " +
          `'${ANNOTATION_LEADER}' in params.metadata.annotations ? params.metadata.annotations['${ANNOTATION_LEADER}'] : ''`,
      },
    ],
    validations: [{
      // The leader's identity is its Pod's name, a hyphen, and something without one: "a" does not lead when "a-b-1" does.
      expression: "variables.leader == '' || " +
        "variables.leader.startsWith(variables.pod + '-') && variables.leader.lastIndexOf('-') == size(variables.pod)",
      messageExpression: "'Pod \"' + variables.pod + '\" does not lead, \"' + variables.leader + '\" does'",
      reason: "Forbidden",
    }],
  };
}
