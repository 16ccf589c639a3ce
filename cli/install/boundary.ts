/**
 * The boundary that the API server holds around environments: policies that keep what runs in one to what may be deployed
 * there. A source may bind the role `admin` to a ServiceAccount of its own, as far as its namespace goes, and at run time
 * nothing judges what that account writes but these.
 *
 * They hold in namespaces that Maquette made, known by their owner's mark, which no role for a namespace lets anybody
 * change. Two sorts:
 *
 * - What only those may write whose right to it holds in every namespace: the operator, the cluster's controllers,
 *   administrators. Asked for in these words, and not by who somebody is: a RoleBinding can be for anybody, for accounts of
 *   other environments and for everybody, and then makes none of them more than an account of this one.
 * - What nobody may write, because controllers would do it for whoever asked them to.
 *
 * Pure.
 *
 * @module
 */
import { ANNOTATION_HOST, BOUNDARY_POLICY, LABEL_OWNER_UID } from "../../lib/api/names.ts";
import type { KubeObject, Resource } from "../../lib/api/object.ts";
import { KINDS } from "../../lib/api/registry.ts";
import { INGRESS, NETWORK_POLICY, POD, SECRET, SERVICE } from "../../lib/api/resources.ts";
import { DEPLOYER } from "../../lib/controllers/environment/target_namespace.ts";
import { AUTH_URL, LEFT_OUT, OWN_AUTH_URL, PLAIN_PATH } from "../../lib/render/route_rules.ts";

const API = "admissionregistration.k8s.io/v1";
const TOKEN_OF = "kubernetes.io/service-account.name";
const APART = `ServiceAccount ${DEPLOYER} is there for Maquette alone`;

/** CEL, and what is said where it is false. */
interface Validation {
  expression: string;
  /** CEL as well. */
  messageExpression: string;
}

interface Rule {
  /** In one version: the API server knows which others mean the same. */
  resources: Pick<Resource, "group" | "version" | "plural">[];
  operations: ("CREATE" | "UPDATE" | "DELETE")[];
  validations: Validation[];
}

/** Each policy evaluates only what its rule needs. */
const VARIABLES: Readonly<Record<string, string>> = {
  // The whole cluster is meant, where a request for a namespaced resource names no namespace.
  right: "authorizer.group(request.resource.group).resource(request.resource.resource)" +
    ".subresource(has(request.subResource) ? request.subResource : '')",
  everywhere: "request.operation == 'CREATE' ? variables.right.check('create').allowed() : " +
    "request.operation == 'DELETE' ? variables.right.check('delete').allowed() : " +
    "variables.right.check('update').allowed() || variables.right.check('patch').allowed()",
  annotations: "has(object.metadata.annotations) ? object.metadata.annotations : {}",
  claims: `variables.annotations.filter(name, name.matches('(?i)${LEFT_OUT}') || name.matches('(?i)${AUTH_URL}') && ` +
    `!variables.annotations[name].matches('(?i)${OWN_AUTH_URL}'))`,
  tokenOf: `'${TOKEN_OF}' in variables.annotations ? variables.annotations['${TOKEN_OF}'] : ''`,
  host: "has(namespaceObject.metadata.annotations) && " +
    `'${ANNOTATION_HOST}' in namespaceObject.metadata.annotations ? ` +
    `namespaceObject.metadata.annotations['${ANNOTATION_HOST}'] : ''`,
};

const ROUTES: Validation = {
  expression: "variables.claims.size() == 0 || variables.everywhere",
  messageExpression: "'an environment may not claim further hosts, configure a controller or have requests sent " +
    "elsewhere, as by ' + variables.claims.join(', ')",
};

