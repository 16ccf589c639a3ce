import assert from "node:assert/strict";
import type { KubeObject } from "../../api/object.ts";
import { DEPLOYMENT, POD } from "../../api/resources.ts";
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
