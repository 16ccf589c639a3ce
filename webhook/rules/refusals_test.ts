/** Illegal objects, each with the fields that the answer must name. */
import assert from "node:assert/strict";
import type { KubeObject } from "../../lib/api/object.ts";
import { contextWith, DIGEST, NOW, preview, printer } from "../testing.ts";
import { verdict } from "../verdict.ts";
import type { AdmissionConfig, AdmissionRules, NamespaceOwner } from "./mod.ts";
import { ALL_RULES } from "./mod.ts";

interface Refusal {
  object: KubeObject;
  old?: KubeObject;
  config?: Partial<AdmissionConfig>;
  owner?: NamespaceOwner;
  /** Fields of all problems, in their order. */
  fields: string[];
  /** A word of the first message. */
  says?: string;
}

const EXTEND = "maquette.dev/extend-until";
const EXTEND_FIELD = `metadata.annotations[${EXTEND}]`;
const OTHER: NamespaceOwner = { kind: "PreviewEnvironment", key: "ci/first", uid: "1" };
const LONG_REPOSITORY = `acme/${"r".repeat(250)}`;

function spec(value: unknown): KubeObject {
  return { ...preview(), spec: value };
}

function extended(until: string): KubeObject {
  return preview({ ttl_seconds: 3600 }, { annotations: { [EXTEND]: until } });
}

