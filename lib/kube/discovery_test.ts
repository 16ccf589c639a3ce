import assert from "node:assert/strict";
import type { KubeClient, RequestOptions } from "./client.ts";
import { Discovery, LONGEST_AGE_MS, REFRESH_MS, UnknownKind } from "./discovery.ts";
import { KubeError } from "./errors.ts";

const READ = ["get", "list", "watch"];

function served(kind: string, resource: string, scope = "Namespaced", subresources: string[] = []): unknown {
  return {
    resource,
    responseKind: { group: "", version: "", kind },
    scope,
    verbs: READ,
    subresources: subresources.map((subresource) => ({ subresource })),
  };
}

function group(name: string, ...versions: unknown[]): unknown {
  return { metadata: name ? { name } : {}, versions };
}

const CORE = [group("", {
  version: "v1",
  resources: [served("ConfigMap", "configmaps"), served("Node", "nodes", "Cluster", ["status", "proxy"])],
  freshness: "Current",
})];
const APPS = group("apps", {
  version: "v1",
  resources: [served("Deployment", "deployments", "Namespaced", ["scale"])],
});
const SCALERS = [
  { version: "v2", resources: [served("HorizontalPodAutoscaler", "horizontalpodautoscalers")] },
  { version: "v1", resources: [served("HorizontalPodAutoscaler", "horizontalpodautoscalers")] },
];
const METRICS = group("metrics.k8s.io", { version: "v1beta1", resources: [], freshness: "Stale" });
const ORPHAN = group("odd.io", { version: "v1", resources: [{ resource: "only/status", scope: "Namespaced" }] });
const WIDGETS = group("example.com", { version: "v1", resources: [served("Widget", "widgets")] });

interface Bench {
  discovery: Discovery;
  /** Paths asked for. */
  asked: string[];
  /** Documents by path; others are 404. */
  documents: Record<string, unknown>;
  clock: { now: number };
}

function bench(groups: unknown[] = [APPS, group("autoscaling", ...SCALERS), METRICS, ORPHAN]): Bench {
  const asked: string[] = [];
  const clock = { now: 1_000_000 };
  const documents: Record<string, unknown> = {
    "/api": { kind: "APIGroupDiscoveryList", items: CORE },
    "/apis": { kind: "APIGroupDiscoveryList", items: groups },
  };
  const kube = {
    request({ path }: RequestOptions, read: (response: Response) => Promise<unknown>): Promise<unknown> {
      asked.push(path);
      if (!(path in documents)) return Promise.reject(new KubeError(404, "NotFound", "not found"));
      return read(Response.json(documents[path]));
    },
  } as Pick<KubeClient, "request">;
  return { discovery: new Discovery({ kube, now: () => clock.now }), asked, documents, clock };
}

Deno.test("two requests tell all kinds: plural, scope, verbs, subresources", async () => {
  const { discovery, asked } = bench();
  const [deployment, node] = await Promise.all([
    discovery.find({ apiVersion: "apps/v1", kind: "Deployment" }),
    discovery.find({ apiVersion: "v1", kind: "Node" }),
  ]);
  assert.deepEqual(deployment, {
    resource: { group: "apps", version: "v1", kind: "Deployment", plural: "deployments", namespaced: true },
    verbs: READ,
    subresources: ["scale"],
  });
  assert.deepEqual([node.resource.namespaced, node.subresources], [false, ["status", "proxy"]]);
  await discovery.find({ apiVersion: "v1", kind: "ConfigMap" });
  assert.deepEqual(asked, ["/api", "/apis"]);
});

Deno.test("the version that is asked for is given, and the preferred one where none is", async () => {
  const { discovery } = bench();
  const name = { apiVersion: "autoscaling/v1", kind: "HorizontalPodAutoscaler" };
  assert.equal((await discovery.find(name)).resource.version, "v1");
  assert.equal((await discovery.findPreferred("autoscaling", name.kind)).resource.version, "v2");
  assert.equal((await discovery.findPreferred("", "ConfigMap")).resource.version, "v1");
});

