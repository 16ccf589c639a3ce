import assert from "node:assert/strict";
import type { KubeObject } from "../api/object.ts";
import { CONFIG_MAP, NAMESPACE } from "../api/resources.ts";
import { KubeClient, type KubeClientOptions } from "./client.ts";
import type { Credentials } from "./credentials.ts";
import { KubeError } from "./errors.ts";
import { SCRIPTED_CREDENTIALS, ScriptedServer } from "./scripted_server.ts";

const FORCE = { manager: "maquette", force: true };
const TARGET = { namespace: "default", name: "a" };

function configMap(data: Record<string, string>, metadata: Partial<KubeObject["metadata"]> = {}): KubeObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", namespace: "default", ...metadata }, data };
}

interface Bench {
  server: ScriptedServer;
  kube: KubeClient;
  /** `verb resource code` of every request that ended. */
  observed: string[];
}

async function withClient(test: (bench: Bench) => Promise<void>, options: KubeClientOptions = {}): Promise<void> {
  const server = new ScriptedServer({ resources: [CONFIG_MAP, NAMESPACE] });
  const observed: string[] = [];
  const observe = (...parts: unknown[]): void => void observed.push(parts.join(" "));
  const kube = new KubeClient(SCRIPTED_CREDENTIALS, { fetch: server.fetch, observe, ...options });
  try {
    await test({ server, kube, observed });
  } finally {
    kube.close();
  }
}

Deno.test("KubeClient makes, reads, changes and deletes an object, and counts each request by verb and status", async () => {
  await withClient(async ({ kube, server, observed }) => {
    const made = await kube.create(configMap({ x: "1" }), CONFIG_MAP, "maquette");
    await kube.get(CONFIG_MAP, TARGET);
    await kube.apply(configMap({ y: "1" }), CONFIG_MAP, FORCE);
    await kube.patch(CONFIG_MAP, TARGET, [{ op: "replace", path: "/data/x", value: "2" }]);
    const seen = await kube.get(CONFIG_MAP, TARGET);
    assert.deepEqual(seen.data, { x: "2", y: "1" });
    await kube.replace({ ...seen, data: {} }, CONFIG_MAP, "maquette");
    await kube.remove(CONFIG_MAP, TARGET, { uid: made.metadata.uid });
    assert.deepEqual(server.store.list(CONFIG_MAP), []);
    assert.deepEqual(observed, [
      "create configmaps 201",
      "get configmaps 200",
      "apply configmaps 200",
      "patch configmaps 200",
      "get configmaps 200",
      "update configmaps 200",
      "delete configmaps 200",
    ]);
  });
});

Deno.test("KubeClient drops managedFields from whatever it is answered", async () => {
  await withClient(async ({ kube }) => {
    const objects = [
      await kube.create(configMap({}), CONFIG_MAP, "maquette"),
      await kube.get(CONFIG_MAP, TARGET),
      await kube.apply(configMap({ x: "1" }), CONFIG_MAP, FORCE),
      ...(await kube.list(CONFIG_MAP, {}, { limit: 10 })).items,
    ];
    assert.ok(objects.every(({ metadata }) => !("managedFields" in metadata)));
  });
});

Deno.test("KubeClient deletes exactly what was seen, in the background", async () => {
  await withClient(async ({ kube, server }) => {
    const { metadata } = server.store.create(CONFIG_MAP, configMap({}));
    await assert.rejects(kube.remove(CONFIG_MAP, TARGET, { uid: "other" }), { status: 409 });
    server.store.edit(CONFIG_MAP, "default/a", (object) => object.data = { x: "1" });
    const { uid, resourceVersion } = metadata;
    await assert.rejects(kube.remove(CONFIG_MAP, TARGET, { uid, resourceVersion }), { status: 409 });
    assert.equal(server.store.list(CONFIG_MAP).length, 1);
    await kube.remove(CONFIG_MAP, TARGET, { uid });
    await assert.rejects(kube.remove(CONFIG_MAP, TARGET, { uid }), { status: 404 });
    const body = server.requests[0]!.body as Record<string, unknown>;
    assert.equal(body.propagationPolicy, "Background");
  });
});

