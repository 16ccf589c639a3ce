import assert from "node:assert/strict";
import type { KubeObject } from "../../api/object.ts";
import { chartValues, chooseIngress, type ExplicitService, explicitService, ownIngress } from "./ingress.ts";
import { environment, project, SETTINGS } from "./test_objects.ts";

type Ports = (number | { name?: string; port: number; protocol?: string; appProtocol?: string })[];

function service(name: string, ports: Ports, spec: Record<string, unknown> = {}): KubeObject {
  const written = ports.map((port) => typeof port === "number" ? { port } : port);
  return { apiVersion: "v1", kind: "Service", metadata: { name }, spec: { ports: written, ...spec } };
}

function named(name: string, port?: number | string): ExplicitService {
  return { service: name, port, namedBy: "annotation" };
}

const INGRESS = { apiVersion: "networking.k8s.io/v1", kind: "Ingress", metadata: { name: "own" } };
const DATABASE = service("dev-postgresql", [{ name: "tcp-postgresql", port: 5432 }]);

/** How it is reached, in short: `own web:80`, `deployed own`, `none`, `unclear ServiceMissing`. */
function chosen(objects: KubeObject[], explicit?: ExplicitService): string {
  const choice = chooseIngress({ objects, release: "dev", project: "shop" }, explicit);
  switch (choice.how) {
    case "own":
      return `own ${choice.backend.service}:${choice.backend.port}`;
    case "deployed":
      return `deployed ${choice.ingresses}`;
    case "none":
      return "none";
    case "unclear":
      return `unclear ${choice.reason}`;
  }
}

const CHOICES: Record<string, { objects: KubeObject[]; explicit?: ExplicitService; how: string }> = {
  "the Ingress that is deployed": { objects: [service("web", [80]), INGRESS], how: "deployed own" },
  "the Ingress that is deployed, whatever is named": {
    objects: [service("web", [80]), INGRESS],
    explicit: named("web"),
    how: "deployed own",
  },
  "nothing where there is no Service": { objects: [], how: "none" },
  "nothing where the Service is elsewhere": { objects: [service("web", [80], { type: "ExternalName" })], how: "none" },
  "the only Service that speaks HTTP": { objects: [DATABASE, service("anything", [8080])], how: "own anything:8080" },
  "the Service of the release": { objects: [service("api", [80]), service("dev", [80])], how: "own dev:80" },
  "the Service of the project": { objects: [service("api", [80]), service("shop", [80])], how: "own shop:80" },
  "a well-known name": { objects: [service("api", [80]), service("frontend", [3000])], how: "own frontend:3000" },
  "web before frontend": { objects: [service("frontend", [80]), service("web", [80])], how: "own web:80" },
  "a well-known end of a name": {
    objects: [DATABASE, service("dev-api", [80]), service("dev-web", [80])],
    how: "own dev-web:80",
  },
  "a port by its name first": {
    objects: [service("web", [80, { name: "http", port: 9999 }])],
    how: "own web:9999",
  },
  "a port by what it speaks": { objects: [service("web", [{ port: 9999, appProtocol: "http" }])], how: "own web:9999" },
  "a port by its number, 80 before 8080": { objects: [service("web", [8080, 80])], how: "own web:80" },
  "no port of UDP": { objects: [service("web", [{ port: 80, protocol: "UDP" }])], how: "unclear ServiceUnclear" },
  "nobody where several could serve": {
    objects: [service("api", [80]), service("admin", [80])],
    how: "unclear ServiceUnclear",
  },
  "nobody where none speaks HTTP": { objects: [DATABASE], how: "unclear ServiceUnclear" },
  "the one that is named": {
    objects: [service("web", [80]), service("admin", [8080])],
    explicit: named("admin"),
    how: "own admin:8080",
  },
  "the one that is named, at its only port": {
    objects: [service("web", [80]), DATABASE],
    explicit: named("dev-postgresql"),
    how: "own dev-postgresql:5432",
  },
  "the port that is named by number": {
    objects: [service("web", [80, 9000])],
    explicit: named("web", 9000),
    how: "own web:9000",
  },
  "the port that is named by name": {
    objects: [service("web", [80, { name: "admin", port: 9000 }])],
    explicit: named("web", "admin"),
    how: "own web:9000",
  },
  "nobody where the named one is not deployed": {
    objects: [service("web", [80])],
    explicit: named("admin"),
    how: "unclear ServiceMissing",
  },
  "nobody where the named port is not there": {
    objects: [service("web", [80])],
    explicit: named("web", 81),
    how: "unclear PortMissing",
  },
  "nobody where the named one has several unknown ports": {
    objects: [service("web", [7000, 7001])],
    explicit: named("web"),
    how: "unclear PortMissing",
  },
  "nobody where nothing has ports": { objects: [service("web", [])], how: "unclear ServiceUnclear" },
};

for (const [sentence, { objects, explicit, how }] of Object.entries(CHOICES)) {
  Deno.test(`chooseIngress(): ${sentence}`, () => assert.equal(chosen(objects, explicit), how));
}

Deno.test("chooseIngress() says what there is, and where to name one", () => {
  const objects = [service("api", [80]), service("admin", [80])];
  const choice = chooseIngress({ objects, release: "dev", project: "shop" });
  assert.deepEqual(choice, {
    how: "unclear",
    reason: "ServiceUnclear",
    message: 'Several Services could serve: "api", "admin"; name one in annotation "maquette.dev/service" or in ' +
      "deployment.values.maquette.service",
  });
});

Deno.test("explicitService() reads the Environment's annotation, then the Project's values", () => {
  const annotated = (value: string) =>
    environment({}, { metadata: { annotations: { "maquette.dev/service": value } } });
  const valued = project({
    deployment: { type: "helm", path: ".", values: { maquette: { service: "api", port: 81 } } },
  });
  const { namedBy: _, ...fromAnnotation } = explicitService(annotated("web:http"), valued)!;
  assert.deepEqual(fromAnnotation, { service: "web", port: "http" });
  assert.equal(explicitService(annotated("web:8080"), valued)!.port, 8080);
  assert.ok(!("port" in explicitService(annotated("web"), valued)!));
  const { namedBy, ...fromValues } = explicitService(environment(), valued)!;
  assert.deepEqual(fromValues, { service: "api", port: 81 });
  assert.match(namedBy, /deployment\.values\.maquette/);
  assert.equal(explicitService(environment(), project()), undefined);
});

Deno.test("chartValues() keeps what is for us from the chart", () => {
  const values = { a: 1, maquette: { service: "web" } };
  assert.deepEqual(chartValues({ type: "helm", path: ".", values }), { a: 1 });
  assert.deepEqual(chartValues({ type: "helm", path: "." }), {});
});

Deno.test("ownIngress() leads the host to the Service, with the certificate that the configuration wants", () => {
  const to = { host: "dev.preview.example.com", backend: { service: "web", port: 80 } };
  const tls = { mode: "cert-manager", clusterIssuer: "letsencrypt" } as const;
  const { metadata, spec } = ownIngress(environment(), to, { ...SETTINGS, tls });
  assert.equal(metadata.namespace, "acme-shop-dev");
  assert.deepEqual(metadata.annotations, { "cert-manager.io/cluster-issuer": "letsencrypt" });
  assert.deepEqual(spec.tls, [{ hosts: [to.host], secretName: `${to.host}-tls` }]);
  const backend = { service: { name: "web", port: { number: 80 } } };
  assert.deepEqual(spec.rules, [{ host: to.host, http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }]);
});
