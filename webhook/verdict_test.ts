import assert from "node:assert/strict";
import type { KubeObject } from "../lib/api/object.ts";
import type { AdmissionConfig, AdmissionContext } from "./rules/mod.ts";
import { ALL_RULES } from "./rules/mod.ts";
import { KINDS } from "../lib/api/registry.ts";
import { contextWith, DIGEST, NOW, preview, printer } from "./testing.ts";
import { type Verdict, verdict } from "./verdict.ts";

const EXTEND = "maquette.dev/extend-until";
const PAUSED = "maquette.dev/paused";
const FINALIZER = "maquette.dev/cleanup";
const DAY_MS = 86_400_000;

function ask(object: KubeObject, old?: KubeObject, context: AdmissionContext = contextWith()): Verdict {
  return verdict(ALL_RULES.find(({ kind }) => kind.resource.kind === object.kind)!, object, old, context);
}

/** An object as it is stored. */
function stored(object: KubeObject): KubeObject {
  return ask(object).object;
}

Deno.test("verdict(): every kind has rules", () => {
  assert.deepEqual(ALL_RULES.map(({ kind }) => kind), KINDS);
});

const GOOD: Record<string, KubeObject> = {
  "a PreviewEnvironment with what is required": preview(),
  "an image with its tag": preview({ image: "ghcr.io/acme/shop:1.2.3", image_tag: undefined }),
  "a tag in both fields": preview({ image: "ghcr.io/acme/shop:1.2.3" }),
  "an image with a digest": preview({ image: `ghcr.io/acme/shop@${DIGEST}`, image_tag: undefined }),
  "a registry with a port": preview({ image: "localhost:5000/shop" }),
  "a namespace of 63 characters": preview({ namespace: "n".repeat(63) }),
  "a repository whose namespace is hashed": preview({ repository: `acme/${"r".repeat(200)}` }),
  "an extension": preview({ ttl_seconds: 3600 }, { annotations: { [EXTEND]: "2026-01-02T00:00:00+01:00" } }),
  "all fields": preview({
    ttl_seconds: 60,
    repository: "acme/shop",
    port: 8080,
    replicas: 2,
    env: [{ name: "A", value: "1" }, { name: "B", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }],
    env_from: [{ secretRef: { name: "s" } }],
    resources: { requests: { cpu: "100m" }, limits: { memory: "1Gi" } },
    health_path: "/healthz?full=1",
    image_pull_secrets: [{ name: "pull" }],
    ttl_from: "updated",
  }),
  "a Printer": printer(),
  "a Printer with any text": printer({ textToPrint: "$(rm -rf /) `x` \"' \n😀" }),
  "a Printer with an image": printer({ image: "busybox:1.37.0", mode: "Job", ttlSecondsAfterFinished: 0 }),
};

for (const [sentence, object] of Object.entries(GOOD)) {
  Deno.test(`verdict() takes ${sentence}, without a warning`, () => {
    const { problems, warnings } = ask(object);
    assert.deepEqual({ problems, warnings }, { problems: [], warnings: [] });
  });
}

const TTL: Record<string, { given?: unknown; config?: Partial<AdmissionConfig>; becomes: unknown; warns?: RegExp }> = {
  "the default is filled in": { becomes: 86_400 },
  "null is as good as absent": { given: null, becomes: 86_400 },
  "what is given stays": { given: 7200, becomes: 7200 },
  "the maximum stays": { given: 604_800, becomes: 604_800 },
  "more than the maximum is capped": { given: 604_801, becomes: 604_800, warns: /604801 is over the maximum/ },
  "far more than the schema takes is capped": { given: 1e300, becomes: 604_800, warns: /over the maximum/ },
  "a default of 0 fills in nothing": {
    config: { defaultTtlSeconds: 0 },
    becomes: undefined,
    warns: /lives until it is deleted/,
  },
  "a default over the maximum is capped in silence": { config: { maxTtlSeconds: 3600 }, becomes: 3600 },
  "a maximum of 0 caps nothing": { given: 10_000_000, config: { maxTtlSeconds: 0 }, becomes: 10_000_000 },
  "nonsense is left for the schema to refuse": { given: "1h", becomes: "1h" },
};

for (const [sentence, { given, config, becomes, warns }] of Object.entries(TTL)) {
  Deno.test(`verdict() of a TTL: ${sentence}`, () => {
    const { object, warnings } = ask(preview({ ttl_seconds: given }), undefined, contextWith({ config }));
    assert.equal(object.spec.ttl_seconds, becomes);
    assert.match(warnings.join("\n"), warns ?? /^$/);
  });
}

Deno.test("verdict() adds the finalizer at creation, beside those that are there", () => {
  assert.deepEqual(ask(preview()).object.metadata.finalizers, [FINALIZER]);
  assert.deepEqual(ask(printer({}, { finalizers: ["a/b"] })).object.metadata.finalizers, ["a/b", FINALIZER]);
  assert.deepEqual(ask(printer({}, { finalizers: [FINALIZER] })).object.metadata.finalizers, [FINALIZER]);
});

