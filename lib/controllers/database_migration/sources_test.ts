import assert from "node:assert/strict";
import type { KubeObject } from "../../api/object.ts";
import type { Changes } from "../../migration/source.ts";
import { dbm } from "../../migration/test_migrations.ts";
import { Cache } from "../../runtime/cache.ts";
import type { GatherDeps } from "../../runtime/definition.ts";
import { SourceReader } from "./sources.ts";

const OWNER = dbm({ migrations: undefined, source: { configMapRef: { name: "changes" } } });

function source(content: Record<string, unknown>, resourceVersion = "1"): KubeObject {
  const metadata = { name: "changes", namespace: "shop", uid: "c", resourceVersion };
  return { apiVersion: "v1", kind: "ConfigMap", metadata, ...content };
}

/** @param looks How often it was asked for. */
function deps(there: KubeObject, looks = { count: 0 }): Pick<GatherDeps, "cache" | "kube"> {
  const cache = new Cache();
  cache.put({ ...there, data: undefined });
  const get = (): Promise<KubeObject> => Promise.resolve((looks.count++, there));
  return { cache: () => cache, kube: { get } as unknown as GatherDeps["kube"] };
}

async function read(content: Record<string, unknown>): Promise<Changes> {
  return await new SourceReader().read(OWNER, deps(source(content)));
}

Deno.test("a file that is no text is not passed over", async () => {
  const found = await read({ data: { "V1__a.sql": "a" }, binaryData: { "V2__b.sql": "/w==" } });
  const message = 'ConfigMap "shop/changes": File "V2__b.sql" must be text in UTF-8';
  assert.deepEqual(found, { problem: { reason: "InvalidMigrations", message } });
});

Deno.test("a ConfigMap is read once for each of its versions", async () => {
  const looks = { count: 0 };
  const reader = new SourceReader();
  for (const version of ["1", "1", "2"]) {
    await reader.read(OWNER, deps(source({ data: { "V1__a.sql": "a" } }, version), looks));
  }
  assert.equal(looks.count, 2);
});