const REFUSALS: Record<string, Refusal> = {
  "no spec": { object: spec(undefined), fields: ["spec"], says: "required" },
  "a spec that is null": { object: spec(null), fields: ["spec"] },
  "a spec that is text": { object: spec("pr_number: 7"), fields: ["spec"] },
  "a spec that is a list": { object: spec([]), fields: ["spec"] },
  "an empty spec": { object: spec({}), fields: ["spec.branch_name", "spec.image", "spec.pr_number"] },
  "no pull request": { object: preview({ pr_number: undefined }), fields: ["spec.pr_number"], says: "required" },
  "pull request 0": { object: preview({ pr_number: 0 }), fields: ["spec.pr_number"] },
  "pull request -1": { object: preview({ pr_number: -1 }), fields: ["spec.pr_number"] },
  "pull request 1000000": { object: preview({ pr_number: 1_000_000 }), fields: ["spec.pr_number"] },
  "half a pull request": { object: preview({ pr_number: 7.5 }), fields: ["spec.pr_number"] },
  "a pull request as text": { object: preview({ pr_number: "7" }), fields: ["spec.pr_number"] },
  "an endless pull request": { object: preview({ pr_number: Infinity }), fields: ["spec.pr_number"] },
  "no branch": { object: preview({ branch_name: undefined }), fields: ["spec.branch_name"] },
  "an empty branch": { object: preview({ branch_name: "" }), fields: ["spec.branch_name"] },
  "a branch of 256 characters": { object: preview({ branch_name: "b".repeat(256) }), fields: ["spec.branch_name"] },
  "a branch that is a number": { object: preview({ branch_name: 7 }), fields: ["spec.branch_name"] },
  "no image": { object: preview({ image: undefined }), fields: ["spec.image"] },
  "an empty image": { object: preview({ image: "" }), fields: ["spec.image"] },
  "an image that is a list": { object: preview({ image: ["a"] }), fields: ["spec.image"] },
  "an image in capitals": { object: preview({ image: "ghcr.io/Acme/Shop" }), fields: ["spec.image"] },
  "an image with a scheme": { object: preview({ image: "https://ghcr.io/acme/shop" }), fields: ["spec.image"] },
  "an image with white space": { object: preview({ image: "ghcr.io/acme/shop " }), fields: ["spec.image"] },
  "an image with a line break": { object: preview({ image: "ghcr.io/acme/shop\n" }), fields: ["spec.image"] },
  "an image with an empty part": { object: preview({ image: "ghcr.io//shop" }), fields: ["spec.image"] },
  "an image with a short digest": {
    object: preview({ image: "shop@sha256:abc", image_tag: undefined }),
    fields: ["spec.image"],
  },
  "an image of 2000 characters": { object: preview({ image: "a".repeat(2000) }), fields: ["spec.image"] },
  "an image ID": { object: preview({ image: "a".repeat(64), image_tag: undefined }), fields: ["spec.image"] },
  "neither tag nor digest": {
    object: preview({ image_tag: undefined }),
    fields: ["spec.image_tag"],
    says: "required",
  },
  "an empty tag": { object: preview({ image_tag: "" }), fields: ["spec.image_tag"] },
  "a tag with a slash": { object: preview({ image_tag: "feature/x" }), fields: ["spec.image_tag"] },
  "a tag of 129 characters": { object: preview({ image_tag: "t".repeat(129) }), fields: ["spec.image_tag"] },
  "a tag that is a number": { object: preview({ image_tag: 1.2 }), fields: ["spec.image_tag"] },
  "two different tags": { object: preview({ image: "shop:1", image_tag: "2" }), fields: ["spec.image_tag"] },
  "a tag beside a digest": { object: preview({ image: `shop@${DIGEST}` }), fields: ["spec.image_tag"] },
  "the tag latest": { object: preview({ image_tag: "latest" }), fields: ["spec.image"], says: "latest" },
  "a registry that is not allowed": {
    object: preview(),
    config: { allowedRegistries: ["registry.acme.test"] },
    fields: ["spec.image"],
    says: "allowed",
  },
  "a registry that is denied": {
    object: preview(),
    config: { deniedRegistries: ["ghcr.io"] },
    fields: ["spec.image"],
    says: "denied",
  },
  "no digest where one is required": { object: preview(), config: { requireDigest: true }, fields: ["spec.image"] },
  "a TTL of 59 seconds": { object: preview({ ttl_seconds: 59 }), fields: ["spec.ttl_seconds"] },
  "a TTL of 0": { object: preview({ ttl_seconds: 0 }), fields: ["spec.ttl_seconds"] },
  "a negative TTL": { object: preview({ ttl_seconds: -86_400 }), fields: ["spec.ttl_seconds"] },
  "a TTL as text": { object: preview({ ttl_seconds: "1h" }), fields: ["spec.ttl_seconds"] },
  "a TTL with a fraction": { object: preview({ ttl_seconds: 90.5 }), fields: ["spec.ttl_seconds"] },
  "a repository without owner": { object: preview({ repository: "shop" }), fields: ["spec.repository"] },
  "a repository of dashes": { object: preview({ repository: "---/---" }), fields: ["spec.repository"] },
  "a repository of 256 characters": {
    object: preview({ repository: `${LONG_REPOSITORY}r` }),
    fields: ["spec.repository"],
  },
  "a namespace of 64 characters": {
    object: preview({ namespace: "n".repeat(64) }),
    fields: ["spec.namespace"],
    says: "63",
  },
  "a namespace in capitals": { object: preview({ namespace: "Team" }), fields: ["spec.namespace"] },
  "a namespace with a dot": { object: preview({ namespace: "team.a" }), fields: ["spec.namespace"] },
  "a namespace that ends with a dash": { object: preview({ namespace: "team-" }), fields: ["spec.namespace"] },
  "an empty namespace": { object: preview({ namespace: "" }), fields: ["spec.namespace"] },
  "the namespace default": { object: preview({ namespace: "default" }), fields: ["spec.namespace"] },
  "the namespace kube-system": { object: preview({ namespace: "kube-system" }), fields: ["spec.namespace"] },
  "the operator's namespace": {
    object: preview({ namespace: "maquette-system" }),
    fields: ["spec.namespace"],
    says: "reserved",
  },
  "a namespace that is configured as reserved": {
    object: preview({ namespace: "prod-eu" }),
    config: { reservedNamespaces: ["prod-*"] },
    fields: ["spec.namespace"],
    says: "reserved",
  },
  "a generated namespace that is reserved": {
    object: preview(),
    config: { reservedNamespaces: ["preview-pr-7"] },
    fields: ["spec.pr_number"],
    says: "reserved",
  },
  "a generated namespace with repository that is reserved": {
    object: preview({ repository: "acme/shop" }),
    config: { reservedNamespaces: ["preview-acme-*"] },
    fields: ["spec.repository"],
  },
  "the namespace that the object itself lives in": {
    object: preview({ namespace: "ci" }),
    fields: ["spec.namespace"],
  },
  "a namespace that another has": { object: preview(), owner: OTHER, fields: ["spec.pr_number"], says: '"ci/first"' },
  "an explicit namespace that another has": {
    object: preview({ namespace: "team-a" }),
    owner: OTHER,
    fields: ["spec.namespace"],
    says: '"ci/first"',
  },
  "a namespace with repository that another has": {
    object: preview({ repository: "acme/shop" }),
    owner: OTHER,
    fields: ["spec.repository"],
    says: '"ci/first"',
  },
  "port 0": { object: preview({ port: 0 }), fields: ["spec.port"] },
  "port 65536": { object: preview({ port: 65_536 }), fields: ["spec.port"] },
  "no replicas": { object: preview({ replicas: 0 }), fields: ["spec.replicas"] },
  "a thousand replicas": { object: preview({ replicas: 1000 }), fields: ["spec.replicas"] },
  "a health path without slash": { object: preview({ health_path: "healthz" }), fields: ["spec.health_path"] },
  "a health path with a space": { object: preview({ health_path: "/a b" }), fields: ["spec.health_path"] },
  "an unknown start of the TTL": { object: preview({ ttl_from: "never" }), fields: ["spec.ttl_from"] },
  "environment variables as a map": { object: preview({ env: { A: "1" } }), fields: ["spec.env"] },
  "a variable with a bad name": {
    object: preview({ env: [{ name: "1=A", value: "" }] }),
    fields: ["spec.env[0].name"],
  },
  "a variable with value and source": {
    object: preview({ env: [{ name: "A", value: "1", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }] }),
    fields: ["spec.env[0]"],
  },
  "a variable twice": {
    object: preview({ env: [{ name: "A", value: "1" }, { name: "A", value: "2" }] }),
    fields: ["spec.env[1]"],
  },
  "a source of variables without name": { object: preview({ env_from: [{}] }), fields: ["spec.env_from[0]"] },
  "a memory limit that is no quantity": {
    object: preview({ resources: { limits: { memory: "much" } } }),
    fields: ["spec.resources.limits.memory"],
  },
  "a request over its limit": {
    object: preview({ resources: { requests: { cpu: "2" }, limits: { cpu: "1" } } }),
    fields: ["spec.resources.requests.cpu"],
  },
  "a pull secret without name": {
    object: preview({ image_pull_secrets: [{}] }),
    fields: ["spec.image_pull_secrets[0].name"],
  },
  "an extension that is no time": { object: extended("tomorrow"), fields: [EXTEND_FIELD], says: "RFC 3339" },
  "an extension that is a date": { object: extended("2026-01-31"), fields: [EXTEND_FIELD] },
  "an extension without seconds": { object: extended("2026-01-31T18:00Z"), fields: [EXTEND_FIELD] },
  "an extension without zone": { object: extended("2026-01-31T18:00:00"), fields: [EXTEND_FIELD] },
  "an extension to a day that is not": { object: extended("2026-02-30T00:00:00Z"), fields: [EXTEND_FIELD] },
  "an empty extension": { object: extended(""), fields: [EXTEND_FIELD] },
  "everything at once, by field": {
    object: preview(
      { pr_number: 0, branch_name: "", image: "A", ttl_seconds: 1, namespace: "kube-x", port: 0 },
      { annotations: { [EXTEND]: "soon" } },
    ),
    fields: [
      EXTEND_FIELD,
      "spec.branch_name",
      "spec.image",
      "spec.namespace",
      "spec.port",
      "spec.pr_number",
      "spec.ttl_seconds",
    ],
  },
  "problems of schema, policy and ownership together": {
    object: preview({ branch_name: "", image_tag: "latest" }),
    owner: OTHER,
    fields: ["spec.branch_name", "spec.image", "spec.pr_number"],
  },
  "two broken image rules": {
    object: preview({ image_tag: "latest" }),
    config: { deniedRegistries: ["ghcr.io"], requireDigest: true },
    fields: ["spec.image", "spec.image", "spec.image"],
  },
  "another pull request": {
    object: preview({ pr_number: 8 }),
    old: preview(),
    fields: ["spec.pr_number"],
    says: "immutable",
  },
  "another repository": {
    object: preview({ repository: "acme/b" }),
    old: preview({ repository: "acme/a" }),
    fields: ["spec.repository"],
  },
  "a repository that is set later": {
    object: preview({ repository: "acme/a" }),
    old: preview(),
    fields: ["spec.repository"],
  },
  "another namespace": {
    object: preview({ namespace: "b" }),
    old: preview({ namespace: "a" }),
    fields: ["spec.namespace"],
  },
  "a namespace that is taken away": {
    object: preview(),
    old: preview({ namespace: "a" }),
    fields: ["spec.namespace"],
  },
  "an update to a denied image": {
    object: preview({ image: "evil.test/x" }),
    old: preview(),
    config: { deniedRegistries: ["evil.test"] },
    fields: ["spec.image"],
  },
  "a bad extension on an update of nothing else": {
    object: preview({}, { annotations: { [EXTEND]: "x" } }),
    old: preview(),
    fields: [EXTEND_FIELD],
  },
  "a Printer without spec": { object: { ...printer(), spec: undefined }, fields: ["spec"] },
  "a Printer without text": { object: printer({ textToPrint: undefined }), fields: ["spec.textToPrint"] },
  "a Printer with a number": { object: printer({ textToPrint: 7 }), fields: ["spec.textToPrint"] },
  "a Printer with 65537 bytes": {
    object: printer({ textToPrint: "a".repeat(65_537) }),
    fields: ["spec.textToPrint"],
  },
  "a Printer with few characters of many bytes": {
    object: printer({ textToPrint: "😀".repeat(16_385) }),
    fields: ["spec.textToPrint"],
  },
  "a Printer with a NUL": { object: printer({ textToPrint: "a\0b" }), fields: ["spec.textToPrint"] },
  "a Printer of an unknown mode": { object: printer({ mode: "CronJob" }), fields: ["spec.mode"] },
  "a Printer with a bad image": { object: printer({ image: "busybox:" }), fields: ["spec.image"] },
  "a Printer with latest": { object: printer({ image: "busybox:latest" }), fields: ["spec.image"] },
  "a Printer with an untagged image": { object: printer({ image: "busybox" }), fields: ["spec.image"] },
  "a Printer with a denied image": {
    object: printer({ image: "busybox:1" }),
    config: { deniedRegistries: ["docker.io"] },
    fields: ["spec.image"],
  },
  "a Printer with a negative TTL": {
    object: printer({ ttlSecondsAfterFinished: -1 }),
    fields: ["spec.ttlSecondsAfterFinished"],
  },
};

function rulesFor({ kind }: KubeObject): AdmissionRules {
  return ALL_RULES.find((rules) => rules.kind.resource.kind === kind)!;
}

for (const [sentence, { object, old, config, owner, fields, says }] of Object.entries(REFUSALS)) {
  Deno.test(`admission refuses ${sentence}`, () => {
    const context = contextWith({ config, ownerOf: () => owner, now: () => NOW });
    const { problems } = verdict(rulesFor(object), object, old, context);
    assert.deepEqual(problems.map(({ field }) => field), fields, JSON.stringify(problems, null, 1));
    assert.match(problems[0]!.message, new RegExp(says ?? "."));
    for (const { message } of problems) assert.match(message, /^[A-Z].*[^.]$/);
  });
}

Deno.test("admission refuses at least 60 kinds of bad objects", () => {
  assert.ok(Object.keys(REFUSALS).length >= 60);
});