Deno.test("verdict() is not fooled by a deletion time in a manifest", () => {
  const { object, problems } = ask(preview({ pr_number: 0 }, { deletionTimestamp: "2026-01-01T00:00:00Z" }));
  assert.equal(object.spec.ttl_seconds, 86_400);
  assert.equal(problems.length, 1);
});

Deno.test("verdict() leaves image and tag as they were written, so that applying again changes nothing", () => {
  for (const fields of [{}, { image: "a:1", image_tag: "1" }, { image: "a:1", image_tag: undefined }]) {
    const { image, image_tag } = preview(fields).spec;
    const { spec } = ask(preview(fields)).object;
    assert.deepEqual({ image: spec.image, image_tag: spec.image_tag }, { image, image_tag });
  }
});

Deno.test("verdict() said twice changes nothing more", () => {
  for (const object of [preview(), preview({ ttl_seconds: 1e9 }), printer()]) {
    const once = ask(object).object;
    assert.deepEqual(ask(once).object, once);
    assert.equal(ask(once, once).object, once);
  }
});

Deno.test("verdict() lets an object on its way out pass as it is, whatever is in it", () => {
  const old = preview({ pr_number: 0 }, { deletionTimestamp: "2026-01-01T00:00:00Z", finalizers: [FINALIZER] });
  const object = preview({ pr_number: -1, image: "" }, { deletionTimestamp: "2026-01-01T00:00:00Z", finalizers: [] });
  const result = ask(object, old);
  assert.deepEqual(result.problems, []);
  assert.equal(result.object, object);
});

Deno.test("verdict() lets labels and finalizers of an old object change that today's rules would refuse", () => {
  const strict = contextWith({
    config: { requireDigest: true, maxTtlSeconds: 60, deniedRegistries: ["ghcr.io"] },
    ownerOf: () => ({ kind: "PreviewEnvironment", key: "ci/other", uid: "1" }),
  });
  const old = preview({ branch_name: "", image_tag: "latest", ttl_seconds: 9_000_000 });
  const object = { ...old, metadata: { ...old.metadata, labels: { a: "b" }, finalizers: [FINALIZER] } };
  const result = ask(object, old, strict);
  assert.deepEqual({ problems: result.problems, warnings: result.warnings }, { problems: [], warnings: [] });
  assert.equal(result.object, object);
});

Deno.test("verdict() does not hold against an update what the schema finds in the stored object too", () => {
  const old = preview({ branch_name: "" });
  assert.deepEqual(ask(preview({ branch_name: "", replicas: 2 }), old).problems, []);
  assert.equal(ask(preview({ branch_name: "", replicas: 0 }), old).problems.length, 1);
});

Deno.test("verdict() holds the whole policy against an update of the spec", () => {
  const { problems } = ask(
    preview({ replicas: 2 }),
    preview(),
    contextWith({ config: { deniedRegistries: ["ghcr.io"] } }),
  );
  assert.deepEqual(problems.map(({ field }) => field), ["spec.image"]);
});

Deno.test("verdict() gives no TTL to an environment that has lived without one", () => {
  assert.equal(ask(preview({ replicas: 2 }), preview()).object.spec.ttl_seconds, undefined);
  assert.deepEqual(ask(preview({ replicas: 2 }), preview()).warnings, []);
});

Deno.test("verdict() gives the default to an environment whose TTL is taken away", () => {
  assert.equal(ask(preview(), preview({ ttl_seconds: 60 })).object.spec.ttl_seconds, 86_400);
});

Deno.test("verdict() refuses a second owner at creation only", () => {
  const context = contextWith({ ownerOf: () => ({ kind: "PreviewEnvironment", key: "ci/other", uid: "1" }) });
  assert.equal(ask(preview(), undefined, context).problems.length, 1);
  assert.deepEqual(ask(preview({ replicas: 2 }), preview(), context).problems, []);
});

Deno.test("verdict() lets an object be made anew while its namespace is still on its way out", () => {
  assert.deepEqual(
    ask(
      preview(),
      undefined,
      contextWith({ ownerOf: () => ({ kind: "PreviewEnvironment", key: "ci/pr-7", uid: "1" }) }),
    ).problems,
    [],
  );
});

Deno.test("verdict() refuses a second environment for one host, naming the first", () => {
  const asked: string[] = [];
  const holder = { kind: "PreviewEnvironment", key: "ci/other", uid: "1" };
  const context = contextWith({ holderOf: (host) => (asked.push(host), holder) });
  const { problems } = ask(preview({ namespace: "elsewhere" }), undefined, context);
  assert.deepEqual(problems.map(({ field }) => field), ["spec.pr_number"]);
  assert.match(problems[0]!.message, /^Host "pr-7.preview.test" .*"ci\/other"/);
  ask(preview({ repository: "acme/shop", namespace: "elsewhere" }), undefined, context);
  assert.deepEqual(asked, ["pr-7.preview.test", "pr-7-acme-shop.preview.test"]);
  assert.deepEqual(ask(preview({ replicas: 2 }), preview(), context).problems, [], "at creation only");
});

