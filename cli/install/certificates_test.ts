import assert from "node:assert/strict";
import type { KubeObject } from "../../lib/api/object.ts";
import { readCommandLine } from "../../lib/config.ts";
import { installation } from "./objects.ts";

const CERT_MANAGER = "--webhook-certificates=cert-manager";
const INJECT = "cert-manager.io/inject-ca-from";
const CONFIGURATIONS = ["MutatingWebhookConfiguration/maquette", "ValidatingWebhookConfiguration/maquette"];

function part(name: string, ...flags: string[]): KubeObject[] {
  const { config } = readCommandLine(flags, {});
  return installation({ config, image: "maquette", replicas: 2 }).get(name)!;
}

function named(objects: readonly KubeObject[]): Map<string, KubeObject> {
  return new Map(objects.map((object) => [`${object.kind}/${object.metadata.name}`, object]));
}

/** `verbs resources names` of every rule about Secrets in the operator's namespace, and about configurations. */
function rightsToCertificates(...flags: string[]): string[] {
  const rules = part("rbac", ...flags).flatMap((object) =>
    object.metadata.name !== "maquette" ? [] : (object.rules ?? []).map((rule: Record<string, string[]>) => ({
      ...rule,
      isOwnNamespace: object.kind === "Role",
    }))
  );
  return rules.filter(({ resources, isOwnNamespace }) =>
    isOwnNamespace && resources.includes("secrets") || resources.includes("mutatingwebhookconfigurations")
  ).map(({ verbs, resources, resourceNames = [] }) => [verbs, resources, resourceNames].join(" "));
}

Deno.test("without cert-manager the configurations are all there is, and nothing says who writes caBundle", () => {
  const objects = named(part("webhooks"));
  assert.deepEqual([...objects.keys()], CONFIGURATIONS);
  for (const { metadata } of objects.values()) assert.equal(metadata.annotations, undefined);
});

Deno.test("cert-manager is asked for an authority that keeps its key and a leaf that does not", () => {
  const objects = named(part("webhooks", CERT_MANAGER, "--namespace=ops", "--webhook-certificate-seconds=7200"));
  assert.deepEqual([...objects.keys()], [
    "Issuer/maquette-webhook-selfsigned",
    "Certificate/maquette-webhook-ca",
    "Issuer/maquette-webhook-ca",
    "Certificate/maquette-webhook",
    ...CONFIGURATIONS,
  ]);
  for (const { kind, metadata } of objects.values()) {
    if (!kind.endsWith("Configuration")) assert.equal(metadata.namespace, "ops");
  }
  const authority = objects.get("Certificate/maquette-webhook-ca")!.spec;
  assert.equal(authority.isCA, true);
  assert.deepEqual(authority.privateKey, { algorithm: "ECDSA", size: 256, rotationPolicy: "Never" });
  assert.equal(objects.get("Issuer/maquette-webhook-ca")!.spec.ca.secretName, authority.secretName);
  const leaf = objects.get("Certificate/maquette-webhook")!.spec;
  assert.deepEqual(leaf.dnsNames, ["maquette-webhook.ops.svc", "maquette-webhook.ops.svc.cluster.local"]);
  assert.deepEqual([leaf.duration, leaf.renewBefore], ["7200s", "2400s"]);
  assert.deepEqual(leaf.issuerRef, { group: "cert-manager.io", kind: "Issuer", name: "maquette-webhook-ca" });
  assert.equal(leaf.privateKey.rotationPolicy, "Always");
});

Deno.test("with cert-manager caBundle is injected from the leaf's Secret, and we write none", () => {
  for (const key of CONFIGURATIONS) {
    const { metadata, webhooks } = named(part("webhooks", CERT_MANAGER)).get(key)!;
    assert.deepEqual(metadata.annotations, { [INJECT]: "maquette-system/maquette-webhook" });
    assert.ok(!("caBundle" in webhooks[0].clientConfig));
  }
});

Deno.test("an issuer that exists is used instead of an authority of our own", () => {
  const objects = named(part("webhooks", CERT_MANAGER, "--webhook-issuer=ClusterIssuer/corp-ca"));
  assert.deepEqual([...objects.keys()], ["Certificate/maquette-webhook", ...CONFIGURATIONS]);
  const { issuerRef } = objects.get("Certificate/maquette-webhook")!.spec;
  assert.deepEqual(issuerRef, { group: "cert-manager.io", kind: "ClusterIssuer", name: "corp-ca" });
});

Deno.test("a webhook that is reached by its address gets a certificate for that", () => {
  const { spec } = named(part("webhooks", CERT_MANAGER, "--webhook-url=https://10.0.0.7:9443")).get(
    "Certificate/maquette-webhook",
  )!;
  assert.deepEqual(spec.ipAddresses, ["10.0.0.7"]);
  assert.ok(!("dnsNames" in spec));
});

Deno.test("without admission there is nothing to certify", () => {
  assert.deepEqual(part("webhooks", CERT_MANAGER, "--webhook=false"), []);
});

const RIGHTS: Record<string, { flags: string[]; rights: string[] }> = {
  "who makes certificates writes one Secret and both configurations": {
    flags: [],
    rights: [
      "get,list,watch,patch mutatingwebhookconfigurations,validatingwebhookconfigurations maquette",
      "create secrets ",
      "get,list,watch,update secrets maquette-webhook-certificates",
    ],
  },
  "who reads cert-manager's reads one Secret": {
    flags: [CERT_MANAGER],
    rights: ["get,list,watch secrets maquette-webhook-tls"],
  },
  "who serves no admission does neither": { flags: ["--webhook=false"], rights: [] },
};

for (const [sentence, { flags, rights }] of Object.entries(RIGHTS)) {
  Deno.test(`rights: ${sentence}`, () => assert.deepEqual(rightsToCertificates(...flags), rights));
}
