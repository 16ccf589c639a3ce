import assert from "node:assert/strict";
import type { KubeObject } from "../api/object.ts";
import { CONFIG_MAP, SERVICE } from "../api/resources.ts";
import { settle } from "./fake_clock.ts";
import { gadgetKind } from "./fake_kind.ts";
import { FakeOperator, type FakeOperatorOptions } from "./fake_operator.ts";
import { configMap } from "./fake_watcher.ts";

/** An operator with one Gadget that is Ready, and nothing on the record. */
async function withReady(options: FakeOperatorOptions): Promise<FakeOperator> {
  const operator = await new FakeOperator(options).start();
  operator.gadget();
  await settle();
  operator.rollOut();
  await settle();
  operator.results.length = 0;
  return operator;
}

Deno.test("a change in what a kind does not read is not looked at", async () => {
  const withoutStatus = ({ status: _status, ...rest }: KubeObject): KubeObject => rest;
  const { owns } = gadgetKind();
  const definition = gadgetKind({
    owns: owns.map((need) => need.resource === SERVICE ? { ...need, reads: withoutStatus } : need),
  });
  await using operator = await withReady({ definition });
  const { store } = operator.server;
  store.edit(SERVICE, "gadget-g/svc", (service) => service.status = { loadBalancer: {} });
  await settle();
  assert.deepEqual(operator.results, []);
  store.edit(SERVICE, "gadget-g/svc", ({ metadata }) => metadata.labels!.team = "a");
  await settle();
  assert.equal(operator.results.length, 1);
});

Deno.test("where only metadata is kept every version is looked at: what changed is elsewhere", async () => {
  const shape = ({ apiVersion, kind, metadata }: KubeObject): KubeObject => {
    const { namespace, name, uid, resourceVersion } = metadata;
    return { apiVersion, kind, metadata: { namespace, name, uid, resourceVersion } };
  };
  const need = { resource: CONFIG_MAP, scope: "all" as const, metadataOnly: true, shape, owners: () => ["default/g"] };
  await using operator = await withReady({ definition: gadgetKind({ watches: [need] }) });
  operator.server.store.create(CONFIG_MAP, configMap("elsewhere"));
  await settle();
  operator.results.length = 0;
  operator.server.store.edit(CONFIG_MAP, "default/elsewhere", (object) => object.data = { value: "2" });
  await settle();
  assert.equal(operator.results.length, 1);
});
