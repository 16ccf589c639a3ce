import assert from "node:assert/strict";
import type { KubeObject } from "../api/object.ts";
import { usesOf } from "./kept_apart.ts";
import { object, pod } from "./test_objects.ts";

const APART = new Map([["ServiceAccount/deployer", "do not"], ["Secret/login", "do not"]]);
const ACCOUNT = 'it uses ServiceAccount "deployer", which is there for Maquette alone: do not';
const SECRET = 'it uses Secret "login", which is there for Maquette alone: do not';

/** A Pod with this in its container. */
function container(fields: object): KubeObject {
  return pod("web", { containers: [{ name: "app", ...fields }] });
}

function cronJob(spec: object): KubeObject {
  const template = { spec: { jobTemplate: { spec: { template: { spec } } } } };
  return { ...object("batch/v1", "CronJob", "x"), ...template };
}

const CASES: Record<string, [KubeObject, string]> = {
  "a Pod's account": [pod("web", { serviceAccountName: "deployer" }), ACCOUNT],
  "a Pod's account by its older name": [pod("web", { serviceAccount: "deployer" }), ACCOUNT],
  "both names of it, once": [pod("web", { serviceAccountName: "deployer", serviceAccount: "deployer" }), ACCOUNT],
  "the account of a CronJob's Pods": [cronJob({ serviceAccountName: "deployer" }), ACCOUNT],
  "a token of the account": [
    {
      ...object("v1", "Secret", "x", { annotations: { "kubernetes.io/service-account.name": "deployer" } }),
      type: "kubernetes.io/service-account-token",
    },
    ACCOUNT,
  ],
  "a volume": [pod("web", { volumes: [{ name: "v", secret: { secretName: "login" } }] }), SECRET],
  "a part of a volume": [
    pod("web", { volumes: [{ name: "v", projected: { sources: [{ secret: { name: "login" } }] } }] }),
    SECRET,
  ],
  "a volume of a driver": [
    pod("web", { volumes: [{ name: "v", csi: { driver: "d", nodePublishSecretRef: { name: "login" } } }] }),
    SECRET,
  ],
  "a variable": [container({ env: [{ name: "A", valueFrom: { secretKeyRef: { name: "login", key: "a" } } }] }), SECRET],
  "all variables": [
    container({ envFrom: [{ configMapRef: { name: "login" } }, { secretRef: { name: "login" } }] }),
    SECRET,
  ],
  "a container that starts the Pod": [
    pod("web", { initContainers: [{ name: "init", envFrom: [{ secretRef: { name: "login" } }] }] }),
    SECRET,
  ],
  "what images are pulled with": [pod("web", { imagePullSecrets: [{ name: "login" }] }), SECRET],
  "what images are pulled with for an account": [
    { ...object("v1", "ServiceAccount", "x"), imagePullSecrets: [{ name: "login" }] },
    SECRET,
  ],
  "what an account may mount": [{ ...object("v1", "ServiceAccount", "x"), secrets: [{ name: "login" }] }, SECRET],
};

for (const [name, [given, want]] of Object.entries(CASES)) {
  Deno.test(`usesOf() finds ${name}`, () => assert.deepEqual(usesOf(given, APART), [want]));
}

const FINE: Record<string, KubeObject> = {
  "other accounts and Secrets": pod("web", { serviceAccountName: "web", imagePullSecrets: [{ name: "deployer" }] }),
  "a ConfigMap of the same name": container({ envFrom: [{ configMapRef: { name: "login" } }] }),
  "a label of the same name": object("v1", "Service", "x", { labels: { secretName: "login" } }),
  "a Secret that only says whose it is": object("v1", "Secret", "x", {
    annotations: { "kubernetes.io/service-account.name": "deployer" },
  }),
  "what is odd": pod("web", {
    imagePullSecrets: "login",
    volumes: [null, { secret: ["login"] }],
    serviceAccountName: 1,
  }),
};

for (const [name, given] of Object.entries(FINE)) {
  Deno.test(`usesOf() lets pass ${name}`, () => assert.deepEqual(usesOf(given, APART), []));
}