Deno.test("verdict() asks for the owner of the namespace that will be made", () => {
  const asked: string[] = [];
  const context = contextWith({ ownerOf: (namespace) => void asked.push(namespace) });
  ask(preview(), undefined, context);
  ask(preview({ repository: "Acme/Shop" }), undefined, context);
  ask(preview({ repository: "acme/shop", namespace: "team-a" }), undefined, context);
  assert.deepEqual(asked, ["preview-pr-7", "preview-acme-shop-pr-7", "team-a"]);
});

const WARNINGS: Record<string, { object: KubeObject; old?: KubeObject; warning: RegExp }> = {
  "a tag that moves": { object: preview({ image_tag: "main" }), warning: /^spec.image: Tag "main" usually moves/ },
  "a tag that moves, in capitals": { object: preview({ image_tag: "DEV" }), warning: /Tag "DEV" usually moves/ },
  "a Printer's tag that moves": { object: printer({ image: "busybox:edge" }), warning: /usually moves/ },
  "a port that only root may take": { object: preview({ port: 80 }), warning: /^spec.port: / },
  "an extension beyond the longest life": {
    object: preview({}, { annotations: { [EXTEND]: "2026-02-01T00:00:00Z" } }),
    warning: /the environment ends 2026-01-08T00:00:00.000Z/,
  },
  "an extension beyond the longest life since the creation": {
    object: preview({ ttl_seconds: 60 }, {
      creationTimestamp: "2025-12-31T00:00:00Z",
      annotations: { [EXTEND]: "2026-02-01T00:00:00Z" },
    }),
    old: stored(preview({ ttl_seconds: 60 })),
    warning: /the environment ends 2026-01-07T00:00:00.000Z/,
  },
  "an extension beyond the longest life since the last update": {
    object: {
      ...preview({ ttl_seconds: 60, ttl_from: "updated" }, {
        creationTimestamp: "2025-12-01T00:00:00Z",
        annotations: { [EXTEND]: "2026-02-01T00:00:00Z" },
      }),
      status: { updatedAt: "2025-12-30T00:00:00Z" },
    },
    old: stored(preview({ ttl_seconds: 60, ttl_from: "updated" })),
    warning: /the environment ends 2026-01-06T00:00:00.000Z/,
  },
  "an extension that is over": {
    object: preview({}, { annotations: { [EXTEND]: new Date(NOW - DAY_MS).toISOString() } }),
    warning: /Extends nothing, because the time is over/,
  },
  "an extension of a life without end": {
    object: preview({}, { annotations: { [EXTEND]: "2026-01-02T00:00:00Z" } }),
    old: preview(),
    warning: /Extends nothing, because the environment has no TTL/,
  },
  "a pause that is none": {
    object: preview({}, { annotations: { [PAUSED]: "yes" } }),
    warning: /^metadata.annotations\[maquette.dev\/paused\]: "yes" is neither/,
  },
  "a Printer's pause that is none": {
    object: printer({}, { annotations: { [PAUSED]: "True" } }),
    warning: /"True" is neither/,
  },
};

for (const [sentence, { object, old, warning }] of Object.entries(WARNINGS)) {
  Deno.test(`verdict() warns of ${sentence}, once`, () => {
    const first = ask(object, old);
    assert.deepEqual(first.problems, []);
    assert.equal(first.warnings.length, 1, first.warnings.join("\n"));
    assert.match(first.warnings[0]!, warning);
    // Later updates that leave it as it is do not bring it up again.
    const later = { ...first.object, spec: { ...first.object.spec, textToPrint: "Bye", replicas: 2 } };
    assert.deepEqual(ask(later, first.object).warnings, []);
  });
}

Deno.test("verdict() has nothing to say of good pauses, pinned tags and short extensions", () => {
  const annotations = { [PAUSED]: "true", [EXTEND]: "2026-01-03T00:00:00Z" };
  assert.deepEqual(ask(preview({ image: `a:main@${DIGEST}`, image_tag: undefined }, { annotations })).warnings, []);
});

Deno.test("verdict() lets an object keep a bad annotation from before", () => {
  const annotations = { [EXTEND]: "soon", [PAUSED]: "yes" };
  const old = preview({}, { annotations });
  const { problems, warnings } = ask(preview({ replicas: 2 }, { annotations }), old);
  assert.deepEqual({ problems, warnings }, { problems: [], warnings: [] });
});

Deno.test("verdict() tells changes from other warnings", () => {
  const { changes, warnings } = ask(preview({ ttl_seconds: 1e6, port: 80 }));
  assert.equal(changes.length, 1);
  assert.equal(warnings.length, 2);
});
