import assert from "node:assert/strict";
import fc from "fast-check";
import type { KubeObject } from "../../api/object.ts";
import { PREVIEW_ENVIRONMENT, type PreviewEnvironment } from "../../api/preview_environment.ts";
import { schemaProblems } from "../../api/validate.ts";
import { isDnsLabel } from "../../naming.ts";
import { targetNamespace } from "../../preview_names.ts";
import { childKey } from "../../runtime/changes.ts";
import { stamp } from "../../runtime/ownership.ts";
import { TEMPLATE_LABEL } from "../../workload/pod_template.ts";
import { certificateSecret, desiredObjects, fullImage, podTemplate, urlOf } from "./desired.ts";
import type { PreviewSettings, TlsSettings } from "./settings.ts";
import { sourcesOf } from "./sources.ts";
import { child, preview, SETTINGS } from "./test_objects.ts";
import { previews, settings } from "./test_specs.ts";

const DIGEST = `sha256:${"ab".repeat(32)}`;

/** The sources of an environment, as the caches hold them. */
function sourcesFor(owner: PreviewEnvironment, given: PreviewSettings): KubeObject[] {
  return sourcesOf(owner, given).map(({ kind, namespace, name }) => ({
    apiVersion: "v1",
    kind,
    metadata: { namespace, name, uid: "uid-of-source", resourceVersion: "9" },
  }));
}

function withTls(tls: TlsSettings): PreviewSettings {
  return { ...SETTINGS, tls };
}

function container(spec: Record<string, unknown> = {}): KubeObject {
  return child(preview(spec), "Deployment").spec.template.spec.containers[0];
}

