/**
 * Admission under a steady load, asked as the API server asks: HTTPS, AdmissionReviews, one to change and one to judge.
 *
 * @module
 */
import { MUTATING_WEBHOOKS } from "../../lib/api/resources.ts";
import { CONFIGURATION_NAME } from "../../webhook/configuration.ts";
import { preview } from "../integration/previews.ts";
import type { Bed } from "./bed.ts";
import { bucketQuantile, bucketsOf } from "./figures.ts";
import { OWNER } from "./owners.ts";

/** See the module. Milliseconds. */
export interface WebhookRun {
  requests: number;
  /** Not answered with 200 and `allowed`. */
  failed: number;
  /** Of the client, from the time that a request was due: waiting for its turn is in it. */
  client: number[];
  /** What the webhook itself measured: upper bounds of the buckets that hold the quantiles. */
  own: { p50: number; p99: number };
  operatorCpuSeconds: number;
  seconds: number;
  /** Asked for each second. */
  rate: number;
}

const HISTOGRAM = "maquette_webhook_duration_seconds";
const PATHS = ["mutate", "validate"] as const;

/** Asks so many times a second, whatever the answers do. */
export async function webhookRun(bed: Bed, load: { seconds: number; rate: number }): Promise<WebhookRun> {
  using client = Deno.createHttpClient({ caCerts: [await bundle(bed)], http2: false });
  const url = `https://127.0.0.1:${bed.operator.webhookPort}`;
  const run = { client: [] as number[], failed: 0 };
  const ask = async (index: number, due: number): Promise<void> => {
    const isAllowed = await review(`${url}/${PATHS[index % PATHS.length]}`, index, client).catch(() => false);
    run.client.push(performance.now() - due);
    if (!isAllowed) run.failed++;
  };
  // Connections are made before, as the API server has them.
  await Promise.all(Array.from({ length: 10 }, (_, index) => review(`${url}/validate`, index, client)));
  const before = bucketsOf(await bed.series(), HISTOGRAM);
  const used = await bed.meter();
  const requests = load.seconds * load.rate;
  await atRate(requests, load.rate, ask);
  const { cpu } = await used();
  const after = bucketsOf(await bed.series(), HISTOGRAM);
  const own = (part: number): number => bucketQuantile(before, after, part) * 1000;
  return { ...run, requests, own: { p50: own(0.5), p99: own(0.99) }, operatorCpuSeconds: cpu.operator!, ...load };
}

async function bundle(bed: Bed): Promise<string> {
  const configuration = await bed.kube.get(MUTATING_WEBHOOKS, { name: CONFIGURATION_NAME });
  return atob(configuration.webhooks[0].clientConfig.caBundle);
}

/** Begins work at even intervals and waits for all of it. */
async function atRate(count: number, rate: number, work: (index: number, due: number) => Promise<void>): Promise<void> {
  const start = performance.now();
  const working: Promise<void>[] = [];
  for (let index = 0; index < count; index++) {
    const due = start + index * 1000 / rate;
    const early = due - performance.now();
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
    working.push(work(index, due));
  }
  await Promise.all(working);
}

async function review(url: string, index: number, client: Deno.HttpClient): Promise<boolean> {
  const object = preview(100_000 + index);
  const { group, version, kind, plural: resource } = OWNER;
  const request = {
    uid: crypto.randomUUID(),
    kind: { group, version, kind },
    resource: { group, version, resource },
    requestKind: { group, version, kind },
    requestResource: { group, version, resource },
    name: object.metadata.name,
    namespace: object.metadata.namespace,
    operation: "CREATE",
    userInfo: { username: "kubernetes-admin", groups: ["system:masters", "system:authenticated"] },
    object,
    oldObject: null,
    dryRun: false,
    options: { kind: "CreateOptions", apiVersion: "meta.k8s.io/v1", fieldManager: "bench" },
  };
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ kind: "AdmissionReview", apiVersion: "admission.k8s.io/v1", request }),
    client,
  });
  return (await response.json()).response?.allowed === true;
}
