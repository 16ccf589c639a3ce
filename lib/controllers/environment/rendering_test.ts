import assert from "node:assert/strict";
import type { KubeObject } from "../../api/object.ts";
import { marked } from "../../deploy/wanted.ts";
import { renderingOf } from "../../render/fake_renderer.ts";
import { hook } from "../../render/test_objects.ts";
import { prepared, type RenderingInput, renderingKey } from "./rendering.ts";
import { COMMIT, environment, project, SETTINGS } from "./test_objects.ts";

const INPUT: RenderingInput = {
  owner: environment(),
  project: project(),
  settings: SETTINGS,
  commit: COMMIT,
  host: "shop-dev.preview.example.com",
  kubeVersion: "v1.36.3",
  reserved: new Set(["NetworkPolicy/isolation"]),
};

function object(apiVersion: string, kind: string, metadata: Partial<KubeObject["metadata"]> = {}): KubeObject {
  return { apiVersion, kind, metadata: { name: "web", ...metadata } };
}

Deno.test("prepared() leaves out a chart's NetworkPolicies with a warning, whatever they are called", () => {
  const policies = ["web", "isolation"].map((name) => object("networking.k8s.io/v1", "NetworkPolicy", { name }));
  const { objects, refused, warnings } = prepared(renderingOf([object("v1", "Service"), ...policies]), INPUT);
  assert.deepEqual(objects.map(({ kind }) => kind), ["Service"]);
  assert.deepEqual(refused, []);
  assert.deepEqual(warnings.map(({ reason, message }) => [reason, message.split(":")[0]]), [
    ["NetworkPolicyLeftOut", 'NetworkPolicy "web" is left out'],
    ["NetworkPolicyLeftOut", 'NetworkPolicy "isolation" is left out'],
  ]);
});

Deno.test("prepared() gives an Ingress its only host: annotations that claim others are left out with a warning", () => {
  const claim = "nginx.ingress.kubernetes.io/server-alias";
  const given = object("networking.k8s.io/v1", "Ingress", { annotations: { [claim]: "shop.example.org", a: "b" } });
  const { objects: [ingress], warnings } = prepared(renderingOf([given]), INPUT);
  assert.deepEqual(ingress!.metadata.annotations, { a: "b" });
  assert.equal(ingress!.spec.rules[0].host, INPUT.host);
  assert.deepEqual(warnings.map(({ reason }) => reason), ["AnnotationsLeftOut"]);
});

Deno.test("prepared() refuses Maquette's marks on objects and hooks, and sets none itself: those come after it", () => {
  const forged = object("batch/v1", "Job", { labels: { "maquette.dev/build": "a" } });
  const judged = prepared(renderingOf([forged], { hooks: [hook(forged)] }), INPUT);
  assert.deepEqual(judged.refused.map(({ message }) => message.split(" has ")[0]), [
    "Job.yaml: Job/web",
    "hook.yaml: Job/web",
  ]);
  const { objects, refused } = prepared(renderingOf([object("v1", "Service")]), INPUT);
  assert.deepEqual(refused, []);
  assert.equal(objects[0]!.metadata.labels, undefined);
  assert.equal(marked(objects[0]!, INPUT.owner).metadata.labels!["maquette.dev/owner-uid"], "uid-of-dev");
});

const BUILD = {
  ...{ dockerfile: "Dockerfile", context: ".", builder: "buildkit", timeoutSeconds: 600 } as const,
  ...{ image: "ghcr.io/acme/shop", pushSecretRef: { name: "push" } },
};
const SOURCE = { repositoryUrl: "https://github.com/acme/shop", branch: "main", secretRef: { name: "git" } };

/** What is said of a Pod that uses all of these. */
function saidOf(project_: RenderingInput["project"], settings = SETTINGS): string[] {
  const names = ["push", "git", "wildcard", "database"];
  const spec = {
    serviceAccountName: "maquette-deployer",
    containers: [{ name: "app", envFrom: names.map((name) => ({ secretRef: { name } })) }],
  };
  const { refused } = prepared(renderingOf([{ ...object("v1", "Pod"), spec }]), {
    ...INPUT,
    project: project_,
    settings,
  });
  return refused.map(({ message }) => /uses (.*),/.exec(message)![1]!);
}

Deno.test("prepared() refuses Pods that use the account and the logins that are there for Maquette alone", () => {
  const account = 'ServiceAccount "maquette-deployer"';
  assert.deepEqual(saidOf(project()), [account]);
  assert.deepEqual(saidOf(project({ source: SOURCE })), [account], "without a build no login is copied");
  assert.deepEqual(saidOf(project({ source: SOURCE, build: BUILD })), [account, 'Secret "push"', 'Secret "git"']);
  const named = project({ source: SOURCE, build: BUILD, secrets: ["push", "database"] });
  assert.deepEqual(saidOf(named), [account, 'Secret "git"'], "what the Project names is the application's, too");
  const wildcard = { ...SETTINGS, tls: { mode: "wildcard", secret: "wildcard" } } as const;
  assert.deepEqual(saidOf(project(), wildcard), [account, 'Secret "wildcard"']);
});

Deno.test("renderingKey() follows which Secrets are kept apart", () => {
  const keys = [project({ source: SOURCE }), project({ source: SOURCE, secrets: ["git"] })].map((of) =>
    renderingKey({ ...INPUT, project: { ...of, spec: { ...of.spec, build: BUILD } } })
  );
  assert.notEqual(keys[0], keys[1]);
});

Deno.test("prepared() refuses all kinds of Maquette's", () => {
  const given = [object("catalyst.catalyst.dev/v1alpha1", "Environment"), object("cadumillani.com.br/v1", "Printer")];
  assert.deepEqual(prepared(renderingOf(given), INPUT).refused, [
    {
      reason: "NestedEnvironment",
      message: "Environment.yaml: Environment/web is refused: an environment may not make others",
    },
    {
      reason: "OwnKind",
      message: "Printer.yaml: Printer/web is refused: Maquette's own kinds are not for environments",
    },
  ]);
});
