import assert from "node:assert/strict";
import type { KubeObject } from "../../api/object.ts";
import { DEPLOYMENT, POD, SERVICE } from "../../api/resources.ts";
import { RENDERED } from "../../deploy/fake_deployment.ts";
import { renderingOf } from "../../render/fake_renderer.ts";
import { pod, terminated, waiting } from "../../workload/test_pods.ts";
import { FakeEnvironments } from "./fake_environments.ts";

const NAMESPACE = "acme-shop-dev";
const MANAGED_BY = "app.kubernetes.io/managed-by";

/** An application whose chart writes this label onto its Pods. */
function managedBy(manager: string): KubeObject {
  const app = structuredClone(RENDERED.app) as KubeObject;
  app.spec.template.metadata.labels[MANAGED_BY] = manager;
  return app;
}

/** What the controllers of the cluster and a kubelet make of the Deployment: a Pod that crashes. */
async function crashes(bench: FakeEnvironments): Promise<void> {
  const { labels } = bench.server.store.find(DEPLOYMENT, `${NAMESPACE}/shop`)!.spec.template.metadata;
  const app = { state: waiting("CrashLoopBackOff"), lastState: terminated(7, "Error"), restartCount: 1 };
  const crashed = pod({ name: "shop-1", app, metadata: { namespace: NAMESPACE, labels } });
  bench.server.store.create(POD, crashed);
  await bench.edit(POD, `${NAMESPACE}/shop-1`, (made) => made.status = crashed.status);
}

Deno.test("a Pod that crashes is told of, also where its chart says that Helm manages it", async () => {
  await using bench = await new FakeEnvironments().start();
  bench.renderer.onRender = () => renderingOf([RENDERED.service, managedBy("Helm")]);
  bench.project();
  bench.environment();
  await bench.idle();
  await crashes(bench);
  assert.match(bench.condition("DeploymentReady")!.message, /"shop-1" exited with code 7 \(Error\)/);
  const labels = bench.server.store.find(POD, `${NAMESPACE}/shop-1`)!.metadata.labels!;
  assert.equal(labels[MANAGED_BY], "Helm", "what a chart writes stays: its selectors may go by it");
});

Deno.test("a kind that somebody has installed for the whole cluster is refused by its name, before anything is applied", async () => {
  await using bench = await new FakeEnvironments().start();
  const [group, version, kind] = ["cert-manager.io", "v1", "ClusterIssuer"];
  bench.installed.push({ group, version, kind, plural: "clusterissuers", namespaced: false });
  const issuer = { apiVersion: `${group}/${version}`, kind, metadata: { name: "letsencrypt" } };
  bench.renderer.onRender = () => renderingOf([RENDERED.service, issuer]);
  bench.project();
  bench.environment();
  await bench.idle();
  const { reason, message } = bench.condition("DeploymentReady")!;
  assert.equal(reason, "ClusterScoped");
  assert.match(message, /^ClusterIssuer.yaml: ClusterIssuer\/letsencrypt is refused: it is for the whole cluster/);
  assert.deepEqual(bench.names(SERVICE), []);
});
