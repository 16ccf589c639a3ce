import assert from "node:assert/strict";
import type { KubeObject } from "../api/object.ts";
import { type IngressWish, injectHost } from "./inject_host.ts";
import { object, rendered } from "./test_objects.ts";

const HOST = "pr-7.example.com";
const WEB = { service: { name: "web", port: { number: 80 } } };
const API = { service: { name: "api", port: { number: 80 } } };

function ingress(spec: object, apiVersion = "networking.k8s.io/v1"): KubeObject {
  return { ...object(apiVersion, "Ingress", "web", { annotations: { a: "theirs", b: "theirs" } }), spec };
}

function path(at: string, backend: object = WEB): object {
  return { path: at, pathType: "Prefix", backend };
}

const CASES: Record<string, [spec: object, want: object, warnings: RegExp[]]> = {
  "the host is replaced, paths stay": [
    { rules: [{ host: "shop.example.org", http: { paths: [path("/"), path("/api", API)] } }] },
    { rules: [{ host: HOST, http: { paths: [path("/"), path("/api", API)] } }] },
    [],
  ],
  "TLS of the chart's own goes": [
    { rules: [{ host: "a", http: { paths: [path("/")] } }], tls: [{ hosts: ["a"], secretName: "a" }] },
    { rules: [{ host: HOST, http: { paths: [path("/")] } }] },
    [],
  ],
  "several hosts become one, each path once": [
    { rules: [{ host: "a", http: { paths: [path("/")] } }, { host: "www.a", http: { paths: [path("/")] } }] },
    { rules: [{ host: HOST, http: { paths: [path("/")] } }] },
    [/^Ingress\/web: Hosts a, www\.a are all pr-7\.example\.com now$/],
  ],
  "the first of two backends for a path is used": [
    { rules: [{ host: "a", http: { paths: [path("/")] } }, { host: "b", http: { paths: [path("/", API)] } }] },
    { rules: [{ host: HOST, http: { paths: [path("/")] } }] },
    [/Hosts a, b/, /^Ingress\/web: Path \/ has several backends, the first one is used$/],
  ],
  "a rule for all hosts is for this one": [
    { rules: [{ http: { paths: [path("/")] } }] },
    { rules: [{ host: HOST, http: { paths: [path("/")] } }] },
    [],
  ],
  "a backend for everything is for this host": [
    { defaultBackend: WEB },
    { rules: [{ host: HOST, http: { paths: [path("/")] } }] },
    [],
  ],
  "what is no rule is no path": [
    { rules: ["text", { host: "a", http: { paths: "text" } }] },
    { rules: [{ host: HOST, http: { paths: [] } }] },
    [],
  ],
};

for (const [name, [spec, want, warnings]] of Object.entries(CASES)) {
  Deno.test(`injectHost(): ${name}`, () => {
    const result = injectHost(rendered(ingress(spec)), { host: HOST });
    assert.deepEqual(result.items[0]!.object.spec, want);
    assert.equal(result.warnings.length, warnings.length, JSON.stringify(result.warnings));
    warnings.forEach((pattern, index) => assert.match(result.warnings[index]!.message, pattern));
    assert.deepEqual(result.injected, [{ what: "host", where: "Ingress/web", value: HOST }]);
  });
}

Deno.test("injectHost() sets certificate, class and annotations where they are wished for", () => {
  const wish: IngressWish = {
    host: HOST,
    tlsSecret: "cert",
    ingressClass: "nginx",
    annotations: { b: "ours", c: "ours" },
  };
  const given = ingress({ ingressClassName: "other", rules: [{ host: "a", http: { paths: [path("/")] } }] });
  const { object: { spec, metadata } } = injectHost(rendered(given), wish).items[0]!;
  assert.deepEqual(spec.tls, [{ hosts: [HOST], secretName: "cert" }]);
  assert.equal(spec.ingressClassName, "nginx");
  assert.deepEqual(metadata.annotations, { a: "theirs", b: "ours", c: "ours" });
});

Deno.test("injectHost() touches no other kind of that name, and is silent without an Ingress", () => {
  const items = rendered(ingress({ rules: [] }, "example.com/v1"), object("v1", "Service", "x"));
  assert.deepEqual(injectHost(items, { host: HOST }), { items, injected: [], warnings: [] });
});
