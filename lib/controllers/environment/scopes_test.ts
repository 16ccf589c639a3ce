import assert from "node:assert/strict";
import { CLUSTER_ROLE, FakeDiscovery } from "../../deploy/fake_deployment.ts";
import { renderingOf } from "../../render/fake_renderer.ts";
import { scopesOf } from "./scopes.ts";

Deno.test("scopesOf() tells what the cluster knows, and nothing of what it does not", async () => {
  const object = (apiVersion: string, kind: string) => ({ apiVersion, kind, metadata: { name: "x" } });
  const { group, version, kind } = CLUSTER_ROLE;
  const objects = [object("v1", "ConfigMap"), object(`${group}/${version}`, kind), object("none.io/v1", "Unknown")];
  const hooks = [{ object: object("away.io/v1", "Away"), source: "", events: [], weight: 0, deletePolicies: [] }];
  const isNamespaced = await scopesOf(renderingOf(objects, { hooks }), new FakeDiscovery());
  assert.equal(isNamespaced({ group: "", kind: "ConfigMap" }), true);
  assert.equal(isNamespaced({ group, kind }), false);
  assert.equal(isNamespaced({ group: "none.io", kind: "Unknown" }), undefined);
  assert.equal(isNamespaced({ group: "away.io", kind: "Away" }), undefined);
});
