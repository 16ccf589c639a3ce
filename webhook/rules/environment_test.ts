import assert from "node:assert/strict";
import type { KubeObject } from "../../lib/api/object.ts";
import type { Project } from "../../lib/api/project.ts";
import { contextWith, environment, project } from "../testing.ts";
import { type Verdict, verdict } from "../verdict.ts";
import { ENVIRONMENT_RULES } from "./environment.ts";
import type { AdmissionContext, NamespaceOwner } from "./mod.ts";

type Spec = Record<string, unknown>;
type Metadata = Partial<KubeObject["metadata"]>;

const SHA = "a".repeat(40);
const FILLED = { "catalyst.dev/team": "acme", "catalyst.dev/project": "shop", "catalyst.dev/environment": "dev" };

function ask(object: KubeObject, context: Partial<AdmissionContext> = {}, old?: KubeObject): Verdict {
  return verdict(ENVIRONMENT_RULES, object, old, contextWith(context));
}

/** A cluster with these Projects, and Environments of the first. */
function tenants(projects: KubeObject[], environments: KubeObject[] = []): Pick<AdmissionContext, "tenants"> {
  const byKey = new Map(projects.map((each) => [`${each.metadata.namespace}/${each.metadata.name}`, each as Project]));
  return { tenants: { project: (key) => byKey.get(key), isNested: () => false, environmentsOf: () => environments } };
}

function messages({ problems }: Verdict): string[] {
  return problems.map(({ field, message }) => `${field}: ${message}`);
}

const FILLS: Record<string, { spec?: Spec; metadata?: Metadata; labels: Record<string, string> }> = {
  "from namespace and names": { labels: FILLED },
  "from the project's own namespace": { metadata: { namespace: "acme-shop" }, labels: FILLED },
  "from the namespace that is referred to": {
    metadata: { namespace: "previews" },
    spec: { projectRef: { name: "shop", namespace: "acme" } },
    labels: FILLED,
  },
  "only where they are missing": {
    metadata: { labels: { "catalyst.dev/team": "my-team", "catalyst.dev/environment": "", app: "x" } },
    labels: { ...FILLED, "catalyst.dev/team": "my-team", app: "x" },
  },
};

for (const [sentence, { spec, metadata, labels }] of Object.entries(FILLS)) {
  Deno.test(`mutating fills labels in ${sentence}`, () => {
    const { object } = ask(environment(spec, metadata));
    assert.deepEqual(object.metadata.labels, labels);
    assert.deepEqual(object.metadata.finalizers, ["maquette.dev/cleanup"]);
    assert.deepEqual(ask(object).object, object, "a second time changes nothing");
  });
}

Deno.test("a name that is yet to be generated is not filled in", () => {
  assert.equal(ask(environment({}, { name: "" })).object.metadata.labels, undefined);
});

Deno.test("mutating cuts a TTL, and fills none in", () => {
  const { object, changes } = ask(environment({ ttlSeconds: 9_000_000 }));
  assert.equal(object.spec.ttlSeconds, 604_800);
  assert.deepEqual(changes, ["spec.ttlSeconds: 9000000 is over the maximum, 604800 is used instead"]);
  assert.ok(!("ttlSeconds" in ask(environment()).object.spec));
});

const OTHER = { kind: "Environment", key: "acme/first", uid: "1" };
const PREVIEW = { kind: "PreviewEnvironment", key: "ci/pr-7", uid: "2" };

