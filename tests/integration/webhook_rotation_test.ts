/**
 * Certificates that change all the time under a real API server that writes all the time.
 */
import assert from "node:assert/strict";
import { Registry } from "prom-client";
import { ClusterCertificateStore } from "../../cli/certificate_store.ts";
import { generatedFiles } from "../../crds/generate.ts";
import { KINDS } from "../../lib/api/registry.ts";
import { PRINTER } from "../../lib/api/printer.ts";
import { KubeClient } from "../../lib/kube/client.ts";
import { kubeconfigCredentials } from "../../lib/kube/credentials.ts";
import { systemClock } from "../../lib/runtime/clock.ts";
import { type Logger, silentLogger } from "../../lib/runtime/log.ts";
import { RuntimeMetrics } from "../../lib/runtime/metrics.ts";
import { createWebhookApp } from "../../webhook/app.ts";
import { CertificateManager } from "../../webhook/certificate_manager.ts";
import type { CertificateOptions } from "../../webhook/certificates.ts";
import { webhookConfigurations } from "../../webhook/configuration.ts";
import { ALL_RULES } from "../../webhook/rules/mod.ts";
import { WebhookServer } from "../../webhook/server.ts";
import { contextWith, printer } from "../../webhook/testing.ts";
import { type ControlPlane, startControlPlane } from "../control_plane/control_plane.ts";
import { RawRequests } from "../fixtures/raw_requests.ts";
import { waitFor, waitUntil } from "../wait.ts";

const NAMESPACE = "maquette-system";
const ROTATIONS = 20;
const WRITERS = 4;

/** A leaf is renewed every two seconds, its authority every eight. */
const OPTIONS: CertificateOptions = {
  names: ["127.0.0.1"],
  authorityLifeMs: 12_000,
  leafLifeMs: 3_000,
  graceMs: 1_000,
  settleMs: 500,
  skewMs: 0,
};

/** The webhook alone, in this process, with what it keeps in the cluster. */
class Replica implements AsyncDisposable {
  readonly #kube: KubeClient;
  readonly #store: ClusterCertificateStore;
  readonly #manager: CertificateManager;
  readonly #server = new WebhookServer({ clock: systemClock, log: silentLogger });
  readonly #watching = new AbortController();
  #watches: Promise<unknown> = Promise.resolve();
  /** Certificates that were served so far. */
  served = 0;

  private constructor(kube: KubeClient, log: Logger) {
    const clock = systemClock;
    this.#kube = kube;
    const metrics = new RuntimeMetrics(new Registry());
    const informerDeps = { kube, clock, random: Math.random, log, metrics };
    this.#store = new ClusterCertificateStore({ kube, informerDeps, namespace: NAMESPACE, name: "certificates" });
    this.#manager = new CertificateManager({ store: this.#store, clock, log, options: OPTIONS });
  }

  static async start(plane: ControlPlane): Promise<Replica> {
    const made = new Replica(new KubeClient(await kubeconfigCredentials(plane.kubeconfigPath)), silentLogger);
    made.#watches = Promise.all(made.#store.informers.map((informer) => informer.run(made.#watching.signal)));
    await Promise.all(made.#store.informers.map((informer) => informer.whenSynced));
    const app = createWebhookApp({
      rules: ALL_RULES,
      context: contextWith(),
      clock: systemClock,
      log: silentLogger,
      observe: () => {},
    });
    made.#manager.onRotate((certificate) => {
      if (made.served++ > 0) made.#server.rotate(certificate);
      else made.#server.start(app, { hostname: "127.0.0.1", port: 0, ...certificate });
    });
    await made.#manager.start();
    await waitFor("the first certificate", () => made.served > 0);
    return made;
  }

  get url(): string {
    return `https://127.0.0.1:${this.#server.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#manager.stop();
    this.#watching.abort();
    await this.#watches;
    await this.#server.stop();
    this.#kube.close();
  }
}

async function installCrds(plane: ControlPlane): Promise<void> {
  const stdin = [...generatedFiles().values()].join("---\n");
  await plane.kubectl(["apply", "--server-side", "-f", "-"], { stdin });
  const names = KINDS.map(({ resource }) => `${resource.plural}.${resource.group}`);
  await plane.kubectl(["wait", "--for=condition=Established", "crd", ...names]);
  for (const namespace of [NAMESPACE, "ci"]) await plane.kubectl(["create", "namespace", namespace]);
}

async function installConfigurations(plane: ControlPlane, url: string): Promise<void> {
  const items = webhookConfigurations({
    rules: ALL_RULES,
    client: { url },
    failurePolicy: "Fail",
    operatorNamespace: NAMESPACE,
  });
  const stdin = JSON.stringify({ apiVersion: "v1", kind: "List", items });
  await plane.kubectl(["apply", "--server-side", "-f", "-"], { stdin });
}

/** Creates objects without a pause, as dry runs: the webhook is asked about those too. */
async function writeUntil(signal: AbortSignal, requests: RawRequests, codes: Map<string, number>): Promise<void> {
  while (!signal.aborted) {
    const { code, body } = await requests.write(PRINTER.resource, printer(), { query: { dryRun: "All" } });
    const answer = code === 201 ? "created" : `${code} ${body.message}`;
    codes.set(answer, (codes.get(answer) ?? 0) + 1);
  }
}

Deno.test(`${ROTATIONS} changes of certificates, with their authorities, fail no write`, async () => {
  await using plane = await startControlPlane();
  using requests = await RawRequests.open(plane.kubeconfigPath);
  await installCrds(plane);
  await using replica = await Replica.start(plane);
  await installConfigurations(plane, replica.url);
  await waitFor("the first write", async () => {
    const { code } = await requests.write(PRINTER.resource, printer(), { query: { dryRun: "All" } });
    return code === 201;
  });
  const codes = new Map<string, number>();
  const writing = new AbortController();
  const writers = Array.from({ length: WRITERS }, () => writeUntil(writing.signal, requests, codes));
  const before = replica.served;
  await waitUntil("all changes", () => replica.served, (served) => served >= before + ROTATIONS, 180_000);
  writing.abort();
  await Promise.all(writers);
  assert.deepEqual([...codes.keys()], ["created"], JSON.stringify([...codes]));
  assert.ok(codes.get("created")! > 10 * ROTATIONS, JSON.stringify([...codes]));
});
