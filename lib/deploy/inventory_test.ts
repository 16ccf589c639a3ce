import assert from "node:assert/strict";
import type { Resource } from "../api/object.ts";
import { DEPLOYMENT, SERVICE } from "../api/resources.ts";
import { UnknownKind } from "../kube/discovery.ts";
import { FakeDiscovery, RENDERED, served, WIDGET } from "./fake_deployment.ts";
import { entryOf, inventoryAhead, inventoryOf, kindsToRead } from "./inventory.ts";
import type { Seen } from "./observer.ts";
import { identityOf, type Wanted } from "./wanted.ts";

const { app, widget, service } = RENDERED;
const WIDGETS: Wanted[] = [{ object: widget, kind: served(WIDGET) }, { object: service, kind: served(SERVICE) }];

function isPolled(resource: Resource): boolean {
  return resource === WIDGET;
}

Deno.test("inventoryAhead(): what was there and what will be, where a kind that nobody watches is new", () => {
  assert.deepEqual(inventoryAhead([entryOf(app), entryOf(service)], WIDGETS, isPolled), [
    { apiVersion: "apps/v1", kind: "Deployment", name: "shop" },
    { apiVersion: "v1", kind: "Service", name: "shop" },
    { apiVersion: "example.com/v1", kind: "Widget", name: "w" },
  ]);
});

Deno.test("inventoryOf(): the same whatever was shown last", () => {
  const all = [app, widget, service].map((
    object,
  ): [string, Seen] => [identityOf(object), { object, resource: WIDGET }]);
  const entries = inventoryOf(new Map(all));
  assert.deepEqual(entries.map(({ kind }) => kind), ["Deployment", "Service", "Widget"]);
  assert.deepEqual(inventoryOf(new Map(all.toReversed())), entries);
});

Deno.test("inventoryAhead(): nothing, where all kinds are known or watched", () => {
  const other = { apiVersion: "example.com/v1beta1", kind: "Widget", name: "other" };
  assert.equal(inventoryAhead([other], WIDGETS, isPolled), undefined);
  assert.equal(inventoryAhead([], WIDGETS.slice(1), isPolled), undefined);
});

Deno.test("kindsToRead(): each kind once, as it is wanted, else as it is watched, else as the server prefers", async () => {
  const v2 = { ...WIDGET, version: "v2" };
  const inventory = [entryOf(widget), entryOf(app), entryOf(app)];
  const read = async (wanted: Wanted[], watched: Resource[]): Promise<string[]> => {
    const kinds = await kindsToRead(inventory, { wanted, watched }, new FakeDiscovery());
    return kinds.map(({ kind, version }) => `${kind} ${version}`);
  };
  assert.deepEqual(await read([], [DEPLOYMENT, v2]), ["Deployment v1", "Widget v2"]);
  assert.deepEqual(await read(WIDGETS, [DEPLOYMENT, v2]), ["Deployment v1", "Widget v1", "Service v1"]);
  assert.deepEqual(await read([], []), ["Widget v1", "Deployment v1"]);
});

Deno.test("kindsToRead(): a kind that is gone has no objects, one that is away for a moment may have", async () => {
  const gone = [{ apiVersion: "gone.io/v1", kind: "Thing", name: "t" }];
  assert.deepEqual(await kindsToRead(gone, { wanted: [], watched: [] }, new FakeDiscovery()), []);
  const away = [{ apiVersion: "away.io/v1", kind: "Thing", name: "t" }];
  await assert.rejects(kindsToRead(away, { wanted: [], watched: [] }, new FakeDiscovery()), UnknownKind);
});
