import assert from "node:assert/strict";
import { contextWith, environment, project } from "../testing.ts";
import { type Verdict, verdict } from "../verdict.ts";
import type { AdmissionConfig } from "./mod.ts";
import { NO_TENANTS } from "./admission_rules.ts";
import { PROJECT_RULES } from "./project.ts";

type Spec = Record<string, unknown>;

const IMAGE = "ghcr.io/acme/shop";

function ask(object = project(), config: Partial<AdmissionConfig> = {}): Verdict {
  return verdict(PROJECT_RULES, object, undefined, contextWith({ config }));
}

function chart(values: unknown, type = "helm"): Spec {
  return { deployment: { type, path: ".", values } };
}

const REFUSALS: Record<string, { spec: Spec; config?: Partial<AdmissionConfig>; field: string; says?: string }> = {
  "a path that escapes": { spec: { deployment: { type: "helm", path: "../x" } }, field: "spec.deployment.path" },
  "a URL with a token": {
    spec: { source: { repositoryUrl: "https://ghp_abc@github.com/acme/shop" } },
    field: "spec.source.repositoryUrl",
    says: "Must not carry credentials",
  },
  "an image that is none": { spec: { build: { image: "Shop" } }, field: "spec.build.image" },
  "an image with a tag": { spec: { build: { image: `${IMAGE}:1` } }, field: "spec.build.image", says: "tag" },
  "a registry that is not allowed": {
    spec: { build: { image: IMAGE } },
    config: { allowedRegistries: ["registry.acme.test"] },
    field: "spec.build.image",
    says: "allowed",
  },
  "a registry that is denied": {
    spec: { build: { image: IMAGE } },
    config: { deniedRegistries: ["ghcr.io"] },
    field: "spec.build.image",
    says: "denied",
  },
  "values of a megabyte": {
    spec: chart({ text: "x".repeat(1_000_000) }),
    field: "spec.deployment.values",
    says: "131072 bytes",
  },
  "values that are text": { spec: chart("a: b"), field: "spec.deployment.values" },
};

for (const [sentence, { spec, config, field, says = "" }] of Object.entries(REFUSALS)) {
  Deno.test(`a Project is refused: ${sentence}`, () => {
    const { problems } = ask(project(spec), config);
    assert.deepEqual(problems.map((problem) => problem.field), [field]);
    assert.ok(problems[0]!.message.includes(says), problems[0]!.message);
    assert.ok(!problems[0]!.message.includes("ghp_abc"), "a credential is said back");
  });
}

Deno.test("a Project's image needs no tag and no digest, whatever is asked of images that run", () => {
  const config = { requireDigest: true, allowLatest: false };
  assert.deepEqual(ask(project({ build: { image: IMAGE } }), config).problems, []);
});

Deno.test("all problems of a Project come in one answer, in the order of their paths", () => {
  const object = project({
    source: { repositoryUrl: "file:///etc", branch: "--all" },
    deployment: { type: "helm", path: "/" },
    build: { image: "A", context: ".." },
    secrets: ["a", "a"],
  });
  assert.deepEqual(ask(object).problems.map(({ field }) => field), [
    "spec.build.context",
    "spec.build.image",
    "spec.deployment.path",
    "spec.secrets[1]",
    "spec.source.branch",
    "spec.source.repositoryUrl",
  ]);
});

Deno.test("mutating names a Project's team and project, and adds the finalizer", () => {
  const { metadata } = ask().object;
  assert.deepEqual(metadata.labels, { "catalyst.dev/team": "acme", "catalyst.dev/project": "shop" });
  assert.deepEqual(metadata.finalizers, ["maquette.dev/cleanup"]);
  const labels = { "catalyst.dev/team": "mine", app: "x" };
  const written = ask(project({}, { labels })).object.metadata.labels;
  assert.deepEqual(written, { ...labels, "catalyst.dev/project": "shop" });
});

const WARNINGS: Record<string, { spec: Spec; warning: RegExp }> = {
  "plain HTTP": {
    spec: { source: { repositoryUrl: "http://git.acme.test/shop" } },
    warning: /^spec.source.repositoryUrl: Without https, source code travels in the open$/,
  },
  "plain HTTP with credentials": {
    spec: { source: { repositoryUrl: "http://git.acme.test/shop", secretRef: { name: "git" } } },
    warning: /source code and credentials travel/,
  },
  "values without a chart": { spec: chart({ a: 1 }, "manifest"), warning: /Only charts have values/ },
  "a quota of nothing": {
    spec: { resources: { defaultQuota: { cpu: "0m", memory: "1Gi" } } },
    warning: /^spec.resources.defaultQuota.cpu: Is nothing/,
  },
};

for (const [sentence, { spec, warning }] of Object.entries(WARNINGS)) {
  Deno.test(`a Project is warned of ${sentence}`, () => {
    const { problems, warnings } = ask(project(spec));
    assert.deepEqual(problems, []);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, warning);
  });
}

Deno.test("nobody is warned of values that are Maquette's own", () => {
  assert.deepEqual(ask(project(chart({ maquette: { service: "web" } }, "kustomize"))).warnings, []);
});

Deno.test("a cap below what there is warns, and only when it is written", () => {
  const tenants = { ...NO_TENANTS, environmentsOf: () => [environment(), environment()] };
  const context = contextWith({ tenants });
  const [none, one] = [project(), project({ maxEnvironments: 1 })];
  assert.match(verdict(PROJECT_RULES, one, none, context).warnings[0]!, /There are 2 already/);
  assert.deepEqual(verdict(PROJECT_RULES, one, one, context).warnings, []);
});

Deno.test("a Project of any shape gets an answer", () => {
  for (
    const spec of [undefined, null, "x", [], { source: 1, deployment: [], build: "x", resources: { defaultQuota: 2 } }]
  ) {
    const { problems } = verdict(PROJECT_RULES, { ...project(), spec }, undefined, contextWith());
    assert.ok(problems.length > 0);
  }
});