const NAMESPACES: Record<string, { spec?: Spec; metadata?: Metadata; owner?: NamespaceOwner; says: string }> = {
  "an explicit one that is too long": {
    spec: { namespace: "n".repeat(64) },
    says: "spec.namespace: Must have at most 63 characters",
  },
  "an explicit one that belongs to the cluster": {
    spec: { namespace: "kube-public" },
    says: "spec.namespace: Must not be a reserved namespace: default and kube-* belong to the cluster",
  },
  "the operator's own": {
    spec: { namespace: "maquette-system" },
    says: 'spec.namespace: Namespace "maquette-system" is reserved',
  },
  "a generated one that belongs to the cluster": {
    metadata: { labels: { "catalyst.dev/team": "kube" } },
    says: 'metadata.name: Namespace "kube-shop-dev" is reserved',
  },
  "the one that it lives in": {
    spec: { namespace: "acme" },
    says: 'spec.namespace: Namespace "acme" is the one that this object lives in: name one that is to be made',
  },
  "one that another Environment has": {
    owner: OTHER,
    says: 'metadata.name: Namespace "acme-shop-dev" belongs to another Environment already: "acme/first"',
  },
  "one that a PreviewEnvironment has": {
    owner: PREVIEW,
    says: 'metadata.name: Namespace "acme-shop-dev" belongs to another PreviewEnvironment already: "ci/pr-7"',
  },
};

for (const [sentence, { spec, metadata, owner, says }] of Object.entries(NAMESPACES)) {
  Deno.test(`a namespace is refused: ${sentence}`, () => {
    assert.deepEqual(messages(ask(environment(spec, metadata), { ownerOf: () => owner })), [says]);
  });
}

Deno.test("an Environment that is made anew waits for the namespace of the one before", () => {
  const before = { kind: "Environment", key: "acme/dev", uid: "1" };
  assert.deepEqual(ask(environment(), { ownerOf: () => before }).problems, []);
  const preview = { ...before, kind: "PreviewEnvironment" };
  assert.equal(ask(environment(), { ownerOf: () => preview }).problems.length, 1);
});

const USES: Record<string, { metadata?: Metadata; spec?: Spec; projects: KubeObject[]; refused?: string }> = {
  "beside it": { projects: [project()] },
  "of the team, from the project's namespace": { metadata: { namespace: "acme-shop" }, projects: [project()] },
  "that allows its namespace": {
    metadata: { namespace: "previews" },
    spec: { projectRef: { name: "shop", namespace: "acme" } },
    projects: [project({ allowedNamespaces: ["previews"] })],
  },
  "elsewhere": {
    metadata: { namespace: "previews", labels: FILLED },
    spec: { projectRef: { name: "shop", namespace: "acme" } },
    projects: [project()],
    refused: 'spec.projectRef: Project "acme/shop" may not be used from namespace "previews": its allowedNamespaces ' +
      "must list it",
  },
};

for (const [sentence, { metadata, spec, projects, refused }] of Object.entries(USES)) {
  Deno.test(`a Project ${sentence} ${refused ? "is refused" : "may be used"}`, () => {
    const answer = ask(environment(spec, metadata), tenants(projects));
    assert.deepEqual(messages(answer), refused ? [refused] : []);
    assert.deepEqual(answer.warnings, []);
  });
}

Deno.test("an Environment in a namespace that was made for one is refused, whatever it may use from there", () => {
  const { tenants: known } = tenants([project()]);
  const nested = environment({}, { namespace: "acme-shop" });
  assert.deepEqual(messages(ask(nested, { tenants: { ...known, isNested: () => true } })), [
    'metadata.namespace: "acme-shop" was made for an environment: no Environment may live in it',
  ]);
});

Deno.test("a Project that is not known is waited for", () => {
  const { problems, warnings } = ask(environment({}, { namespace: "acme-shop" }), tenants([]));
  assert.deepEqual(problems, []);
  assert.deepEqual(warnings, [
    'spec.projectRef: No Project "acme-shop/shop" and "acme/shop" is known yet: the environment waits for it',
  ]);
});

Deno.test("maxEnvironments refuses the next, naming the cap and the oldest", () => {
  const old = environment({}, { name: "old", creationTimestamp: "2026-01-01T00:00:00Z" });
  const younger = environment({}, { name: "younger", creationTimestamp: "2026-01-02T00:00:00Z" });
  const full = tenants([project({ maxEnvironments: 2 })], [old, younger]);
  assert.deepEqual(messages(ask(environment(), full)), [
    'spec.projectRef.name: Project "acme/shop" has 2 of at most 2 Environments (maxEnvironments): delete one first; ' +
    'the oldest is "acme/old", of 2026-01-01T00:00:00Z',
  ]);
  assert.deepEqual(ask(younger, full).problems, [], "one that is there already, sent again");
  const changed = environment({ type: "deployment" });
  assert.deepEqual(ask(changed, full, environment()).problems, [], "an update is none more");
  const closed = tenants([project({ maxEnvironments: 0 })]);
  assert.match(messages(ask(environment(), closed))[0]!, /has 0 of at most 0 Environments \(maxEnvironments\)$/);
});

