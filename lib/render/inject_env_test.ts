import assert from "node:assert/strict";
import type { KubeObject } from "../api/object.ts";
import { type EnvVar, injectEnv } from "./inject_env.ts";
import { podSpecOf } from "./pod_templates.ts";
import { object, rendered } from "./test_objects.ts";

const SECRET = { secretKeyRef: { name: "db", key: "url" } };
const VARS: EnvVar[] = [{ name: "A", value: "ours" }, { name: "URL", valueFrom: SECRET }];

function withSpec(apiVersion: string, kind: string, wrap: (pod: object) => object): KubeObject {
  const pod = { initContainers: [{ name: "init" }], containers: [{ name: "app" }, { name: "side" }] };
  return { ...object(apiVersion, kind, "x"), spec: wrap(pod) };
}

const template = (spec: object): object => ({ template: { spec } });
const KINDS: Record<string, KubeObject> = {
  Pod: withSpec("v1", "Pod", (spec) => spec),
  ReplicationController: withSpec("v1", "ReplicationController", template),
  Deployment: withSpec("apps/v1", "Deployment", template),
  StatefulSet: withSpec("apps/v1", "StatefulSet", template),
  DaemonSet: withSpec("apps/v1", "DaemonSet", template),
  ReplicaSet: withSpec("apps/v1", "ReplicaSet", template),
  Job: withSpec("batch/v1", "Job", template),
  CronJob: withSpec("batch/v1", "CronJob", (spec) => ({ jobTemplate: { spec: template(spec) } })),
};

for (const [kind, each] of Object.entries(KINDS)) {
  Deno.test(`injectEnv() reaches every container of a ${kind}`, () => {
    const before = structuredClone(each);
    const { items, injected, warnings } = injectEnv(rendered(each), VARS);
    const { containers, initContainers } = podSpecOf(items[0]!.object)!;
    assert.deepEqual([...initContainers!, ...containers!].map(({ env }) => env), [VARS, VARS, VARS]);
    assert.deepEqual(
      injected.map(({ where }) => where),
      ["init", "app", "side"].map((c) => `${kind}/x container ${c}`),
    );
    assert.deepEqual([injected[0]!.value, warnings], ["A, URL", []]);
    assert.deepEqual(each, before, "what was given is changed");
  });
}

Deno.test("injectEnv() puts a variable in the place of one of the same name, and new ones last", () => {
  const theirs = [
    { name: "URL", value: "theirs" },
    { name: "FULL", value: "$(URL)/path" },
    { name: "URL", value: "again" },
  ];
  const pod = { ...object("v1", "Pod", "x"), spec: { containers: [{ name: "app", env: theirs }] } };
  const { items } = injectEnv(rendered(pod), VARS);
  assert.deepEqual(podSpecOf(items[0]!.object)!.containers![0]!.env, [
    { name: "URL", valueFrom: SECRET },
    { name: "FULL", value: "$(URL)/path" },
    { name: "A", value: "ours" },
  ]);
});

Deno.test("injectEnv() warns where nothing takes the variables, and says nothing where there are none", () => {
  const items = rendered(object("v1", "Service", "x"), object("example.com/v1", "Deployment", "x"));
  assert.deepEqual(injectEnv(items, VARS).warnings.map(({ reason }) => reason), ["EnvNotInjected"]);
  assert.deepEqual(injectEnv(items, []), { items, injected: [], warnings: [] });
});

Deno.test("injectEnv() leaves alone what is no list of containers", () => {
  const odd = [
    { containers: "text" },
    { containers: [null, "text"] },
    { containers: [{ name: "a", env: "text" }] },
    null,
  ];
  const items = rendered(...odd.map((spec) => ({ ...object("v1", "Pod", "x"), spec })));
  assert.equal(injectEnv(items, VARS).injected.length, 1);
});