Deno.test("an environment has these children, the namespace first", () => {
  const owner = preview({ image_pull_secrets: [{ name: "pull" }] });
  const objects = desiredObjects(owner, SETTINGS, { sources: sourcesFor(owner, SETTINGS) });
  const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ""}/${metadata.name}`);
  assert.deepEqual(names, [
    "Namespace /preview-pr-7",
    "LimitRange preview-pr-7/preview",
    "ResourceQuota preview-pr-7/preview",
    "NetworkPolicy preview-pr-7/default-deny",
    "NetworkPolicy preview-pr-7/allow-ingress",
    "NetworkPolicy preview-pr-7/allow-egress",
    "NetworkPolicy preview-pr-7/allow-acme",
    "Secret preview-pr-7/pull",
    "Service preview-pr-7/pr-7-svc",
    "Ingress preview-pr-7/pr-7-ingress",
    "Deployment preview-pr-7/pr-7-app",
  ]);
});

Deno.test("every child carries the labels and the annotation of its owner", () => {
  const owner = preview({}, { metadata: { name: "shop-7", uid: "u-1" } });
  for (const object of desiredObjects(owner, SETTINGS, { sources: [] })) {
    const { labels = {}, annotations = {} } = stamp(object, owner).metadata;
    assert.equal(labels["app.kubernetes.io/managed-by"], "maquette");
    assert.equal(labels["app.kubernetes.io/instance"], "shop-7");
    assert.equal(labels["app.kubernetes.io/part-of"], "previewenvironment");
    assert.equal(labels["maquette.dev/owner-uid"], "u-1");
    assert.equal(annotations["maquette.dev/owner"], "PreviewEnvironment.devops.orima.com/team-a/shop-7");
  }
});

Deno.test("the namespace carries the pull request and the Pod security levels", () => {
  assert.deepEqual(child(preview(), "Namespace").metadata.labels, {
    "pr-number": "7",
    "pod-security.kubernetes.io/enforce": "baseline",
    "pod-security.kubernetes.io/warn": "restricted",
  });
});

Deno.test("the Deployment rolls one Pod at a time and never below what is asked for", () => {
  const { spec } = child(preview({ replicas: 3 }), "Deployment");
  assert.equal(spec.replicas, 3);
  assert.equal(spec.progressDeadlineSeconds, SETTINGS.progressDeadlineSeconds);
  assert.deepEqual(spec.strategy, { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } });
});

Deno.test("Pods have no token, no privilege escalation and the runtime's seccomp profile", () => {
  const { spec } = child(preview(), "Deployment").spec.template;
  assert.equal(spec.automountServiceAccountToken, false);
  assert.deepEqual(spec.securityContext, { seccompProfile: { type: "RuntimeDefault" } });
  assert.deepEqual(spec.containers[0].securityContext, { allowPrivilegeEscalation: false });
});

Deno.test("Pods carry the labels by which watches find them, and what the Deployment and the Service select", () => {
  const owner = preview();
  const { labels } = podTemplate(owner).metadata;
  assert.equal(labels["app.kubernetes.io/managed-by"], "maquette");
  for (
    const selected of [child(owner, "Deployment").spec.selector.matchLabels, child(owner, "Service").spec.selector]
  ) {
    for (const [name, value] of Object.entries(selected)) assert.equal(labels[name], value);
  }
  assert.ok(!(TEMPLATE_LABEL in child(owner, "Deployment").spec.selector.matchLabels), "a selector is immutable");
});

Deno.test("the container is as the spec says", () => {
  assert.deepEqual(container(), {
    name: "app",
    image: "ghcr.io/acme/shop:v1",
    ports: [{ name: "http", containerPort: 8000, protocol: "TCP" }],
    resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { cpu: "250m", memory: "256Mi" } },
    securityContext: { allowPrivilegeEscalation: false },
    startupProbe: container().startupProbe,
    livenessProbe: container().livenessProbe,
    readinessProbe: container().readinessProbe,
  });
});

Deno.test("all three probes ask the port for the health path", () => {
  const app = container({ port: 3000, health_path: "/healthz?full=1" });
  for (const name of ["startupProbe", "livenessProbe", "readinessProbe"]) {
    assert.deepEqual(app[name].httpGet, { path: "/healthz?full=1", port: 3000, scheme: "HTTP" }, name);
  }
  assert.deepEqual(app.ports, [{ name: "http", containerPort: 3000, protocol: "TCP" }]);
});

Deno.test("variables, their sources and pull secrets are handed on", () => {
  const env = [{ name: "A", value: '$(B) "x"\n' }, { name: "T", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }];
  const env_from = [{ prefix: "P_", secretRef: { name: "s", optional: true } }];
  const owner = preview({ env, env_from, image_pull_secrets: [{ name: "pull" }] });
  const { spec } = child(owner, "Deployment").spec.template;
  assert.deepEqual(spec.containers[0].env, env);
  assert.deepEqual(spec.containers[0].envFrom, env_from);
  assert.deepEqual(spec.imagePullSecrets, [{ name: "pull" }]);
});

Deno.test("an empty value is left out, as the API server does", () => {
  assert.deepEqual(container({ env: [{ name: "A", value: "" }, { name: "B", value: "0" }] }).env, [
    { name: "A" },
    { name: "B", value: "0" },
  ]);
});

Deno.test("the Service leads from port 80 to the port", () => {
  const { spec } = child(preview({ port: 3000 }), "Service");
  assert.equal(spec.type, "ClusterIP");
  assert.deepEqual(spec.ports, [{ name: "http", protocol: "TCP", port: 80, targetPort: 3000 }]);
});

const TLS: Record<string, { tls: TlsSettings; secret?: string; annotations: Record<string, string>; url: string }> = {
  "by cert-manager": {
    tls: { mode: "cert-manager", clusterIssuer: "letsencrypt" },
    secret: "pr-7.preview.test-tls",
    annotations: { "cert-manager.io/cluster-issuer": "letsencrypt" },
    url: "https://pr-7.preview.test",
  },
  "by a wildcard Secret": {
    tls: { mode: "wildcard", secret: "wild" },
    secret: "wild",
    annotations: {},
    url: "https://pr-7.preview.test",
  },
  "none": { tls: { mode: "none" }, annotations: {}, url: "http://pr-7.preview.test" },
};

for (const [sentence, { tls, secret, annotations, url }] of Object.entries(TLS)) {
  Deno.test(`TLS ${sentence}`, () => {
    const owner = preview();
    const ingress = child(owner, "Ingress", withTls(tls));
    const backend = { service: { name: "pr-7-svc", port: { number: 80 } } };
    assert.equal(ingress.spec.ingressClassName, "nginx");
    assert.deepEqual(ingress.spec.rules, [
      { host: "pr-7.preview.test", http: { paths: [{ path: "/", pathType: "Prefix", backend }] } },
    ]);
    assert.deepEqual(ingress.spec.tls, secret && [{ hosts: ["pr-7.preview.test"], secretName: secret }]);
    assert.deepEqual(ingress.metadata.annotations, annotations);
    assert.equal(certificateSecret(owner, withTls(tls)), secret);
    assert.equal(urlOf(owner, withTls(tls)), url);
  });
}

Deno.test("the wildcard Secret is copied under the name that the Ingress asks for", () => {
  const owner = preview();
  const wildcard = withTls({ mode: "wildcard", secret: "wild" });
  const objects = desiredObjects(owner, wildcard, { sources: sourcesFor(owner, wildcard) });
  const copy = objects.find(({ kind }) => kind === "Secret")!;
  assert.deepEqual([copy.metadata.namespace, copy.metadata.name], ["preview-pr-7", "wild"]);
  assert.equal(copy.metadata.annotations!["maquette.dev/source-version"], "maquette-system/wild@uid-of-source/9");
  assert.ok(!("data" in copy));
});

Deno.test("with a repository, namespace and host name it, everything else stays", () => {
  const owner = preview({ repository: "Acme/Shop" });
  const namespace = "preview-acme-shop-pr-7";
  assert.equal(child(owner, "Namespace").metadata.name, namespace);
  assert.deepEqual(child(owner, "Deployment").metadata, { name: "pr-7-app", namespace });
  assert.equal(child(owner, "Ingress").spec.rules[0].host, "pr-7-acme-shop.preview.test");
});

const IMAGES: Record<string, { spec: Record<string, unknown>; image: string }> = {
  "a tag in the image": { spec: { image: "shop:v1" }, image: "shop:v1" },
  "a tag beside it": { spec: { image: "shop", image_tag: "v2" }, image: "shop:v2" },
  "the same tag in both": { spec: { image: "shop:v1", image_tag: "v1" }, image: "shop:v1" },
  "a port in the registry": {
    spec: { image: "localhost:5000/shop", image_tag: "v1" },
    image: "localhost:5000/shop:v1",
  },
  "a digest": { spec: { image: `shop@${DIGEST}` }, image: `shop@${DIGEST}` },
  "a tag and a digest": { spec: { image: `shop:v1@${DIGEST}` }, image: `shop:v1@${DIGEST}` },
};

for (const [sentence, { spec, image }] of Object.entries(IMAGES)) {
  Deno.test(`the image runs as it is written: ${sentence}`, () => {
    assert.equal(fullImage(preview(spec).spec), image);
    assert.equal(container(spec).image, image);
  });
}

Deno.test("an image that admission would have refused is shown as it stands", () => {
  assert.equal(fullImage({ ...preview().spec, image: "No Image", image_tag: "v1" }), "No Image");
});

function templateLabel(spec: Record<string, unknown>, metadata: Record<string, string> = {}): string | undefined {
  return podTemplate(preview(spec, { metadata })).metadata.labels[TEMPLATE_LABEL];
}

const ROLLING: Record<string, { spec: Record<string, unknown>; rolls: boolean }> = {
  "image": { spec: { image: "ghcr.io/acme/shop:v2" }, rolls: true },
  "port": { spec: { port: 3000 }, rolls: true },
  "env": { spec: { env: [{ name: "A", value: "1" }] }, rolls: true },
  "env_from": { spec: { env_from: [{ secretRef: { name: "a" } }] }, rolls: true },
  "resources": { spec: { resources: { limits: { cpu: 1 } } }, rolls: true },
  "health_path": { spec: { health_path: "/up" }, rolls: true },
  "image_pull_secrets": { spec: { image_pull_secrets: [{ name: "pull" }] }, rolls: true },
  "image_tag that says the same": { spec: { image_tag: "v1" }, rolls: false },
  "replicas": { spec: { replicas: 2 }, rolls: false },
  "ttl_seconds": { spec: { ttl_seconds: 600 }, rolls: false },
  "branch_name": { spec: { branch_name: "other" }, rolls: false },
};

for (const [field, { spec, rolls }] of Object.entries(ROLLING)) {
  Deno.test(`a change of ${field} makes ${rolls ? "new Pods" : "no new Pods"}`, () => {
    assert.equal(templateLabel(spec) !== templateLabel({}), rolls);
  });
}

/** What the API server takes as a label value (k8s.io/apimachinery, IsValidLabelValue). */
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

function isName({ kind, metadata: { name } }: KubeObject): boolean {
  const isCopy = kind === "Secret" || kind === "ConfigMap";
  return isCopy ? name.length <= 253 && SUBDOMAIN.test(name) : isDnsLabel(name);
}

Deno.test("the specs that properties are tested with are legal", () => {
  fc.assert(fc.property(previews, (owner) => assert.deepEqual(schemaProblems(PREVIEW_ENVIRONMENT, owner), [])));
});

Deno.test("every child of every legal spec is named by DNS, in the namespace, labelled legally and is plain JSON", () => {
  fc.assert(fc.property(previews, settings, (owner, given) => {
    const [namespace, ...others] = desiredObjects(owner, given, { sources: sourcesFor(owner, given) });
    assert.equal(namespace!.metadata.name, targetNamespace(owner.spec));
    assert.ok(others.every(({ metadata }) => metadata.namespace === namespace!.metadata.name));
    assert.equal(new Set(others.map(childKey)).size, others.length, "no two of one name");
    for (const object of [namespace!, ...others].map((each) => stamp(each, owner))) {
      assert.ok(isName(object), `${object.kind} ${object.metadata.name}`);
      assert.deepEqual(JSON.parse(JSON.stringify(object)), object);
      for (const value of Object.values(object.metadata.labels!)) {
        assert.ok(value.length <= 63 && LABEL_VALUE.test(value));
      }
    }
  }));
});

Deno.test("host and certificate of every legal spec are legal", () => {
  fc.assert(fc.property(previews, settings, (owner, given) => {
    const { host } = child(owner, "Ingress", given).spec.rules[0];
    assert.ok(host.length <= 253 && isDnsLabel(host.split(".")[0]), host);
    assert.ok(host.endsWith(`.${given.domain}`));
    assert.ok(SUBDOMAIN.test(certificateSecret(owner, given) ?? "none"));
  }));
});

Deno.test("the same spec gives the same objects, and nothing that is handed in is changed", () => {
  fc.assert(fc.property(previews, settings, (owner, given) => {
    const before = structuredClone({ owner, given });
    const sources = sourcesFor(owner, given);
    const once = desiredObjects(owner, given, { sources });
    assert.deepEqual(desiredObjects(structuredClone(owner), structuredClone(given), { sources }), once);
    assert.equal(JSON.stringify(desiredObjects(owner, given, { sources })), JSON.stringify(once));
    assert.deepEqual({ owner, given }, before);
  }));
});
