/**
 * Sources that try what no environment may have, for integration tests.
 *
 * @module
 */
import type { KubeObject } from "../../lib/api/object.ts";
import { type Files, webObjects } from "./environments.ts";

const ROLE = {
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "ClusterRole",
  metadata: { name: "hostile" },
  rules: [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }],
};
const ELSEWHERE = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "elsewhere", namespace: "default" } };
const LOOKUP = `apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data: {found: "{{ lookup "v1" "Secret" "default" "s" }}"}
`;

function podOf(spec: Record<string, unknown>): KubeObject {
  const containers = [{ name: "app", image: "ghcr.io/acme/web:v1" }];
  return { apiVersion: "v1", kind: "Pod", metadata: { name: "pod" }, spec: { containers, ...spec } };
}

/** Sources by what they try, and what is said to it. */
export const HOSTILE: Record<string, { type?: string; files: Files; message: RegExp }> = {
  "cluster-role": { files: { "all.yaml": [...webObjects("web", "hostile"), ROLE] }, message: /ClusterRole\/hostile/ },
  "other-namespace": { files: { "all.yaml": ELSEWHERE }, message: /ConfigMap\/elsewhere.*"default"/ },
  "host-path": {
    files: { "all.yaml": podOf({ volumes: [{ name: "v", hostPath: { path: "/" } }] }) },
    message: /Pod\/pod.*node's own/,
  },
  "privileged": {
    files: { "all.yaml": podOf({ containers: [{ name: "a", image: "a:1", securityContext: { privileged: true } }] }) },
    message: /Pod\/pod.*privileged/i,
  },
  "deploying-account": {
    files: { "all.yaml": podOf({ serviceAccountName: "maquette-deployer" }) },
    message: /all\.yaml: Pod\/pod is refused: it uses ServiceAccount "maquette-deployer"/,
  },
  "two-ports-of-one-name": {
    files: {
      "all.yaml": {
        ...{ apiVersion: "v1", kind: "Service", metadata: { name: "web" } },
        spec: { ports: [{ name: "http", port: 80 }, { name: "http", port: 8080 }] },
      },
    },
    message: /all\.yaml: Service\/web is refused: ports 80, 8080 are all named "http"/,
  },
  "not-base64": {
    files: {
      "all.yaml": [...webObjects("web", "hostile"), {
        ...{ apiVersion: "v1", kind: "Secret", metadata: { name: "login" } },
        data: { password: "hunter2!" },
      }],
    },
    message: /all\.yaml: Secret\/login is refused: data "password" is not base64(?!.*hunter2)/,
  },
  "remote-base": {
    type: "kustomize",
    files: { "kustomization.yaml": { resources: ["https://github.com/acme/shop//base"] } },
    message: /github\.com\/acme\/shop/,
  },
  "exec-plugin": {
    type: "kustomize",
    files: {
      "kustomization.yaml": { generators: ["plugin.yaml"] },
      "plugin.yaml": { apiVersion: "x/v1", kind: "X", metadata: { name: "x" } },
    },
    message: /plugin|generator/i,
  },
  "outside": {
    type: "kustomize",
    files: { "kustomization.yaml": { resources: ["../../../outside"] } },
    message: /outside/,
  },
  "lookup": {
    type: "helm",
    files: { "Chart.yaml": { apiVersion: "v2", name: "x", version: "0.1.0" }, "templates/a.yaml": LOOKUP },
    message: /lookup/,
  },
};

/** Files of all of them, below `hostile/`. */
export function hostileFiles(): Files {
  return Object.fromEntries(
    Object.entries(HOSTILE).flatMap(([name, { files }]) =>
      Object.entries(files).map(([path, content]) => [`hostile/${name}/${path}`, content])
    ),
  );
}