Deno.test("KubeClient asks for the token at every request, and says who it is", async () => {
  const headers: Record<string, string>[] = [];
  let count = 0;
  const credentials: Credentials = { ...SCRIPTED_CREDENTIALS, token: () => Promise.resolve(`token-${++count}`) };
  const send = ((_url: string, init: RequestInit) => {
    headers.push(init.headers as Record<string, string>);
    return Promise.resolve(Response.json({ metadata: {} }));
  }) as typeof fetch;
  const kube = new KubeClient(credentials, { fetch: send, userAgent: "maquette/1.2.3" });
  await kube.get(CONFIG_MAP, TARGET);
  await kube.get(CONFIG_MAP, TARGET);
  kube.close();
  assert.deepEqual(headers.map((sent) => sent.authorization), ["Bearer token-1", "Bearer token-2"]);
  assert.equal(headers[0]!["user-agent"], "maquette/1.2.3");
});

Deno.test("KubeClient throws a refusal as what it is, and a broken connection as the error it is", async () => {
  await withClient(async ({ kube, server, observed }) => {
    await assert.rejects(kube.get(CONFIG_MAP, TARGET), (error) => error instanceof KubeError && error.status === 404);
    server.fail({}, new KubeError(429, "TooManyRequests", "later", 7_000));
    await assert.rejects(kube.get(CONFIG_MAP, TARGET), { status: 429, reason: "TooManyRequests", retryAfterMs: 7_000 });
    server.fail({}, "reset");
    await assert.rejects(kube.get(CONFIG_MAP, TARGET), TypeError);
    assert.deepEqual(observed, ["get configmaps 404", "get configmaps 429", "get configmaps 0"]);
  });
});

Deno.test("KubeClient gives up a request that is not answered in its time", async () => {
  await withClient(async ({ kube, server, observed }) => {
    server.fail({}, "hang");
    await assert.rejects(kube.get(CONFIG_MAP, TARGET), { name: "TimeoutError" });
    assert.deepEqual(observed, ["get configmaps 0"]);
  }, { timeoutMs: 1 });
});

Deno.test("KubeClient gives up a list that its caller gives up", async () => {
  await withClient(async ({ kube, server }) => {
    server.fail({}, "hang");
    const stop = new AbortController();
    const listed = kube.list(CONFIG_MAP, {}, { limit: 1, signal: stop.signal });
    stop.abort();
    await assert.rejects(listed, { name: "AbortError" });
  });
});

Deno.test("KubeClient lists page by page, by namespace, labels and fields", async () => {
  await withClient(async ({ kube, server }) => {
    server.store.create(NAMESPACE, { apiVersion: "v1", kind: "Namespace", metadata: { name: "other" } });
    for (const name of ["a", "b", "c"]) server.store.create(CONFIG_MAP, configMap({}, { name, labels: { team: "x" } }));
    server.store.create(CONFIG_MAP, configMap({}, { name: "d" }));
    server.store.create(CONFIG_MAP, configMap({}, { namespace: "other", labels: { team: "x" } }));
    const scope = { namespace: "default", labelSelector: "team=x" };
    const first = await kube.list(CONFIG_MAP, scope, { limit: 2 });
    const second = await kube.list(CONFIG_MAP, scope, { limit: 2, next: first.next });
    const names = [first, second].map(({ items }) => items.map(({ metadata }) => metadata.name));
    assert.deepEqual(names, [["a", "b"], ["c"]]);
    assert.deepEqual([second.next, second.resourceVersion], [undefined, first.resourceVersion]);
    const named = await kube.list(CONFIG_MAP, { fieldSelector: "metadata.name=d" }, { limit: 2 });
    assert.deepEqual(named.items.map(({ metadata }) => metadata.name), ["d"]);
  });
});

Deno.test("promise 1: a list of metadata asks for the list's kind, a watch of it for the object's", async () => {
  await withClient(async ({ kube, server }) => {
    const { resourceVersion } = await kube.list(CONFIG_MAP, { metadataOnly: true }, { limit: 1 });
    const stop = new AbortController();
    server.store.create(CONFIG_MAP, configMap({ x: "1" }));
    const scope = { metadataOnly: true };
    for await (
      const { object } of kube.watch(CONFIG_MAP, scope, { resourceVersion, timeoutSeconds: 1, signal: stop.signal })
    ) {
      assert.deepEqual([object.kind, object.data], ["ConfigMap", undefined]);
      break;
    }
    assert.deepEqual(server.requests.map(({ accept }) => /as=(\w+)/.exec(accept)?.[1]), [
      "PartialObjectMetadataList",
      "PartialObjectMetadata",
    ]);
    assert.equal(server.openWatches, 0);
  });
});

