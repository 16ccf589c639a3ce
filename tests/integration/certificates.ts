/**
 * What tests of certificates do to a cluster, and what they look at.
 *
 * @module
 */
import type { KubeObject } from "../../lib/api/object.ts";
import { MUTATING_WEBHOOKS, SECRET, VALIDATING_WEBHOOKS } from "../../lib/api/resources.ts";
import { KubeClient } from "../../lib/kube/client.ts";
import { kubeconfigCredentials } from "../../lib/kube/credentials.ts";
import type { JsonPatch } from "../../lib/kube/paths.ts";
import { type CertificateFacts, readFacts } from "../../webhook/certificates.ts";
import { readCertificates, serialOf } from "../../webhook/x509.ts";
import type { RawRequests } from "../fixtures/raw_requests.ts";
import { type Installed, NAMESPACE } from "../installed.ts";
import { waitFor, waitUntil } from "../wait.ts";
import { create, distrust, everyMs } from "./admissions.ts";

const CONFIGURATIONS = [MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS];
const CONFIGURATION = { name: "maquette" };
/** The Secret of certificates that replicas make. */
export const OWN = { namespace: NAMESPACE, name: "maquette-webhook-certificates" };
/** The Secret that cert-manager writes. */
export const READ = { namespace: NAMESPACE, name: "maquette-webhook-tls" };
const SAMPLE_MS = 200;

/** What an administrator does to Secrets and configurations. */
export class Administrator implements Disposable {
  readonly #kube: KubeClient;

  constructor(kube: KubeClient) {
    this.#kube = kube;
  }

  static async of(kubeconfigPath: string): Promise<Administrator> {
    return new Administrator(new KubeClient(await kubeconfigCredentials(kubeconfigPath)));
  }

  [Symbol.dispose](): void {
    this.#kube.close();
  }

  /** Changes values of a Secret that may change meanwhile. */
  async damage(target: typeof OWN, values: Record<string, string>): Promise<void> {
    const patch: JsonPatch = Object.entries(values).map(([key, value]) => ({
      op: "add",
      path: `/data/${key}`,
      value: btoa(value),
    }));
    await this.#kube.patch(SECRET, target, patch);
  }

  /** Makes a Secret hold this, whether it is there or not. */
  async put(target: typeof OWN, values: Record<string, string>): Promise<void> {
    const data = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, btoa(value)]));
    const secret: KubeObject = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { ...target },
      type: "kubernetes.io/tls",
      data,
    };
    await this.#kube.apply(secret, SECRET, { manager: "test", force: true });
  }

  /** What our own Secret holds, as far as it can be used, and the serial number of its certificate. */
  async held(): Promise<CertificateFacts & { serial: string | undefined }> {
    const { data = {} } = await this.#kube.get(SECRET, OWN);
    const texts = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, atob(String(value))]));
    return { ...await readFacts(texts), serial: serialOf(texts["tls.crt"] ?? "") };
  }

  async remove(target: typeof OWN): Promise<void> {
    await this.#kube.remove(SECRET, target, {});
  }

  /** The same in every webhook of both configurations. */
  async setBundles(pem: string): Promise<void> {
    const patch: JsonPatch = [{ op: "add", path: "/webhooks/0/clientConfig/caBundle", value: btoa(pem) }];
    await Promise.all(CONFIGURATIONS.map((resource) => this.#kube.patch(resource, CONFIGURATION, patch)));
  }

  /** caBundle of both configurations, as PEM. */
  async bundles(): Promise<string[]> {
    const found = await Promise.all(CONFIGURATIONS.map((resource) => this.#kube.get(resource, CONFIGURATION)));
    return found.flatMap(({ webhooks }) =>
      webhooks.map(({ clientConfig: { caBundle = "" } }: { clientConfig: { caBundle?: string } }) => atob(caBundle))
    );
  }

  /** The names of a Certificate, once somebody asks for it. */
  async names(): Promise<string[]> {
    const path = `/apis/cert-manager.io/v1/namespaces/${NAMESPACE}/certificates/maquette-webhook`;
    const counts = { verb: "get", resource: "certificates" };
    const { spec } = await this.#kube.request({ method: "GET", path, counts }, (response) => response.json());
    return [...spec.dnsNames ?? [], ...spec.ipAddresses ?? []];
  }
}

/** Serial numbers of the certificates that a replica has served, the oldest first. */
export async function serials(replica: Installed): Promise<string[]> {
  return [...(await replica.log()).matchAll(/"message":"Webhook serves[^\n]*"serial":"(\w+)"/g)].map(([, serial]) =>
    serial!
  );
}

/** How many certificates all replicas have changed to, and the last of each. */
export async function served(replicas: readonly Installed[]): Promise<{ least: number; last: (string | undefined)[] }> {
  const all = await Promise.all(replicas.map(serials));
  return { least: Math.min(...all.map(({ length }) => length)), last: all.map((each) => each.at(-1)) };
}

/** What keeps clients of either configuration from what the replicas serve. */
async function distrusts(bundles: readonly string[], replicas: readonly Installed[]): Promise<string[]> {
  const asked = bundles.flatMap((bundle) => replicas.map(({ webhookPort }) => distrust(webhookPort, bundle)));
  return (await Promise.all(asked)).filter((problem) => problem !== undefined);
}

/** Looks again and again whether what is served is trusted by both configurations. */
export class TrustWatch implements AsyncDisposable {
  readonly #stopping = new AbortController();
  readonly #watching: Promise<void>;
  /** Looks at which a replica served what a configuration did not trust. */
  readonly distrusted: string[] = [];
  looks = 0;
  /** Looks at which more than one authority was trusted. */
  overlaps = 0;

  constructor(administrator: Administrator, replicas: readonly Installed[]) {
    this.#watching = this.#watch(administrator, replicas);
  }

  async #watch(administrator: Administrator, replicas: readonly Installed[]): Promise<void> {
    let before = await administrator.bundles();
    for await (const look of everyMs(SAMPLE_MS, this.#stopping.signal)) {
      const problems = await distrusts(before, replicas);
      before = await administrator.bundles();
      // What was trusted at the first look may have been taken out since, and what is served changed: then look anew.
      if (problems.length > 0 && (await distrusts(before, replicas)).length > 0) {
        this.distrusted.push(`look ${look} at ${new Date().toISOString()}: ${problems}`);
      }
      if (before.every((bundle) => readCertificates(bundle).length > 1)) this.overlaps++;
      this.looks++;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#watching;
  }
}

/** Waits until the API server admits, and both configurations trust what every replica serves. */
export async function waitForTrust(
  requests: RawRequests,
  administrator: Administrator,
  replicas: readonly Installed[],
): Promise<void> {
  await waitUntil("admission", () => create(requests, 1), (answer) => answer === "created");
  const problems = async (): Promise<string[]> => await distrusts(await administrator.bundles(), replicas);
  await waitUntil("trust in all replicas", problems, ({ length }) => length === 0);
}

/** Waits until the Secret is good again, and every replica serves what it holds. */
export async function waitForHealth(administrator: Administrator, replicas: readonly Installed[]): Promise<void> {
  await waitFor("a good Secret that all replicas serve from", async () => {
    const { canSign, leaf, serial } = await administrator.held();
    const isGood = canSign && leaf !== undefined && Date.now() < leaf.notAfter && leaf.issuer === 0;
    return isGood && (await served(replicas)).last.every((last) => last === serial);
  });
}
