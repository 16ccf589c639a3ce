import assert from "node:assert/strict";
import type { KubeObject } from "../api/object.ts";
import { renderingOf } from "./fake_renderer.ts";
import { type Judging, refusedOf } from "./refuse.ts";
import { deployment, hook, object, pod, rendered } from "./test_objects.ts";

const HERE: Judging = { namespace: "team-shop-pr-7" };

function security(context: object): KubeObject {
  return pod("web", { containers: [{ name: "app", securityContext: context }] });
}

function service(spec: object): KubeObject {
  return { ...object("v1", "Service", "x"), spec };
}

const CASES: Record<string, [refused: KubeObject, reason: string, message: string, judging?: Partial<Judging>]> = {
  "a ClusterRole": [
    object("rbac.authorization.k8s.io/v1", "ClusterRole", "x"),
    "ClusterScoped",
    "ClusterRole/x is refused: use a Role",
  ],
  "a Namespace": [
    object("v1", "Namespace", "x"),
    "ClusterScoped",
    "Namespace/x is refused: the environment has its " +
    "namespace already; leave it out",
  ],
  "a CustomResourceDefinition": [
    object("apiextensions.k8s.io/v1", "CustomResourceDefinition", "x"),
    "ClusterScoped",
    "CustomResourceDefinition/x is refused: it is for the whole cluster; have it installed once, by whoever runs the cluster",
  ],
  "a kind that the cluster knows to be its own": [
    object("example.com/v1", "ClusterThing", "x"),
    "ClusterScoped",
    "ClusterThing/x is refused: it is for the whole cluster, and an environment has only its namespace",
    { isNamespaced: ({ group }) => group !== "example.com" },
  ],
  "another namespace": [
    object("v1", "Secret", "x", { namespace: "kube-system" }),
    "OtherNamespace",
    'Secret/x is for the namespace "kube-system": everything of an environment is in "team-shop-pr-7"',
  ],
  "a child of Maquette's": [
    object("v1", "Secret", "x", {
      labels: { "maquette.dev/owner-uid": "a", "app.kubernetes.io/managed-by": "maquette" },
    }),
    "MarkReserved",
    "Secret/x has marks that are Maquette's to set: leave out metadata.labels[maquette.dev/owner-uid], " +
    "metadata.labels[app.kubernetes.io/managed-by]",
  ],
  "a Secret that is not base64": [
    { ...object("v1", "Secret", "x"), data: { password: "hunter2!" } },
    "ContentRefused",
    'Secret/x is refused: data "password" is not base64: plain text belongs into stringData',
  ],
  "what says that it is a build": [
    object("batch/v1", "Job", "x", { labels: { "maquette.dev/build": "b" } }),
    "MarkReserved",
    "Job/x has marks that are Maquette's to set: leave out metadata.labels[maquette.dev/build]",
  ],
  "what says that it is a hook": [
    object("batch/v1", "Job", "x", { annotations: { "maquette.dev/hook": "pre-install", a: "b" } }),
    "MarkReserved",
    "Job/x has marks that are Maquette's to set: leave out metadata.annotations[maquette.dev/hook]",
  ],
  "a name elsewhere": [
    service({ type: "ExternalName", externalName: "db.acme.svc" }),
    "PastIsolation",
    'Service/x is refused: type ExternalName leads to "db.acme.svc", and an ingress controller would carry traffic ' +
    "there, past the environment's NetworkPolicies: give the application that name itself, in a variable or a value",
  ],
  "addresses of nodes": [
    service({ externalIPs: ["10.0.0.1", "10.0.0.2"] }),
    "PastIsolation",
    "Service/x is refused: externalIPs 10.0.0.1, 10.0.0.2 would have nodes take traffic for these addresses, past " +
    "the environment's NetworkPolicies: leave them out; the environment is reached by its Ingress",
  ],
  "addresses": [
    object("v1", "Endpoints", "x"),
    "PastIsolation",
    "Endpoints/x is refused: it leads to addresses of its own, and an ingress controller would carry traffic there, past " +
    "the environment's NetworkPolicies: leave it out; Kubernetes makes it for a Service with a selector",
  ],
  "a slice of addresses": [
    object("discovery.k8s.io/v1", "EndpointSlice", "x"),
    "PastIsolation",
    "EndpointSlice/x is refused: it leads to addresses of its own, and an ingress controller would carry traffic there, past " +
    "the environment's NetworkPolicies: leave it out; Kubernetes makes it for a Service with a selector",
  ],
  "an address that is asked whether a request may pass": [
    object("networking.k8s.io/v1", "Ingress", "x", {
      annotations: { "nginx.ingress.kubernetes.io/auth-url": "http://db.acme.svc/" },
    }),
    "PastIsolation",
    'Ingress/x is refused: annotation nginx.ingress.kubernetes.io/auth-url leads to "http://db.acme.svc/", and an ingress ' +
    "controller would carry traffic there, past the environment's NetworkPolicies: ask at a path of the environment's own " +
    "host (https://$host/...), or in the application",
  ],
  "a path that is more than one": [
    {
      ...object("networking.k8s.io/v1", "Ingress", "x"),
      spec: { rules: [{ http: { paths: [{ path: "/api(/|$)(.*)" }, { path: "/`) || Host(`a" }] } }] },
    },
    "PastIsolation",
    'Ingress/x is refused: an ingress controller may read path "/`) || Host(`a" as configuration of its own: leave out ' +
    "spaces, quotes, semicolons and braces",
  ],
  "the same by a middleware of Traefik's": [
    {
      ...object("traefik.io/v1alpha1", "Middleware", "x"),
      spec: { forwardAuth: { address: "http://db.acme.svc/" } },
    },
    "PastIsolation",
    'Middleware/x is refused: forwardAuth leads to "http://db.acme.svc/", and an ingress controller would carry traffic ' +
    "there, past the environment's NetworkPolicies: use a middleware of those who run the ingress controller",
  ],
  "ports of a Service that the API server would refuse": [
    service({ ports: [{ name: "http", port: 80 }, { name: "http", port: 8080 }] }),
    "PortsRefused",
    'Service/x is refused: ports 80, 8080 are all named "http": give each a name of its own',
  ],
  "the account that deploys": [
    pod("web", { serviceAccountName: "deployer" }),
    "UseReserved",
    'Pod/web is refused: it uses ServiceAccount "deployer", which is there for Maquette alone: give it another',
    { apart: new Map([["ServiceAccount/deployer", "give it another"]]) },
  ],
  "a name of the environment's own": [
    object("v1", "ServiceAccount", "deployer"),
    "NameReserved",
    "ServiceAccount/deployer has a name that the environment uses itself",
    { reserved: new Set(["ServiceAccount/deployer"]) },
  ],
  "the node's network": [pod("web", { hostNetwork: true }), "PodRefused", "Pod/web is refused: hostNetwork is true"],
  "the node's processes": [pod("web", { hostPID: true }), "PodRefused", "Pod/web is refused: hostPID is true"],
  "a folder of the node": [
    pod("web", { volumes: [{ name: "data" }, { name: "root", hostPath: { path: "/" } }] }),
    "PodRefused",
    'Pod/web is refused: volume "root" is the node\'s own "/"',
  ],
  "a privileged container": [
    security({ privileged: true }),
    "PodRefused",
    'Pod/web is refused: container "app" is privileged',
  ],
  "a capability": [
    security({ capabilities: { add: ["CHOWN", "SYS_ADMIN"] } }),
    "PodRefused",
    'Pod/web is refused: container "app" adds the capability SYS_ADMIN',
  ],
  "a port of the node": [
    pod("web", { containers: [{ name: "app", ports: [{ containerPort: 80, hostPort: 80 }] }] }),
    "PodRefused",
    'Pod/web is refused: container "app" uses port 80 of the node',
  ],
  "no seccomp profile": [
    security({ seccompProfile: { type: "Unconfined" } }),
    "PodRefused",
    'Pod/web is refused: container "app" has no seccomp profile (Unconfined)',
  ],
  "the kernel's settings": [
    pod("web", { securityContext: { sysctls: [{ name: "kernel.msgmax", value: "1" }] } }),
    "PodRefused",
    "Pod/web is refused: the Pod sets the sysctl kernel.msgmax",
  ],
};

