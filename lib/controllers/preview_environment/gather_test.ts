import assert from "node:assert/strict";
import { keyOf, type KubeObject, type Resource } from "../../api/object.ts";
import type { PreviewEnvironment } from "../../api/preview_environment.ts";
import { BY_HOST, claimedHosts, hostClaim } from "../../hosts.ts";
import { Cache } from "../../runtime/cache.ts";
import { FakeClock } from "../../runtime/fake_clock.ts";
import type { GatherDeps } from "../../runtime/definition.ts";
import { stamp } from "../../runtime/ownership.ts";
import { LogReader } from "../../workload/logs.ts";
import { gather, type Seen } from "./gather.ts";
import type { PreviewSettings } from "./settings.ts";
import { appStatus, deployment, pod, preview, readyStatus, rolledOut, SETTINGS, slice } from "./test_objects.ts";
import { child } from "./test_objects.ts";

const CRASHED = appStatus({ state: { terminated: { exitCode: 1, reason: "Error", containerID: "run-1" } } });

interface World {
  /** What watches by our label show. */
  children?: KubeObject[];
  /** What watches of everything show. */
  all?: KubeObject[];
  logs?: LogReader;
  settings?: PreviewSettings;
}

/** Those of kinds with hosts have an index of them. */
function cacheOf(kind: string): Cache {
  const cache = new Cache();
  const hasHosts = ["PreviewEnvironment", "Environment", "PortfolioApp"].includes(kind);
  if (hasHosts) cache.addIndex(BY_HOST, (object) => claimedHosts(hostClaim(object, SETTINGS.domain)));
  return cache;
}

/** Gathers from caches of these objects. @returns What was seen, and how often a log was read. */
async function gathered(owner: PreviewEnvironment, world: World): Promise<{ seen: Seen; logsRead: number }> {
  const caches = new Map<string, Cache>();
  const cache = ({ kind }: Resource, scope: string): Cache => {
    const key = `${kind}/${scope}`;
    if (!caches.has(key)) caches.set(key, cacheOf(kind));
    return caches.get(key)!;
  };
  for (const [scope, objects = []] of [["children", world.children], ["all", world.all]] as const) {
    for (const object of objects) {
      const numbered = { ...object, metadata: { resourceVersion: "1", ...object.metadata } };
      cache({ kind: object.kind } as Resource, scope).put(numbered);
    }
  }
  let logsRead = 0;
  const kube: GatherDeps["kube"] = {
    get: () => Promise.reject(new Error("Nothing but logs may be asked for")),
    logs: () => Promise.resolve(`log ${++logsRead}`),
  };
  const { settings = SETTINGS, logs = new LogReader() } = world;
  return { seen: await gather(owner, { cache, kube, clock: new FakeClock(), settings, logs }), logsRead };
}

Deno.test("gather() sees Deployment, quota, Pods and endpoints of the environment", async () => {
  const owner = preview();
  const { deployment, pods, endpointSlices } = rolledOut(owner);
  const quota = stamp(child(owner, "ResourceQuota"), owner);
  const { seen, logsRead } = await gathered(owner, { children: [deployment!, quota, ...pods, ...endpointSlices] });
  assert.equal(seen.deployment?.metadata.name, "pr-7-app");
  assert.equal(seen.quota?.metadata.name, "preview");
  assert.deepEqual(seen.pods.map(keyOf), ["preview-pr-7/pr-7-app-1"]);
  assert.equal(seen.endpointSlices.length, 1);
  assert.equal(seen.failure, undefined);
  assert.equal(logsRead, 0, "a steady state reads no log");
});

Deno.test("gather() sees nothing of an environment that has only been created", async () => {
  const { seen } = await gathered(preview(), {});
  const { deployment, quota, pods, endpointSlices, failure, log } = seen;
  assert.deepEqual([deployment, quota, pods, endpointSlices, failure, log], [
    undefined,
    undefined,
    [],
    [],
    undefined,
    "",
  ]);
});

Deno.test("gather() passes over what another owner has, or the same owner in another namespace", async () => {
  const owner = preview();
  const other = preview({}, { metadata: { name: "other", uid: "uid-of-other" } });
  const moved = preview({ namespace: "elsewhere" });
  const strangers = [other, moved].flatMap((each) => {
    const { deployment, pods, endpointSlices } = rolledOut(each);
    return [deployment!, ...pods, ...endpointSlices];
  });
  const { seen } = await gathered(owner, { children: strangers });
  assert.deepEqual([seen.deployment, seen.pods, seen.endpointSlices], [undefined, [], []]);
});

