/**
 * What the runtime relies on in an API server, as checks that hold for a real one and for the scripted one alike: a
 * double that answers otherwise than what it stands for would prove nothing.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { KubeObject } from "../api/object.ts";
import { CONFIG_MAP, DEPLOYMENT, NAMESPACE } from "../api/resources.ts";
import type { KubeClient } from "./client.ts";
import { isPatchOutdated, KubeError } from "./errors.ts";

/** Checks one fact in a namespace of its own. */
export type Fact = (kube: KubeClient, namespace: string) => Promise<void>;

const OURS = { manager: "maquette", force: true };
const POLITE = { manager: "maquette", force: false };
const FINALIZER = "maquette.dev/cleanup";

function configMap(
  namespace: string,
  data: Record<string, string>,
  metadata: Partial<KubeObject["metadata"]> = {},
): KubeObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", namespace, ...metadata }, data };
}

function deployment(namespace: string, replicas: number): KubeObject {
  const labels = { app: "a" };
  const template = { metadata: { labels }, spec: { containers: [{ name: "a", image: "a" }] } };
  const spec = { replicas, selector: { matchLabels: labels }, template };
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "a", namespace }, spec };
}

async function refused(work: Promise<unknown>, status: number): Promise<void> {
  await assert.rejects(work, (error) => error instanceof KubeError && error.status === status);
}

/** A watch from a version on, until it has shown so many events. */
async function watched(
  kube: KubeClient,
  scope: { namespace: string; labelSelector?: string },
  from: { version: string; count: number },
): Promise<string[]> {
  const stop = new AbortController();
  const events: string[] = [];
  const options = { resourceVersion: from.version, timeoutSeconds: 60, signal: stop.signal };
  for await (const { type, object } of kube.watch(CONFIG_MAP, scope, options)) {
    if (type === "BOOKMARK") continue;
    events.push(`${type} ${object.metadata.name} ${object.data?.x}`);
    if (events.length === from.count) break;
  }
  return events;
}