const WARNINGS: Record<string, { spec: Spec; warning: RegExp }> = {
  "a commit that is cut short": {
    spec: { source: { commitSha: "abc1234567890", branch: "main" } },
    warning: /^spec.source.commitSha: Is cut short/,
  },
  "a branch alone": { spec: { source: { branch: "main" } }, warning: /^spec.source: Without commitSha/ },
  "a Secret that nobody brings": {
    spec: {
      config: {
        envVars: [
          { name: "A", value: "1" },
          { name: "B", valueFrom: { secretKeyRef: { name: "database", key: "url" } } },
          { name: "C", valueFrom: { secretKeyRef: { name: "other", key: "url" } } },
          { name: "D", valueFrom: { secretKeyRef: { name: "maybe", key: "url", optional: true } } },
        ],
      },
    },
    warning: /^spec.config.envVars\[2\].valueFrom.secretKeyRef.name: "other" is not among/,
  },
};

for (const [sentence, { spec, warning }] of Object.entries(WARNINGS)) {
  Deno.test(`an Environment is warned of ${sentence}`, () => {
    const { problems, warnings } = ask(environment(spec), tenants([project({ secrets: ["database"] })]));
    assert.deepEqual(problems, []);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, warning);
  });
}

Deno.test("labels that name another namespace are refused on an update, even where the spec stays", () => {
  const old = environment({}, { labels: FILLED });
  const moved = environment({}, { labels: { ...FILLED, "catalyst.dev/team": "other" } });
  assert.deepEqual(messages(ask(moved, {}, old)), [
    'metadata.labels: Must go on to name namespace "acme-shop-dev", not "other-shop-dev": delete the object and create ' +
    "it anew",
  ]);
  assert.deepEqual(ask(environment(), {}, old).problems, [], "without labels the names are the same");
  const [explicit, relabelled] = [old, moved].map((each) => ({ ...each, spec: { ...each.spec, namespace: "mine" } }));
  assert.deepEqual(ask(relabelled!, {}, explicit).problems, [], "an explicit namespace does not follow from labels");
  const leaving = environment({}, { labels: FILLED, deletionTimestamp: "2026-01-01T00:00:00Z" });
  assert.deepEqual(ask(moved, {}, leaving).problems, [], "what is on its way out always passes");
});

Deno.test("all problems of an Environment come in one answer, in the order of their paths", () => {
  const object = environment({
    projectRef: { name: "shop", namespace: "acme" },
    type: "production",
    source: { commitSha: "HEAD" },
    config: { envVars: [{ name: "1A", value: "x" }, { name: "B" }] },
    ttlSeconds: 1,
    namespace: "maquette-system",
  }, { namespace: "evil" });
  assert.deepEqual(ask(object, tenants([project()])).problems.map(({ field }) => field), [
    "spec.config.envVars[0].name",
    "spec.config.envVars[1]",
    "spec.namespace",
    "spec.projectRef",
    "spec.source.commitSha",
    "spec.ttlSeconds",
    "spec.type",
  ]);
});

Deno.test("an Environment of any shape gets an answer", () => {
  const shapes = [
    undefined,
    null,
    7,
    [],
    { projectRef: "shop", source: [], config: { envVars: [null, { valueFrom: 1 }, 3] }, namespace: 5 },
    { projectRef: { name: 3, namespace: {} }, source: { commitSha: SHA, branch: [] } },
  ];
  for (const spec of shapes) {
    const { problems } = ask({ ...environment(), spec }, tenants([project()]));
    assert.ok(problems.length > 0);
  }
});