Deno.test("gather() passes over Pods of an older template and Pods that are being deleted", async () => {
  const owner = preview({ image: "ghcr.io/acme/shop:v2" });
  const failing = { status: { containerStatuses: [CRASHED] } };
  const old = pod(preview(), { name: "old", ...failing });
  const leaving = pod(owner, { name: "leaving", ...failing, metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } });
  const present = pod(owner, { name: "present" });
  const { seen, logsRead } = await gathered(owner, { children: [old, leaving, present] });
  assert.deepEqual(seen.pods.map(({ metadata }) => metadata.name), ["present"]);
  assert.equal(seen.failure, undefined);
  assert.equal(logsRead, 0);
});

Deno.test("gather() reads the log of a Pod that fails, once for each run", async () => {
  const owner = preview();
  const failing = pod(owner, { status: { containerStatuses: [CRASHED] } });
  const logs = new LogReader();
  const first = await gathered(owner, { children: [failing], logs });
  assert.equal(first.seen.failure?.reason, "CrashLoopBackOff");
  assert.deepEqual([first.seen.log, first.logsRead], ["log 1", 1]);
  const second = await gathered(owner, { children: [failing], logs });
  assert.deepEqual([second.seen.log, second.logsRead], ["log 1", 0]);
});

Deno.test("gather() finds the sources that exist and are not being deleted", async () => {
  const owner = preview({
    env_from: [{ secretRef: { name: "here" } }, { configMapRef: { name: "here" } }, { secretRef: { name: "gone" } }],
    image_pull_secrets: [{ name: "leaving" }],
  });
  const source = (kind: string, name: string, deletionTimestamp?: string): KubeObject => ({
    apiVersion: "v1",
    kind,
    metadata: { name, namespace: "team-a", deletionTimestamp },
  });
  const elsewhere = { ...source("Secret", "gone"), metadata: { name: "gone", namespace: "team-b" } };
  const all = [
    source("Secret", "here"),
    source("ConfigMap", "here"),
    source("Secret", "leaving", "2026-01-01"),
    elsewhere,
  ];
  const { seen } = await gathered(owner, { all });
  assert.deepEqual([...seen.sources.keys()], ["Secret team-a/here", "ConfigMap team-a/here"]);
});

Deno.test("gather() finds the wildcard certificate beside the operator", async () => {
  const settings: PreviewSettings = { ...SETTINGS, tls: { mode: "wildcard", secret: "wild" } };
  const all = [{ apiVersion: "v1", kind: "Secret", metadata: { name: "wild", namespace: "maquette-system" } }];
  const { seen } = await gathered(preview(), { all, settings });
  assert.deepEqual([...seen.sources.keys()], ["Secret maquette-system/wild"]);
});

Deno.test("gather() keeps the slices of a Service whatever they say", async () => {
  const owner = preview();
  const only = pod(owner, { status: readyStatus() });
  const children = [deployment(owner), slice(owner, [only, false])];
  assert.equal((await gathered(owner, { children })).seen.endpointSlices.length, 1);
});

Deno.test("gather() sees who else has or wants the host, but for previews of the same namespace", async () => {
  const environment = {
    ...{ apiVersion: "v1", kind: "Environment", metadata: { name: "pr-7", namespace: "team-b", uid: "e" } },
    ...{ spec: { projectRef: { name: "shop" } }, status: { host: "pr-7.preview.test" } },
  };
  const app = {
    ...{ apiVersion: "v1", kind: "PortfolioApp", metadata: { name: "shop", namespace: "team-b", uid: "a" } },
    spec: { ingress: { enabled: true, host: "pr-7.preview.test" } },
  };
  const named = (name: string): Pick<KubeObject, "metadata"> => ({
    metadata: { name, namespace: "team-a", uid: name },
  });
  const all = [
    environment,
    app,
    preview({ namespace: "elsewhere" }, named("other")),
    preview({}, named("same")),
    preview({ pr_number: 8 }, named("another")),
  ];
  const { seen } = await gathered(preview(), { all });
  assert.deepEqual(seen.rivals.map(({ key }) => key), ["team-a/other", "team-b/pr-7", "team-b/shop"]);
});