export const FACTS: Readonly<Record<string, Fact>> = {
  "what exists is not created again": async (kube, namespace) => {
    await kube.create(configMap(namespace, {}), CONFIG_MAP, "maquette");
    await refused(kube.create(configMap(namespace, {}), CONFIG_MAP, "maquette"), 409);
  },
  "a namespace that does not exist takes nothing": async (kube, namespace) => {
    await refused(kube.create(configMap(`${namespace}-not`, {}), CONFIG_MAP, "maquette"), 404);
    await refused(kube.apply(configMap(`${namespace}-not`, {}), CONFIG_MAP, OURS), 404);
  },
  "applying the same again changes nothing, not even the version": async (kube, namespace) => {
    const first = await kube.apply(configMap(namespace, { x: "1" }), CONFIG_MAP, OURS);
    assert.deepEqual(await kube.apply(configMap(namespace, { x: "1" }), CONFIG_MAP, OURS), first);
  },
  "a field that is applied no more goes, unless somebody else wants it": async (kube, namespace) => {
    await kube.apply(configMap(namespace, { x: "1", both: "1" }), CONFIG_MAP, OURS);
    await kube.apply(configMap(namespace, { both: "1", theirs: "1" }), CONFIG_MAP, { manager: "other", force: false });
    const { data } = await kube.apply(configMap(namespace, { y: "1" }), CONFIG_MAP, OURS);
    assert.deepEqual(data, { both: "1", theirs: "1", y: "1" });
  },
  "a field that was created stays, although it is applied no more": async (kube, namespace) => {
    await kube.create(configMap(namespace, { x: "1", y: "1" }), CONFIG_MAP, "maquette");
    const { data } = await kube.apply(configMap(namespace, { x: "1" }), CONFIG_MAP, OURS);
    assert.deepEqual(data, { x: "1", y: "1" });
  },
  "without force a clash changes nothing, with force the field changes hands": async (kube, namespace) => {
    const theirs = await kube.create(configMap(namespace, { x: "theirs" }), CONFIG_MAP, "other");
    await refused(kube.apply(configMap(namespace, { x: "ours", y: "1" }), CONFIG_MAP, POLITE), 409);
    assert.deepEqual(await kube.get(CONFIG_MAP, { namespace, name: "a" }), theirs);
    const { data } = await kube.apply(configMap(namespace, { x: "ours" }), CONFIG_MAP, OURS);
    assert.deepEqual(data, { x: "ours" });
  },
  "applied with a uid, an object must be there and be that one, else it is a conflict": async (kube, namespace) => {
    await refused(kube.apply(configMap(namespace, {}, { uid: "none" }), CONFIG_MAP, OURS), 409);
    const { metadata } = await kube.apply(configMap(namespace, {}), CONFIG_MAP, OURS);
    await refused(kube.apply(configMap(namespace, {}, { uid: "none" }), CONFIG_MAP, OURS), 409);
    await kube.apply(configMap(namespace, { x: "1" }, { uid: metadata.uid }), CONFIG_MAP, OURS);
  },
  "applied with a version, an object must be of that version": async (kube, namespace) => {
    const { metadata: { resourceVersion } } = await kube.apply(configMap(namespace, { x: "1" }), CONFIG_MAP, OURS);
    await kube.apply(configMap(namespace, { x: "2" }, { resourceVersion }), CONFIG_MAP, OURS);
    await refused(kube.apply(configMap(namespace, { x: "3" }, { resourceVersion }), CONFIG_MAP, OURS), 409);
  },
  "applying nothing gives back what was applied": async (kube, namespace) => {
    const theirs = await kube.create(configMap(namespace, { theirs: "1" }), CONFIG_MAP, "other");
    await kube.apply(configMap(namespace, { ours: "1" }, { labels: { l: "1" } }), CONFIG_MAP, POLITE);
    const nothing = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", namespace } };
    const after = await kube.apply(nothing, CONFIG_MAP, POLITE);
    assert.deepEqual([after.data, after.metadata.labels], [theirs.data, undefined]);
  },
  "a JSON Patch is refused when a test of it fails; absent is null": async (kube, namespace) => {
    await kube.create(configMap(namespace, { x: "1" }), CONFIG_MAP, "maquette");
    const target = { namespace, name: "a" };
    const path = "/metadata/finalizers";
    const add = [{ op: "test", path, value: null }, { op: "add", path, value: [FINALIZER] }] as const;
    const { metadata } = await kube.patch(CONFIG_MAP, target, [...add]);
    assert.deepEqual(metadata.finalizers, [FINALIZER]);
    await assert.rejects(kube.patch(CONFIG_MAP, target, [...add]), isPatchOutdated);
    const other = [{ op: "test", path: "/metadata/uid", value: "other" }] as const;
    await assert.rejects(kube.patch(CONFIG_MAP, target, [...other]), isPatchOutdated);
    await kube.patch(CONFIG_MAP, target, [{ op: "remove", path }]);
  },
  "a replacement must be of the present version": async (kube, namespace) => {
    const first = await kube.create(configMap(namespace, { x: "1" }), CONFIG_MAP, "maquette");
    const second = await kube.replace({ ...first, data: { x: "2" } }, CONFIG_MAP, "maquette");
    await refused(kube.replace({ ...first, data: { x: "3" } }, CONFIG_MAP, "maquette"), 409);
    assert.deepEqual((await kube.get(CONFIG_MAP, { namespace, name: "a" })).data, second.data);
  },
  "a deletion is of the object that was seen, and waits for finalizers": async (kube, namespace) => {
    const target = { namespace, name: "a" };
    const made = await kube.create(configMap(namespace, {}, { finalizers: [FINALIZER] }), CONFIG_MAP, "maquette");
    await refused(kube.remove(CONFIG_MAP, target, { uid: "other" }), 409);
    await kube.remove(CONFIG_MAP, target, { uid: made.metadata.uid });
    assert.ok((await kube.get(CONFIG_MAP, target)).metadata.deletionTimestamp);
    await kube.remove(CONFIG_MAP, target, { uid: made.metadata.uid });
    await kube.patch(CONFIG_MAP, target, [{ op: "remove", path: "/metadata/finalizers/0" }]);
    await refused(kube.get(CONFIG_MAP, target), 404);
    await refused(kube.patch(CONFIG_MAP, target, [{ op: "remove", path: "/metadata/finalizers/0" }]), 404);
  },
  "a namespace that leaves takes nothing, and may be deleted again": async (kube, namespace) => {
    const held = configMap(namespace, {}, { finalizers: [FINALIZER] });
    await kube.create(held, CONFIG_MAP, "maquette");
    const { uid } = (await kube.get(NAMESPACE, { name: namespace })).metadata;
    await kube.remove(NAMESPACE, { name: namespace }, { uid });
    await kube.remove(NAMESPACE, { name: namespace }, { uid });
    await refused(kube.remove(NAMESPACE, { name: namespace }, { uid: "other" }), 409);
    await refused(kube.apply({ ...held, metadata: { name: "b", namespace } }, CONFIG_MAP, OURS), 403);
    await kube.patch(CONFIG_MAP, { namespace, name: "a" }, [{ op: "remove", path: "/metadata/finalizers" }]);
  },
  "status and the rest are written apart, and only the rest counts generations": async (kube, namespace) => {
    const made = await kube.apply({ ...deployment(namespace, 0), status: { replicas: 9 } }, DEPLOYMENT, OURS);
    assert.deepEqual([made.metadata.generation, made.status?.replicas], [1, undefined]);
    const status = { ...deployment(namespace, 5), status: { observedGeneration: 1 } };
    const reported = await kube.apply(status, DEPLOYMENT, { ...OURS, manager: "status", subresource: "status" });
    assert.deepEqual([reported.metadata.generation, reported.spec.replicas], [1, 0]);
    const other = { ...status, metadata: { ...status.metadata, uid: "other" } };
    await refused(kube.apply(other, DEPLOYMENT, { ...OURS, manager: "status", subresource: "status" }), 409);
    const changed = await kube.apply(deployment(namespace, 1), DEPLOYMENT, OURS);
    assert.deepEqual([changed.metadata.generation, changed.spec.replicas], [2, 1]);
  },
  "a watch shows each change once, in order, and objects that enter and leave its selector": async (
    kube,
    namespace,
  ) => {
    const { resourceVersion: version } = await kube.list(CONFIG_MAP, { namespace }, { limit: 1 });
    const labels = { team: "x" };
    await kube.apply(configMap(namespace, { x: "1" }, { labels }), CONFIG_MAP, OURS);
    await kube.apply(configMap(namespace, { x: "2" }, { labels }), CONFIG_MAP, OURS);
    await kube.apply(configMap(namespace, { x: "3" }), CONFIG_MAP, OURS);
    await kube.apply(configMap(namespace, { x: "4" }, { labels }), CONFIG_MAP, OURS);
    await kube.remove(CONFIG_MAP, { namespace, name: "a" }, {});
    const selected = await watched(kube, { namespace, labelSelector: "team=x" }, { version, count: 5 });
    assert.deepEqual(selected, ["ADDED a 1", "MODIFIED a 2", "DELETED a 2", "ADDED a 4", "DELETED a 4"]);
    assert.deepEqual(await watched(kube, { namespace, labelSelector: "team" }, { version, count: 5 }), selected);
  },
  "pages of one list are of one moment": async (kube, namespace) => {
    for (const name of ["a", "b", "c"]) await kube.create(configMap(namespace, {}, { name }), CONFIG_MAP, "maquette");
    const first = await kube.list(CONFIG_MAP, { namespace }, { limit: 2 });
    await kube.remove(CONFIG_MAP, { namespace, name: "c" }, {});
    const second = await kube.list(CONFIG_MAP, { namespace }, { limit: 2, next: first.next });
    assert.deepEqual(second.items.map(({ metadata }) => metadata.name).includes("c"), true);
    assert.equal(second.resourceVersion, first.resourceVersion);
  },
};
