import assert from "node:assert/strict";
import { ANNOTATION_SECRETS } from "../api/names.ts";
import type { KubeObject } from "../api/object.ts";
import { withSecretsDigest } from "./inject_secrets.ts";
import { object } from "./test_objects.ts";

const MARKS = new Map([["db", "1"], ["mail", "1"]]);

function workload(spec: unknown, kind = "Deployment", apiVersion = "apps/v1"): KubeObject {
  return { ...object(apiVersion, kind, "x"), spec: { template: { metadata: { labels: { app: "x" } }, spec } } };
}

function digestOf(each: KubeObject, marks = MARKS): string | undefined {
  return withSecretsDigest(each, marks).spec?.template?.metadata?.annotations?.[ANNOTATION_SECRETS];
}

const variable = { name: "URL", valueFrom: { secretKeyRef: { name: "db", key: "url" } } };
const USES: Record<string, unknown> = {
  "a variable": { containers: [{ name: "app", env: [{ name: "A", value: "b" }, variable] }] },
  "a variable of a container that only starts it": { initContainers: [{ env: [variable] }] },
  "all variables of it": {
    containers: [{ envFrom: [{ configMapRef: { name: "x" } }, { secretRef: { name: "db" } }] }],
  },
  "a volume": { containers: [], volumes: [{ name: "v", secret: { secretName: "db" } }] },
  "a part of a volume": {
    volumes: [{ projected: { sources: [{ configMap: { name: "x" } }, { secret: { name: "db" } }] } }],
  },
};

for (const [name, spec] of Object.entries(USES)) {
  Deno.test(`withSecretsDigest() marks who uses a Secret by ${name}`, () => {
    const given = workload(spec);
    const before = structuredClone(given);
    const digest = digestOf(given);
    assert.match(digest!, /^[0-9a-f]{16}$/);
    assert.notEqual(digestOf(given, new Map([["db", "2"], ["mail", "1"]])), digest, "another content");
    assert.equal(digestOf(given, new Map([["db", "1"], ["mail", "2"]])), digest, "a Secret that it does not use");
    assert.deepEqual(given, before, "what was given is changed");
    assert.deepEqual(withSecretsDigest(given, MARKS).spec.template.metadata.labels, { app: "x" });
  });
}

const SPEC = USES["a variable"];

Deno.test("withSecretsDigest() marks what is rolled, and nothing that would run again or cannot change", () => {
  for (const kind of ["Deployment", "StatefulSet", "DaemonSet"]) assert.ok(digestOf(workload(SPEC, kind)), kind);
  const others = [
    workload(SPEC, "ReplicaSet"),
    workload(SPEC, "Job", "batch/v1"),
    workload(SPEC, "Deployment", "example.com/v1"),
    { ...object("batch/v1", "CronJob", "x"), spec: { jobTemplate: { spec: { template: { spec: SPEC } } } } },
    { ...object("v1", "Pod", "x"), spec: SPEC },
  ];
  for (const each of others) assert.equal(withSecretsDigest(each, MARKS), each, each.kind);
});

const UNMARKED: Record<string, unknown> = {
  "uses none": { containers: [{ name: "app", env: [{ name: "A", value: "db" }] }] },
  "uses one that is not copied": { volumes: [{ secret: { secretName: "own" } }] },
  "only pulls its image with one": { imagePullSecrets: [{ name: "db" }] },
  "is no Pod": "text",
  "has texts where lists should be": { containers: "text", volumes: [null, { projected: { sources: "text" } }] },
  "has numbers where names should be": { volumes: [{ secret: { secretName: 1 } }] },
};

for (const [name, spec] of Object.entries(UNMARKED)) {
  Deno.test(`withSecretsDigest() leaves alone what ${name}`, () => {
    const given = workload(spec);
    assert.equal(withSecretsDigest(given, MARKS), given);
  });
}

Deno.test("withSecretsDigest() goes by what is used, in whatever order and however often", () => {
  const mail = { secretRef: { name: "mail" } };
  const db = { secretRef: { name: "db" } };
  const [one, other, less] = [[mail, db], [db, mail, db], [db]].map((envFrom) =>
    digestOf(workload({ containers: [{ envFrom }] }))
  );
  assert.equal(one, other);
  assert.notEqual(one, less);
});

Deno.test("withSecretsDigest() keeps other annotations, and makes room where there are none or nonsense", () => {
  const annotated = workload(SPEC);
  annotated.spec.template.metadata.annotations = { checksum: "1" };
  assert.equal(withSecretsDigest(annotated, MARKS).spec.template.metadata.annotations.checksum, "1");
  for (const metadata of [undefined, "text", { annotations: "text" }]) {
    const given = workload(SPEC);
    given.spec.template.metadata = metadata;
    assert.ok(digestOf(given));
  }
});
