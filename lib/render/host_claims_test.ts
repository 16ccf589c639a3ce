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
  const why = "an environment has one host, and may not change how an ingress controller or a DNS zone is configured";
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
