import { CONFIG_MAP, DEPLOYMENT, NAMESPACE } from "../api/resources.ts";
import { KubeClient } from "./client.ts";
import { FACTS } from "./scripted_facts.ts";
import { SCRIPTED_CREDENTIALS, ScriptedServer } from "./scripted_server.ts";

for (const [name, fact] of Object.entries(FACTS)) {
  Deno.test(`the scripted server is like the real one: ${name}`, async () => {
    const server = new ScriptedServer({ resources: [CONFIG_MAP, DEPLOYMENT, NAMESPACE] });
    server.store.create(NAMESPACE, { apiVersion: "v1", kind: "Namespace", metadata: { name: "facts" } });
    const kube = new KubeClient(SCRIPTED_CREDENTIALS, { fetch: server.fetch });
    try {
      await fact(kube, "facts");
    } finally {
      kube.close();
    }
  });
}
