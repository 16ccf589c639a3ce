import assert from "node:assert/strict";
import type { KubeObject } from "../lib/api/object.ts";
import type { Seen } from "../lib/controllers/environment/gather.ts";
import { environment, project, seen } from "../lib/controllers/environment/test_objects.ts";
import { FakeRenderer, renderingOf } from "../lib/render/fake_renderer.ts";
import { plannedFromSource } from "./plan_source.ts";

const OWN = { ...seen({ owner: environment(), project: project() }), log: "" } satisfies Seen;
const TAKEN: Record<string, KubeObject> = {
  "its LimitRange": { apiVersion: "v1", kind: "LimitRange", metadata: { name: "maquette" } },
  "its account": { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "maquette-deployer" } },
  "its Ingress": { apiVersion: "networking.k8s.io/v1", kind: "Ingress", metadata: { name: "maquette" } },
};

for (const [name, object] of Object.entries(TAKEN)) {
  Deno.test(`a plan says that a source takes the name of the environment's own object: ${name}`, async () => {
    const renderer = new FakeRenderer();
    renderer.onRender = () => renderingOf([object]);
    const planned = plannedFromSource(OWN, { folder: "/source", renderer });
    await assert.rejects(planned, { message: /has a name that the environment uses itself$/ });
  });
}
