import assert from "node:assert/strict";
import { ENVIRONMENT } from "../../api/environment.ts";
import { keyOf, type KubeObject, type Resource } from "../../api/object.ts";
import { PROJECT } from "../../api/project.ts";
import { BY_PROJECT, projectKeys } from "../../environment_names.ts";
import { Cache } from "../../runtime/cache.ts";
import type { GatherDeps, WatchNeed } from "../../runtime/definition.ts";
import { projectController } from "./mod.ts";

const definition = projectController();

function object(kind: string, namespace: string, name: string, spec: Record<string, unknown> = {}): KubeObject {
  return {
    apiVersion: "x/v1",
    kind,
    metadata: { name, namespace, uid: `${kind}-${name}`, resourceVersion: "1" },
    spec,
  };
}

function shop(spec: Record<string, unknown> = {}): KubeObject {
  return object("Project", "acme", "shop", { source: { secretRef: { name: "git" } }, deployment: {}, ...spec });
}

function cached(...objects: KubeObject[]): GatherDeps["cache"] {
  const caches = new Map([PROJECT.resource, ENVIRONMENT.resource].map((resource) => [resource, new Cache()]));
  caches.get(ENVIRONMENT.resource)!.addIndex(BY_PROJECT, (owner) => projectKeys(owner as never));
  for (const each of objects) {
    caches.get(each.kind === "Project" ? PROJECT.resource : ENVIRONMENT.resource)!.put(each);
  }
  return (resource: Resource) => caches.get(resource) ?? new Cache();
}

function need(resource: Resource): WatchNeed {
  return definition.watches.find((each) => each.resource.plural === resource.plural)!;
}

const environment = object("Environment", "acme", "dev", { projectRef: { name: "shop" } });

Deno.test("a Project waits for the Environments that mean it, and for no others", () => {
  const elsewhere = object("Environment", "other", "dev", { projectRef: { name: "shop" } });
  const held = definition.heldBack!(shop(), { cache: cached(shop(), environment, elsewhere) })!;
  assert.match(held.message, /: "acme\/dev"$/);
  assert.equal(definition.heldBack!(shop(), { cache: cached(shop(), elsewhere) }), undefined);
});

Deno.test("an Environment that may not use a Project holds nothing of it back and is not counted", async () => {
  const foreign = object("Environment", "evil", "dev", { projectRef: { name: "shop", namespace: "acme" } });
  const cache = cached(shop(), foreign);
  assert.equal(definition.heldBack!(shop(), { cache }), undefined);
  const { environments } = await definition.gather(shop(), { cache } as GatherDeps);
  assert.deepEqual(environments, []);
});

Deno.test("an Environment concerns every Project that it may mean", () => {
  const own = object("Environment", "acme-shop", "dev", { projectRef: { name: "shop" } });
  const owners = need(ENVIRONMENT.resource).owners!({ type: "ADDED", object: own }, new Cache());
  assert.deepEqual(owners, ["acme-shop/shop", "acme/shop"]);
});

Deno.test("a Secret concerns the Projects of its namespace that name it", () => {
  const projects = new Cache();
  for (const [name, of] of Object.entries(definition.indexes!)) projects.addIndex(name, of);
  projects.put(shop());
  const secret = (namespace: string): KubeObject => object("Secret", namespace, "git");
  const owners = need({ plural: "secrets" } as Resource).owners!;
  assert.deepEqual(owners({ type: "ADDED", object: secret("acme") }, projects), [keyOf(shop())]);
  assert.deepEqual(owners({ type: "ADDED", object: secret("other") }, projects), []);
});
