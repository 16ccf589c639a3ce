import assert from "node:assert/strict";
import { keyOf, type KubeObject } from "../lib/api/object.ts";
import { type EnvironmentLike, projectKeys } from "../lib/environment_names.ts";
import type { Lister } from "../lib/runtime/definition.ts";
import { type TenantCaches, tenantsOf } from "./tenants.ts";

function object(kind: string, key: string, more: Partial<KubeObject["metadata"]> = {}): KubeObject {
  const [namespace, name = ""] = key.split("/");
  return { apiVersion: "v1", kind, metadata: { namespace, name, ...more }, spec: { projectRef: { name: "shop" } } };
}

function lister(objects: KubeObject[]): Lister {
  const byKey = new Map(objects.map((each) => [keyOf(each), each]));
  return {
    get: (key: string) => byKey.get(key),
    values: () => objects,
    size: objects.length,
    ownedBy: () => [],
    indexed: (_, key) => objects.filter((each) => projectKeys(each as unknown as EnvironmentLike).includes(key)),
  };
}

function caches(projects: KubeObject[], environments: KubeObject[], namespaces: KubeObject[] = []): TenantCaches {
  return { projects: lister(projects), environments: lister(environments), namespaces: lister(namespaces) };
}

const OWNED = { "maquette.dev/owner-uid": "uid-of-somebody" };
const OLD = { creationTimestamp: "2026-01-01T00:00:00Z", uid: "1" };
const NEW = { creationTimestamp: "2026-01-02T00:00:00Z", uid: "2" };

Deno.test("a Project's Environments are those that mean it, the oldest first, without those that leave", () => {
  const environments = [
    object("Environment", "acme/new", NEW),
    object("Environment", "acme-shop/old", OLD),
    object("Environment", "acme/leaving", { ...OLD, deletionTimestamp: "2026-01-03T00:00:00Z" }),
    object("Environment", "other/x", OLD),
  ];
  const tenants = tenantsOf(caches([object("Project", "acme/shop")], environments));
  assert.equal(tenants.project("acme/shop")?.metadata.name, "shop");
  assert.equal(tenants.project("other/shop"), undefined);
  assert.deepEqual(tenants.environmentsOf("acme/shop").map(({ metadata }) => metadata.name), ["old", "new"]);
});

Deno.test("an Environment in a project's own namespace means a Project that lives there first", () => {
  const projects = [object("Project", "acme/shop"), object("Project", "acme-shop/shop")];
  const tenants = tenantsOf(caches(projects, [object("Environment", "acme-shop/dev", OLD)]));
  assert.deepEqual(tenants.environmentsOf("acme/shop"), []);
  assert.equal(tenants.environmentsOf("acme-shop/shop").length, 1);
});

Deno.test("who may not use a Project is none of its Environments", () => {
  const made = { apiVersion: "v1", kind: "Namespace", metadata: { name: "acme-shop", labels: OWNED } };
  const intruder = object("Environment", "acme-shop/intruder", OLD);
  const foreign = object("Environment", "evil/foreign", OLD);
  foreign.spec.projectRef.namespace = "acme";
  const environments = [intruder, foreign, object("Environment", "acme/dev", NEW)];
  const tenants = tenantsOf(caches([object("Project", "acme/shop")], environments, [made]));
  assert.deepEqual(tenants.environmentsOf("acme/shop").map(({ metadata }) => metadata.name), ["dev"]);
  assert.deepEqual(environments.map((each) => tenants.isNested(each)), [true, false, false]);
});