const UNKNOWN: Record<string, { apiVersion: string; kind: string; message: string; isStale?: boolean }> = {
  "a group that is not installed": {
    apiVersion: "example.com/v1",
    kind: "Widget",
    message: 'The cluster does not know kind "Widget" of "example.com/v1": no such API group is installed',
  },
  "a version that is not served": {
    apiVersion: "autoscaling/v2beta2",
    kind: "HorizontalPodAutoscaler",
    message: 'The cluster does not know kind "HorizontalPodAutoscaler" of "autoscaling/v2beta2": ' +
      'it is served as "autoscaling/v2", "autoscaling/v1"',
  },
  "a kind that its group does not have": {
    apiVersion: "v1",
    kind: "Deployment",
    message: 'The cluster does not know kind "Deployment" of "v1": its API group has no such kind',
  },
  "a kind of an aggregated API that is away": {
    apiVersion: "metrics.k8s.io/v1beta1",
    kind: "PodMetrics",
    message:
      'Cannot look up kind "PodMetrics" of "metrics.k8s.io/v1beta1": the server of API group "metrics.k8s.io" does not answer',
    isStale: true,
  },
};

for (const [name, { apiVersion, kind, message, isStale = false }] of Object.entries(UNKNOWN)) {
  Deno.test(`${name} is an error that names it`, async () => {
    const { discovery } = bench();
    await assert.rejects(discovery.find({ apiVersion, kind }), (error) => {
      assert.ok(error instanceof UnknownKind);
      assert.deepEqual([error.message, error.isStale], [message, isStale]);
      return true;
    });
  });
}

Deno.test("an unknown kind is looked for anew, but not more often than every ten seconds", async () => {
  const { discovery, asked, documents, clock } = bench([APPS]);
  const widget = { apiVersion: "example.com/v1", kind: "Widget" };
  await assert.rejects(discovery.find(widget), UnknownKind);
  documents["/apis"] = { kind: "APIGroupDiscoveryList", items: [APPS, WIDGETS] };
  clock.now += REFRESH_MS - 1;
  await assert.rejects(discovery.find(widget), UnknownKind);
  assert.equal(asked.length, 2);
  clock.now += 1;
  assert.equal((await discovery.find(widget)).resource.plural, "widgets");
  assert.equal(asked.length, 4);
});

Deno.test("what is known is read again when it is old, so that a kind that went is noticed", async () => {
  const { discovery, documents, clock } = bench([APPS, WIDGETS]);
  const widget = { apiVersion: "example.com/v1", kind: "Widget" };
  await discovery.find(widget);
  documents["/apis"] = { kind: "APIGroupDiscoveryList", items: [APPS] };
  await discovery.find(widget);
  clock.now += LONGEST_AGE_MS + 1;
  await assert.rejects(discovery.find(widget), UnknownKind);
});

Deno.test("a server that does not answer is no unknown kind, and is asked again at once", async () => {
  const { discovery, documents } = bench();
  const { "/apis": groups } = documents;
  delete documents["/apis"];
  await assert.rejects(discovery.find({ apiVersion: "apps/v1", kind: "Deployment" }), KubeError);
  documents["/apis"] = groups;
  await discovery.find({ apiVersion: "apps/v1", kind: "Deployment" });
});

Deno.test("a server without aggregated discovery is asked group by group, and one that does not answer hides no other", async () => {
  const { discovery, asked, documents } = bench();
  const at = (version: string): unknown => ({ groupVersion: `apps/${version}`, version });
  Object.assign(documents, {
    "/api": { kind: "APIVersions", versions: ["v1"] },
    "/apis": {
      kind: "APIGroupList",
      groups: [
        { name: "apps", versions: [at("v1beta1"), at("v1")], preferredVersion: at("v1") },
        { name: "away.io", versions: [{ version: "v1" }] },
      ],
    },
    "/api/v1": { resources: [{ name: "pods", kind: "Pod", namespaced: true, verbs: READ }] },
    "/apis/apps/v1beta1": { resources: [{ name: "deployments", kind: "Deployment", namespaced: true, verbs: READ }] },
    "/apis/apps/v1": {
      resources: [
        { name: "deployments", kind: "Deployment", namespaced: true, verbs: READ },
        { name: "deployments/scale", kind: "Scale", namespaced: true, verbs: ["get"] },
      ],
    },
  });
  const { resource, subresources } = await discovery.findPreferred("apps", "Deployment");
  assert.deepEqual([resource.version, resource.plural, subresources], ["v1", "deployments", ["scale"]]);
  assert.equal((await discovery.find({ apiVersion: "v1", kind: "Pod" })).resource.plural, "pods");
  await assert.rejects(discovery.find({ apiVersion: "away.io/v1", kind: "Thing" }), { isStale: true });
  assert.equal(asked.filter((path) => path === "/apis/apps/v1").length, 1);
});
