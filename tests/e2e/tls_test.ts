/**
 * HTTPS: previews whose certificates cert-manager issues or that share a wildcard certificate, and the webhook with a
 * certificate from cert-manager. The client trusts the issuer's authority and nothing else.
 */
import assert from "node:assert/strict";
import { RawRequests } from "../fixtures/raw_requests.ts";
import { Admissions } from "../integration/admissions.ts";
import { waitFor, waitUntil } from "../wait.ts";
import { Cluster, DOMAIN, NAMESPACE, webPreview } from "./cluster.ts";
import { isEndToEnd, settings } from "./settings.ts";
import { Transcript } from "./transcript.ts";

const hasIssuer = isEndToEnd && settings().clusterIssuer !== "";
const PER_SECOND = 20;
const WILDCARD = "preview-wildcard-tls";
const WEBHOOK_SECRET = "maquette-webhook-tls";

Deno.test({ name: "certificates of cert-manager on a real node", ignore: !hasIssuer }, async (t) => {
  const { clusterIssuer, issuerSecret } = settings();
  await using cluster = await Cluster.prepare(["--tls=cert-manager", `--cluster-issuer=${clusterIssuer}`]);
  const { terminal, plane } = cluster;
  const transcript = new Transcript();
  transcript.section("HTTPS");
  const [namespace, name] = issuerSecret.split("/") as [string, string];
  const ca = atob((await terminal.get("secret", name, namespace))!.data["tls.crt"]);

  await t.step("a preview answers with a certificate that was issued for its host", async () => {
    await terminal.apply(webPreview(11, "v1"));
    const owner = await terminal.untilPhase("pr-11", "Ready", 120_000);
    const url = `https://pr-11.${DOMAIN}`;
    assert.equal(owner.status.url, url);
    const answer = await cluster.untilAnswers(`${url}/`, ({ status }) => status === 200, ca);
    assert.match(answer.text, /^web v1 on pr-11-app-/);
    assert.equal(answer.certificate?.names, `DNS:pr-11.${DOMAIN}`);
    transcript.quote(`GET ${url}/, trusting the issuer only`, `${answer.status} ${answer.text}\n${told(answer)}`);
  });

  await t.step("it is gone with its certificate", async () => {
    await terminal.remove("prenv", "pr-11", "default", "--timeout=300s");
    assert.equal(await terminal.get("namespace", "preview-pr-11"), undefined);
  });

  await t.step("previews share a wildcard certificate, and a renewed one reaches them", async () => {
    await terminal.apply({
      apiVersion: "cert-manager.io/v1",
      kind: "Certificate",
      metadata: { name: "wildcard", namespace: NAMESPACE },
      spec: {
        secretName: WILDCARD,
        dnsNames: [`*.${DOMAIN}`],
        issuerRef: { kind: "ClusterIssuer", name: clusterIssuer },
        privateKey: { rotationPolicy: "Always" },
      },
    });
    await waitFor("the wildcard certificate", () => terminal.get("secret", WILDCARD, NAMESPACE));
    await cluster.install(["--tls=wildcard", `--wildcard-secret=${WILDCARD}`]);
    await terminal.apply(webPreview(12, "v1"));
    await terminal.untilPhase("pr-12", "Ready", 120_000);
    const url = `https://pr-12.${DOMAIN}/`;
    const answer = await cluster.untilAnswers(url, ({ status }) => status === 200, ca);
    assert.equal(answer.certificate?.names, `DNS:*.${DOMAIN}`);
    transcript.quote(`GET ${url} with the copied wildcard Secret`, `${answer.status} ${answer.text}\n${told(answer)}`);

    const before = (await terminal.get("secret", WILDCARD, "preview-pr-12"))!.data["tls.crt"];
    await terminal.remove("secret", WILDCARD, NAMESPACE);
    const renewed = await waitFor(
      "cert-manager to issue it again",
      async () => (await terminal.get("secret", WILDCARD, NAMESPACE))?.data["tls.crt"],
    );
    assert.notEqual(renewed, before);
    await waitUntil(
      "the copy to be renewed",
      async () => (await terminal.get("secret", WILDCARD, "preview-pr-12"))?.data["tls.crt"],
      (copy) => copy === renewed,
    );
    await cluster.untilAnswers(url, ({ status }) => status === 200, ca);
    transcript.say("The Secret was issued again: its copy in preview-pr-12 followed, and the URL answers");
    await terminal.remove("prenv", "pr-12", "default", "--timeout=300s");
  });

  await t.step("admission is served with a certificate of cert-manager, also after its renewal", async () => {
    await cluster.install(["--tls=none", "--webhook-certificates=cert-manager"]);
    const served = async (): Promise<string | undefined> =>
      (await terminal.get("secret", WEBHOOK_SECRET, NAMESPACE))?.data["tls.crt"];
    const before = await served();
    assert.ok(before, "cert-manager has issued it");
    await cluster.delayAdmission();
    using requests = await RawRequests.open(plane.kubeconfigPath);
    await using admissions = new Admissions(requests, PER_SECOND);
    await terminal.remove("secret", WEBHOOK_SECRET, NAMESPACE);
    await waitUntil("cert-manager to issue it again", served, (now) => now !== undefined && now !== before);
    await terminal.apply(webPreview(2013, "v1"));
    await terminal.untilPhase("pr-2013", "Ready", 120_000);
    const failures = await admissions.stop();
    transcript.say(
      "The webhook's certificate came from cert-manager and was issued again: " +
        `${admissions.created} admissions at ${PER_SECOND}/s meanwhile, ${failures.length} failed`,
    );
    assert.deepEqual(failures, []);
    await terminal.remove("prenv", "pr-2013", "default", "--timeout=300s");
  });
});

function told({ certificate }: { certificate?: { names: string; issuer: string } }): string {
  return `certificate for ${certificate?.names}, issued by ${certificate?.issuer}`;
}
