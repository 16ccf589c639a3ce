/**
 * The scripted API server of the unit tests stands for this one: what it is built on must hold here.
 */
import { NAMESPACE } from "../../lib/api/resources.ts";
import { KubeClient } from "../../lib/kube/client.ts";
import { kubeconfigCredentials } from "../../lib/kube/credentials.ts";
import { FACTS } from "../../lib/kube/scripted_facts.ts";
import { startControlPlane } from "../control_plane/control_plane.ts";

Deno.test("the real API server is like the scripted one", async (t) => {
  await using plane = await startControlPlane();
  const kube = new KubeClient(await kubeconfigCredentials(plane.kubeconfigPath));
  try {
    for (const [index, [name, fact]] of Object.entries(FACTS).entries()) {
      const namespace = `facts-${index}`;
      await t.step(name, async () => {
        await kube.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } }, NAMESPACE, "test");
        await fact(kube, namespace);
      });
    }
  } finally {
    kube.close();
  }
});
