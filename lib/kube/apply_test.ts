import assert from "node:assert/strict";
import type { KubeObject } from "../api/object.ts";
import { CONFIG_MAP } from "../api/resources.ts";
import { applyNew } from "./apply.ts";
import { KubeClient } from "./client.ts";
import { SCRIPTED_CREDENTIALS, ScriptedServer } from "./scripted_server.ts";

const WISH: KubeObject = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "a", namespace: "default", labels: { owner: "us" } },
  data: { ours: "1" },
};
const THEIRS = { ...WISH, metadata: { name: "a", namespace: "default", labels: { team: "x" } } };

async function withServer(
  test: (server: ScriptedServer, apply: () => Promise<KubeObject>) => Promise<void>,
): Promise<void> {
  const server = new ScriptedServer({ resources: [CONFIG_MAP] });
  const kube = new KubeClient(SCRIPTED_CREDENTIALS, { fetch: server.fetch });
  try {
    await test(server, () => applyNew(WISH, CONFIG_MAP, { kube, manager: "maquette" }));
  } finally {
    kube.close();
  }
}

Deno.test("applyNew() makes an object with one request", async () => {
  await withServer(async (server, apply) => {
    const made = await apply();
    assert.deepEqual([made.data, made.metadata.labels], [{ ours: "1" }, { owner: "us" }]);
    assert.ok(!("managedFields" in made.metadata));
    assert.equal(server.count(), 1);
  });
});

Deno.test("applyNew() changes nothing of a foreign object that clashes", async () => {
  await withServer(async (server, apply) => {
    const before = server.store.create(CONFIG_MAP, { ...THEIRS, data: { ours: "theirs" } });
    await assert.rejects(apply, { status: 409 });
    assert.deepEqual(server.store.get(CONFIG_MAP, "default/a"), before);
  });
});

Deno.test("applyNew() gives a foreign object back that clashes in nothing", async () => {
  await withServer(async (server, apply) => {
    const { data, metadata } = server.store.create(CONFIG_MAP, { ...THEIRS, data: { theirs: "1" } });
    await assert.rejects(apply, { status: 409, reason: "AlreadyExists" });
    const after = server.store.get(CONFIG_MAP, "default/a");
    assert.deepEqual([after.data, after.metadata.labels, after.metadata.uid], [data, metadata.labels, metadata.uid]);
  });
});

Deno.test("applyNew() keeps what both want when it gives a foreign object back", async () => {
  await withServer(async (server, apply) => {
    server.store.create(CONFIG_MAP, { ...THEIRS, data: { ours: "1", theirs: "1" } });
    await assert.rejects(apply, { reason: "AlreadyExists" });
    assert.deepEqual(server.store.get(CONFIG_MAP, "default/a").data, { ours: "1", theirs: "1" });
  });
});

Deno.test("applyNew() takes its own object for its own, when the first answer was lost", async () => {
  await withServer(async (server, apply) => {
    server.fail({ verb: "apply" }, "lost");
    await assert.rejects(apply, TypeError);
    assert.deepEqual((await apply()).data, { ours: "1" });
    assert.equal(server.count(), 2);
  });
});