Deno.test("KubeClient asks a watch for bookmarks and for an end", async () => {
  await withClient(async ({ kube, server }) => {
    const stop = new AbortController();
    const options = { resourceVersion: "9991", timeoutSeconds: 300, signal: stop.signal };
    const next = kube.watch(CONFIG_MAP, {}, options).next();
    stop.abort();
    await assert.rejects(next, { name: "AbortError" });
    assert.deepEqual(server.requests.map(({ query }) => query), []);
    const again = kube.watch(CONFIG_MAP, {}, { ...options, signal: new AbortController().signal });
    server.fail({ verb: "watch" }, { watch: "close" });
    assert.equal((await again.next()).done, true);
    const { allowWatchBookmarks, resourceVersion, timeoutSeconds } = server.requests[0]!.query;
    assert.deepEqual([allowWatchBookmarks, resourceVersion, timeoutSeconds], ["true", "9991", "300"]);
  });
});

Deno.test("KubeClient asks its guard just before each write, after the token was read, and lets reads pass", async () => {
  const steps: string[] = [];
  const credentials: Credentials = {
    ...SCRIPTED_CREDENTIALS,
    token: () => new Promise((resolve) => setTimeout(() => resolve(String(steps.push("token"))))),
  };
  const send = ((_url: string, { method }: RequestInit) => {
    steps.push(method!);
    return Promise.resolve(Response.json({ metadata: {} }));
  }) as typeof fetch;
  let isOpen = true;
  const check = (): void => {
    steps.push("check");
    if (!isOpen) throw new Error("closed");
  };
  const observe = (): void => void steps.push("observe");
  const unguarded = new KubeClient(credentials, { fetch: send, observe });
  const kube = unguarded.with({ guard: { check, signal: new AbortController().signal } });
  await kube.create(configMap({}), CONFIG_MAP, "maquette");
  assert.deepEqual(steps.splice(0), ["token", "check", "POST", "observe"]);
  isOpen = false;
  const writes = [
    () => kube.create(configMap({}), CONFIG_MAP, "maquette"),
    () => kube.replace(configMap({}), CONFIG_MAP, "maquette"),
    () => kube.apply(configMap({}), CONFIG_MAP, FORCE),
    () => kube.patch(CONFIG_MAP, TARGET, []),
    () => kube.remove(CONFIG_MAP, TARGET, {}),
  ];
  for (const write of writes) {
    await assert.rejects(write(), { message: "closed" });
    assert.deepEqual(steps.splice(0), ["token", "check"]);
  }
  await kube.get(CONFIG_MAP, TARGET);
  await unguarded.create(configMap({}), CONFIG_MAP, "maquette");
  assert.deepEqual(steps, ["token", "GET", "observe", "token", "POST", "observe"]);
  kube.close();
});

Deno.test("KubeClient ends guarded writes with the guard's signal, whatever else goes on", async () => {
  await withClient(async ({ kube, server }) => {
    const fall = new AbortController();
    const guarded = kube.with({ guard: { check: () => {}, signal: fall.signal } });
    server.fail({}, "hang", 2);
    const read = guarded.get(CONFIG_MAP, TARGET);
    const written = guarded.patch(CONFIG_MAP, TARGET, []);
    await new Promise((resolve) => setTimeout(resolve));
    fall.abort(new Error("fallen"));
    await assert.rejects(written, { message: "fallen" });
    await assert.rejects(read, { name: "TimeoutError" });
  }, { timeoutMs: 50 });
});

Deno.test("KubeClient reads the end of a container's log", async () => {
  const asked: string[] = [];
  const send = ((url: string) => {
    asked.push(url);
    return Promise.resolve(new Response("last line\n"));
  }) as unknown as typeof fetch;
  const kube = new KubeClient(SCRIPTED_CREDENTIALS, { fetch: send });
  const options = { container: "app", previous: true, tailLines: 5, limitBytes: 1_024 };
  assert.equal(await kube.logs({ namespace: "default", name: "a" }, options), "last line\n");
  kube.close();
  assert.deepEqual(asked, [
    "http://scripted.invalid/api/v1/namespaces/default/pods/a/log?container=app&previous=true&tailLines=5&limitBytes=1024",
  ]);
});
