import assert from "node:assert/strict";
import { ANNOTATION_CONTENT, ANNOTATION_GIT_HOST, ANNOTATION_SOURCE } from "../api/names.ts";
import type { KubeObject } from "../api/object.ts";
import { SECRET } from "../api/resources.ts";
import { KubeError } from "../kube/errors.ts";
import { contentMark, copyOf, filled, sourceOf, withoutContent } from "./copies.ts";
import { difference } from "./differs.ts";

const SOURCE: KubeObject = {
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: "pull", namespace: "team", uid: "u1", resourceVersion: "7" },
  type: "kubernetes.io/dockerconfigjson",
  data: { b: "Qg==", a: "QQ==" },
};
const TARGET = { namespace: "preview-pr-7", name: "pull" };

function serving(source: KubeObject | undefined): { get: () => Promise<KubeObject>; asked: string[] } {
  const asked: string[] = [];
  const get = (_resource?: unknown, target?: { namespace?: string; name?: string }): Promise<KubeObject> => {
    asked.push(`${target?.namespace}/${target?.name}`);
    return source ? Promise.resolve(source) : Promise.reject(new KubeError(404, "NotFound", "not found"));
  };
  return { get, asked };
}

Deno.test("a copy that is wanted names its source and version, and holds no content", () => {
  const copy = copyOf(SOURCE, TARGET);
  assert.deepEqual(copy, {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { ...TARGET, annotations: { [ANNOTATION_SOURCE]: "team/pull@u1/7" } },
  });
  assert.equal(sourceOf(SOURCE), "team/pull@u1/7");
});

Deno.test("filled() reads the source when the copy is written, and leaves other objects alone", async () => {
  const kube = serving(SOURCE);
  const copy = await filled(copyOf(SOURCE, TARGET), SECRET, kube);
  assert.deepEqual([copy.type, copy.data, copy.metadata.namespace], [SOURCE.type, SOURCE.data, "preview-pr-7"]);
  assert.match(copy.metadata.annotations![ANNOTATION_CONTENT]!, /^[0-9a-f]{8}$/);
  assert.deepEqual(kube.asked, ["team/pull"]);
  const other: KubeObject = { apiVersion: "v1", kind: "Secret", metadata: TARGET };
  assert.equal(await filled(other, SECRET, kube), other);
  assert.equal(kube.asked.length, 1);
});

const refused: Record<string, [source: KubeObject | undefined, reason: string]> = {
  "a source that is gone": [undefined, "SourceMissing"],
  "a token of a service account": [{ ...SOURCE, type: "kubernetes.io/service-account-token" }, "SourceRefused"],
  "a bootstrap token": [{ ...SOURCE, type: "bootstrap.kubernetes.io/token" }, "SourceRefused"],
};

for (const [name, [source, reason]] of Object.entries(refused)) {
  Deno.test(`filled() stalls on ${name}`, async () => {
    await assert.rejects(filled(copyOf(SOURCE, TARGET), SECRET, serving(source)), { name: "Stalled", reason });
  });
}

const PINNED = { ...SOURCE, metadata: { ...SOURCE.metadata, annotations: { [ANNOTATION_GIT_HOST]: "github.com" } } };

function loginFor(host: string): KubeObject {
  const { metadata, ...copy } = copyOf(PINNED, TARGET);
  return { ...copy, metadata: { ...metadata, annotations: { ...metadata.annotations, [ANNOTATION_GIT_HOST]: host } } };
}

Deno.test("a login for git that is pinned is copied for its own hosts only, and never for Pods", async () => {
  const copy = await filled(loginFor("github.com"), SECRET, serving(PINNED));
  assert.deepEqual(copy.data, SOURCE.data);
  const refusal = { name: "Stalled", reason: "SourceRefused" };
  await assert.rejects(filled(loginFor("evil.example"), SECRET, serving(PINNED)), {
    ...{ ...refusal, message: /is for git at "github.com" only .* not copied for "evil.example"$/ },
  });
  await assert.rejects(filled(copyOf(PINNED, TARGET), SECRET, serving(PINNED)), {
    ...{ ...refusal, message: /not copied for Pods$/ },
  });
});