for (const [name, [refused, reason, message, judging]] of Object.entries(CASES)) {
  Deno.test(`refusedOf() refuses ${name}`, () => {
    const found = refusedOf(renderingOf([], { objects: rendered(refused) }), { ...HERE, ...judging });
    assert.deepEqual(found, [{ reason, message: `app.yaml: ${message}` }]);
  });
}

const FINE: Record<string, KubeObject> = {
  "an object without a namespace": object("v1", "Service", "x"),
  "an object of the environment's namespace": object("v1", "Service", "x", { namespace: HERE.namespace }),
  "a label that Helm sets": object("v1", "Service", "x", { labels: { "app.kubernetes.io/managed-by": "Helm" } }),
  "an annotation that is the chart's to set": object("v1", "Service", "x", {
    annotations: { "maquette.dev/prune": "disabled" },
  }),
  "marks of others": object("v1", "Service", "x", {
    labels: { "simulate.maquette.dev/a": "b", "example.com/hook": "c" },
  }),
  "a Service without a selector, and with no external addresses": service({ type: "ClusterIP", externalIPs: [] }),
  "an address of its own that is asked": object("networking.k8s.io/v1", "Ingress", "x", {
    annotations: { "nginx.ingress.kubernetes.io/auth-url": "https://$host/oauth2/auth" },
  }),
  "paths with an expression, and what is odd": {
    ...object("networking.k8s.io/v1", "Ingress", "x"),
    spec: {
      rules: [null, { http: "a" }, { http: { paths: [null, { path: 1 }, { path: "/a\\.b/[a-z]+(/|$)(.*)?" }] } }],
    },
  },
  "a middleware that asks nobody": {
    ...object("traefik.io/v1alpha1", "Middleware", "x"),
    spec: { stripPrefix: { prefixes: ["/api"] } },
  },
  "a kind of another group that is called like addresses": object("example.com/v1", "Endpoints", "x"),
  "a kind of another group with a known name": object("example.com/v1", "Namespace", "x"),
  "what baseline allows": security({ capabilities: { add: ["NET_BIND_SERVICE"], drop: ["ALL"] }, privileged: false }),
  "a Pod that is odd": pod("web", { volumes: "text", containers: [null, { name: "a", ports: [{ hostPort: 0 }] }] }),
};

