import assert from "node:assert/strict";
import { renderingOf } from "./fake_renderer.ts";
import { withoutHostClaims } from "./host_claims.ts";
import { object } from "./test_objects.ts";

const NGINX = "nginx.ingress.kubernetes.io";
const DNS = "external-dns.alpha.kubernetes.io/hostname";
const CLAIMS = { [`${NGINX}/server-alias`]: "shop.example.org", [`${NGINX}/server-snippet`]: "return 200;" };
const KEPT = { [`${NGINX}/proxy-body-size`]: "8m", "cert-manager.io/issuer": "acme" };

Deno.test("withoutHostClaims() leaves out annotations of Ingresses and Services, and says which", () => {
  const given = renderingOf([
    object("networking.k8s.io/v1", "Ingress", "web", { annotations: { ...CLAIMS, ...KEPT, [DNS]: "a" } }),
    object("v1", "Service", "web", { annotations: { [DNS]: "a", b: "c" } }),
  ], { warnings: [{ reason: "Earlier", message: "Said before" }] });
  const { objects, warnings } = withoutHostClaims(given);
  assert.deepEqual(objects.map(({ object }) => object.metadata.annotations), [KEPT, { b: "c" }]);
  const why = "an environment has one host, and may neither change how an ingress controller or a DNS zone is " +
    "configured nor have requests sent elsewhere";
  assert.deepEqual(warnings, [
    { reason: "Earlier", message: "Said before" },
    {
      reason: "AnnotationsLeftOut",
      message: `Ingress/web: Left out ${Object.keys(CLAIMS).join(", ")}, ${DNS}: ${why}`,
      file: "Ingress.yaml",
    },
    { reason: "AnnotationsLeftOut", message: `Service/web: Left out ${DNS}: ${why}`, file: "Service.yaml" },
  ]);
  assert.ok(DNS in given.objects[1]!.object.metadata.annotations!, "what was given is as it was");
});

Deno.test("withoutHostClaims() leaves everything else as it is", () => {
  const given = renderingOf([
    object("networking.k8s.io/v1", "Ingress", "web", { annotations: KEPT }),
    object("v1", "Service", "web"),
    object("v1", "ConfigMap", "web", { annotations: { [DNS]: "a" } }),
    object("serving.knative.dev/v1", "Service", "web", { annotations: { [DNS]: "a" } }),
  ]);
  assert.equal(withoutHostClaims(given), given);
});

const TRAEFIK = "traefik.ingress.kubernetes.io";
const OTHER = "haproxy-ingress.github.io";

/** By what they would do, one of each line of the table and what looks alike. */
const LEFT_OUT: Record<string, string[]> = {
  "answer for further hosts": [
    ...[`${NGINX}/server-alias`, `${NGINX}/from-to-www-redirect`, "server-alias"],
    ...[`${OTHER}/server-alias-regex`, `${OTHER}/redirect-from`, `${OTHER}/redirect-from-regex`],
    ...["haproxy.org/route-acl", "haproxy.com/route-acl", `${OTHER}/tcp-service-port`],
    ...[`${TRAEFIK}/router.pathmatcher`, `${TRAEFIK}/Router.PathMatcher`, `${TRAEFIK}/router.rulesyntax`],
  ],
  "have certificates of further hosts": [
    ...[`${TRAEFIK}/router.tls.domains.0.main`, "cert-manager.io/alt-names", "cert-manager.io/common-name"],
  ],
  "are configuration as it stands": [
    ...["configuration", "server", "auth", "modsecurity", "stream"].map((each) => `${NGINX}/${each}-snippet`),
    ...["nginx.org/server-snippets", "haproxy.org/backend-config-snippet"],
    ...[`${OTHER}/config-backend`, `${OTHER}/config-backend-late`, `${OTHER}/config-tcp-service`],
  ],
  "have requests sent elsewhere": [
    ...[
      `${NGINX}/mirror-target`,
      `${NGINX}/mirror-host`,
      `${NGINX}/upstream-vhost`,
      "internal.example.com/mirror-target",
    ],
    ...["haproxy.org/set-host", `${OTHER}/agent-check-addr`, "ingress.kubernetes.io/health-check-addr"],
  ],
  "choose another controller": ["kubernetes.io/ingress.class", "projectcontour.io/ingress.class"],
  "write into DNS zones": [DNS, "external-dns.alpha.kubernetes.io/target"],
};

for (const [what, names] of Object.entries(LEFT_OUT)) {
  Deno.test(`withoutHostClaims() leaves out annotations that ${what}`, () => {
    const annotations = Object.fromEntries(names.map((name) => [name, "x"]));
    const given = renderingOf([object("networking.k8s.io/v1", "Ingress", "web", { annotations })]);
    assert.deepEqual(withoutHostClaims(given).objects[0]!.object.metadata.annotations, {});
  });
}

const OWN_AFFAIR = [
  ...["x-forwarded-prefix", "default-backend", "permanent-redirect", "rewrite-target", "whitelist-source-range"],
  ...["canary-by-header", "auth-type", "auth-secret", "proxy-ssl-verify", "service-upstream", "upstream-hash-by"],
].map((name) => `${NGINX}/${name}`);

Deno.test("withoutHostClaims() leaves to the environment what is about its own host and Services", () => {
  const names = [
    ...[...OWN_AFFAIR, `${TRAEFIK}/router.middlewares`, `${TRAEFIK}/router.entrypoints`, `${TRAEFIK}/router.priority`],
    ...[`${TRAEFIK}/router.tls`, `${TRAEFIK}/service.serversscheme`, "haproxy.org/path-rewrite", `${OTHER}/app-root`],
    ...["projectcontour.io/websocket-routes", "projectcontour.io/response-timeout", "cert-manager.io/cluster-issuer"],
    ...["example.com/common-name", "example.com/snippets-are-fun"],
  ];
  const annotations = Object.fromEntries(names.map((name) => [name, "x"]));
  const given = renderingOf([object("networking.k8s.io/v1", "Ingress", "web", { annotations })]);
  assert.equal(withoutHostClaims(given), given);
});