Deno.test("filled() passes on what it cannot judge", async () => {
  const kube = { get: () => Promise.reject(new KubeError(500, "InternalError", "no")) };
  await assert.rejects(filled(copyOf(SOURCE, TARGET), SECRET, kube), { status: 500 });
});

Deno.test("promise 1: the shape of a copy holds a digest in place of the data", async () => {
  const copy = await filled(copyOf(SOURCE, TARGET), SECRET, serving(SOURCE));
  const cached = withoutContent(copy);
  assert.ok(!JSON.stringify(cached).includes("Qg=="));
  assert.deepEqual(Object.keys(cached), ["apiVersion", "kind", "metadata"]);
  assert.equal(difference(copyOf(SOURCE, TARGET), cached), undefined);
});

const tampered: Record<string, (copy: KubeObject) => KubeObject> = {
  "a value was changed": (copy) => ({ ...copy, data: { ...copy.data, a: "WA==" } }),
  "a value was added": (copy) => ({ ...copy, data: { ...copy.data, c: "WA==" } }),
  "a value was taken away": (copy) => ({ ...copy, data: { a: copy.data.a } }),
  "all was taken away": ({ data: _data, ...copy }) => copy as KubeObject,
  "binary data was added": (copy) => ({ ...copy, binaryData: { x: "WA==" } }),
};

for (const [name, tamper] of Object.entries(tampered)) {
  Deno.test(`promise 4: a copy in which ${name} by hand differs from what is wanted`, async () => {
    const copy = await filled(copyOf(SOURCE, TARGET), SECRET, serving(SOURCE));
    assert.notEqual(difference(copyOf(SOURCE, TARGET), withoutContent(tamper(copy))), undefined);
  });
}

Deno.test("promise 4: a copy whose members come back in another order is the same", async () => {
  const copy = await filled(copyOf(SOURCE, TARGET), SECRET, serving(SOURCE));
  const turned = { ...copy, data: { a: copy.data.a, b: copy.data.b } };
  assert.equal(difference(copyOf(SOURCE, TARGET), withoutContent(turned)), undefined);
});

Deno.test("promise 4: a source that changed is a difference", async () => {
  const copy = await filled(copyOf(SOURCE, TARGET), SECRET, serving(SOURCE));
  const newer = { ...SOURCE, metadata: { ...SOURCE.metadata, resourceVersion: "8" } };
  assert.notEqual(difference(copyOf(newer, TARGET), withoutContent(copy)), undefined);
});

Deno.test("contentMark() changes with the content of a source and with nothing else of it", async () => {
  const markOf = async (source: KubeObject): Promise<string | undefined> =>
    contentMark(withoutContent(await filled(copyOf(source, TARGET), SECRET, serving(source))));
  const mark = await markOf(SOURCE);
  const labelled = { ...SOURCE, metadata: { ...SOURCE.metadata, resourceVersion: "8", labels: { a: "b" } } };
  assert.equal(await markOf(labelled), mark);
  assert.notEqual(await markOf({ ...SOURCE, data: { ...SOURCE.data, a: "WA==" } }), mark);
});

Deno.test("contentMark() cannot be found by trying without the uid of the source, which it does not show", async () => {
  const twin = { ...SOURCE, metadata: { ...SOURCE.metadata, uid: "u2" } };
  const [one, other] = await Promise.all([SOURCE, twin].map(async (source) => {
    const copy = await filled(copyOf(source, TARGET), SECRET, serving(source));
    return contentMark(withoutContent(copy))!;
  }));
  assert.notEqual(one, other);
  assert.match(one!, /^[0-9a-f]{64}$/);
});

Deno.test("contentMark() knows nothing of a copy that was changed by hand, or is none", async () => {
  const copy = await filled(copyOf(SOURCE, TARGET), SECRET, serving(SOURCE));
  assert.equal(contentMark(withoutContent({ ...copy, data: {} })), undefined);
  assert.equal(contentMark({ apiVersion: "v1", kind: "Secret", metadata: TARGET }), undefined);
});