for (const [name, each] of Object.entries(FINE)) {
  Deno.test(`refusedOf() lets pass ${name}`, () => {
    assert.deepEqual(refusedOf(renderingOf([], { objects: rendered(each) }), HERE), []);
  });
}

Deno.test("refusedOf() says everything at once: definitions, objects in their order, hooks that run, and doubles", () => {
  const role = object("rbac.authorization.k8s.io/v1", "ClusterRole", "r");
  const bad = pod("bad", { hostNetwork: true, hostIPC: true });
  const found = refusedOf({
    ...renderingOf([]),
    objects: [...rendered(bad, role), { source: "b.yaml", object: bad }],
    hooks: [hook(role), hook(role, ["test"]), hook(deployment("fine", { a: "b" }))],
    refused: [{
      source: "crds/a.yaml",
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      name: "a",
    }],
  }, HERE);
  assert.deepEqual(found.map(({ message }) => message.split(" is re")[0]), [
    "crds/a.yaml: CustomResourceDefinition/a",
    "app.yaml: Pod/bad",
    "app.yaml: Pod/bad",
    "app.yaml: ClusterRole/r",
    "b.yaml: Pod/bad",
    "b.yaml: Pod/bad",
    "hook.yaml: ClusterRole/r",
    "Pod/bad",
  ]);
  assert.equal(found.at(-1)!.message, "Pod/bad is rendered twice: by app.yaml and by b.yaml");
});