/** By the end of the policy's name. */
const RULES: Readonly<Record<string, Rule>> = {
  isolation: {
    resources: [NETWORK_POLICY],
    operations: ["CREATE", "UPDATE", "DELETE"],
    validations: [onlyEverywhere("an environment is isolated by policies of Maquette alone")],
  },
  kinds: {
    resources: KINDS.map(({ resource }) => resource),
    operations: ["CREATE", "UPDATE", "DELETE"],
    validations: [onlyEverywhere("an environment makes no others")],
  },
  tokens: {
    resources: [{ group: "", version: "v1", plural: "serviceaccounts/token" }],
    operations: ["CREATE"],
    validations: [{
      expression: `request.?name.orValue('') != '${DEPLOYER}' || variables.everywhere`,
      messageExpression: `'${APART}'`,
    }],
  },
  // Controllers make both for whoever asks: nobody is an exception.
  pods: {
    resources: [POD],
    operations: ["CREATE"],
    validations: [{
      expression: `!has(object.spec.serviceAccountName) || object.spec.serviceAccountName != '${DEPLOYER}'`,
      messageExpression: `'${APART}: no Pod may run as it'`,
    }],
  },
  secrets: {
    resources: [SECRET],
    operations: ["CREATE", "UPDATE"],
    validations: [{
      expression: "!has(object.type) || object.type != 'kubernetes.io/service-account-token' || " +
        `variables.tokenOf != '${DEPLOYER}'`,
      messageExpression: `'${APART}: no Secret may hold its token'`,
    }],
  },
  services: {
    resources: [SERVICE],
    operations: ["CREATE", "UPDATE"],
    validations: [{
      expression: "object.spec.?type.orValue('') != 'ExternalName' && " +
        "object.spec.?externalIPs.orValue([]).size() == 0 || variables.everywhere",
      messageExpression: "'type ExternalName and externalIPs would lead past the NetworkPolicies of the environment'",
    }, ROUTES],
  },
  ingresses: {
    resources: [INGRESS],
    operations: ["CREATE", "UPDATE"],
    validations: [{
      expression: "variables.host != '' && !has(object.spec.defaultBackend) && " +
        "object.spec.?rules.orValue([]).all(rule, rule.?host.orValue('') == variables.host) && " +
        "object.spec.?tls.orValue([]).all(each, each.?hosts.orValue(['']).all(host, host == variables.host)) || " +
        "variables.everywhere",
      messageExpression: "'an Ingress of this environment may have the host \"' + variables.host + '\" only'",
    }, {
      expression: "object.spec.?rules.orValue([]).all(rule, rule.?http.?paths.orValue([]).all(each, " +
        `each.?path.orValue('').matches(r'${PLAIN_PATH}'))) || variables.everywhere`,
      messageExpression: "'an ingress controller may read spaces, quotes, semicolons and braces in a path as " +
        "configuration of its own'",
    }, ROUTES],
  },
};

/** Policies with their bindings. */
export function boundaryObjects(): KubeObject[] {
  return Object.entries(RULES).flatMap(([part, rule]) => policy(part, rule));
}

function onlyEverywhere(why: string): Validation {
  return {
    expression: "variables.everywhere",
    messageExpression: "'\"' + request.userInfo.username + '\" may not write ' + request.resource.resource + " +
      `' of an environment: ${why}, and only who may write them in every namespace may do so here'`,
  };
}

function policy(part: string, { resources, operations, validations }: Rule): KubeObject[] {
  const metadata = { name: `${BOUNDARY_POLICY}-${part}` };
  const resourceRules = [...Map.groupBy(resources, ({ group }) => group)].map(([group, all]) => ({
    apiGroups: [group],
    apiVersions: [...new Set(all.map(({ version }) => version))],
    operations,
    resources: all.map(({ plural }) => plural),
  }));
  const variables = usedBy(validations).map((name) => ({ name, expression: VARIABLES[name]! }));
  const spec = {
    // One that opens when something is wrong is none. It is small: these kinds, in namespaces that Maquette made.
    failurePolicy: "Fail",
    matchConstraints: {
      resourceRules,
      namespaceSelector: { matchExpressions: [{ key: LABEL_OWNER_UID, operator: "Exists" }] },
    },
    ...(variables.length > 0 ? { variables } : {}),
    validations: validations.map((each) => ({ ...each, reason: "Forbidden" })),
  };
  return [
    { apiVersion: API, kind: "ValidatingAdmissionPolicy", metadata, spec },
    {
      apiVersion: API,
      kind: "ValidatingAdmissionPolicyBinding",
      metadata,
      spec: { policyName: metadata.name, validationActions: ["Deny"] },
    },
  ];
}

/** Those that the expressions name, and those that they name themselves, in the order in which they are declared. */
function usedBy(validations: readonly Validation[]): string[] {
  const texts = validations.flatMap(({ expression, messageExpression }) => [expression, messageExpression]);
  const isNamed = (name: string, text: string): boolean => new RegExp(`variables[.]${name}\\b`).test(text);
  const needed = new Set(Object.keys(VARIABLES).filter((name) => texts.some((text) => isNamed(name, text))));
  for (const name of needed) {
    for (const other of Object.keys(VARIABLES)) if (isNamed(other, VARIABLES[name]!)) needed.add(other);
  }
  return Object.keys(VARIABLES).filter((name) => needed.has(name));
}
