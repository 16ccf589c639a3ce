import assert from "node:assert/strict";
import fc from "fast-check";
import {
  environmentNames,
  environmentNamespace,
  hostLabels,
  mayUse,
  namespaceFor,
  namespaceLabels,
  projectKeys,
  projectNames,
  teamOf,
} from "./environment_names.ts";
import { generate, isDnsLabel, labelValue } from "./naming.ts";

type Given = Parameters<typeof environmentNames>[0];

function environment(
  metadata: Partial<Given["metadata"]> = {},
  spec: Partial<Given["spec"]> = {},
): Given {
  return { metadata: { name: "dev", namespace: "acme", ...metadata }, spec: { projectRef: { name: "shop" }, ...spec } };
}

function labels(team: string, project: string, name: string): Record<string, string> {
  return { "catalyst.dev/team": team, "catalyst.dev/project": project, "catalyst.dev/environment": name };
}

const NAMESPACES: Record<string, [given: Given, namespace: string]> = {
  "the labels": [environment({ labels: labels("my-team", "my-project", "dev") }), "my-team-my-project-dev"],
  "what is too long is hashed": [
    environment({
      labels: labels("my-super-long-team-name", "my-super-long-project-name", "feature-very-long-branch-name"),
    }),
    "my-super-long-team-name-my-super-long-project-name-featur-f61d3",
  ],
  "what is no DNS label is made one": [
    environment({ labels: labels("My_Team", "My.Project", "Feature.Branch") }),
    "my-team-my-project-feature-branch",
  ],
  "without labels, namespace and names": [environment(), "acme-shop-dev"],
  "without labels, the team of a project's own namespace": [environment({ namespace: "acme-shop" }), "acme-shop-dev"],
  "without labels, the namespace that is referred to": [
    environment({ namespace: "other" }, { projectRef: { name: "shop", namespace: "acme" } }),
    "acme-shop-dev",
  ],
  "an empty label is none": [environment({ labels: labels("", "", "") }), "acme-shop-dev"],
  "an explicit one is never changed": [environment({}, { namespace: "mine" }), "mine"],
  "null is the same as none": [
    environment({}, { namespace: null, projectRef: { name: "shop", namespace: null } }),
    "acme-shop-dev",
  ],
};

for (const [sentence, [given, namespace]] of Object.entries(NAMESPACES)) {
  Deno.test(`environmentNamespace(): ${sentence}`, () => assert.equal(environmentNamespace(given), namespace));
}

Deno.test("two different lists of names can give one namespace: ownership decides, not the name", () => {
  const [first, second] = [labels("a-b", "c", "dev"), labels("a", "b-c", "dev")].map((given) =>
    environmentNamespace(environment({ labels: given }))
  );
  assert.equal(first, second);
});

Deno.test("environmentNames() keeps names that start alike apart where they are no label values", () => {
  const long = "n".repeat(200);
  const [a, b] = [`${long}.a`, `${long}.b`].map((name) => environmentNames(environment({ name })).environment);
  assert.notEqual(a, b);
  for (const name of [a!, b!]) assert.equal(labelValue(name), name);
});

const word = fc.stringMatching(/^[a-zA-Z0-9]([-._a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$/);
const objectName = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,80}[a-z0-9])?(\.[a-z0-9]{1,9}){0,9}$/);
const dnsLabel = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
const anyEnvironment = fc.record({
  name: objectName,
  namespace: dnsLabel,
  labels: fc.record({
    "catalyst.dev/team": word,
    "catalyst.dev/project": word,
    "catalyst.dev/environment": word,
  }, { requiredKeys: [] }),
  project: objectName,
}).map(({ project, ...metadata }) => environment(metadata as Given["metadata"], { projectRef: { name: project } }));

Deno.test("every generated namespace and host is a DNS label, every name a label value, and all are stable", () => {
  fc.assert(fc.property(anyEnvironment, (given) => {
    const names = environmentNames(given);
    for (const name of [environmentNamespace(given), ...hostLabels(names)]) assert.ok(isDnsLabel(name), name);
    for (const value of Object.values(namespaceLabels(given))) assert.equal(labelValue(value), value);
    assert.equal(environmentNamespace(structuredClone(given)), environmentNamespace(given));
    // Labels that were filled in name the same as none at all.
    const filled = { ...given.metadata, labels: { ...given.metadata.labels, ...namespaceLabels(given) } };
    assert.deepEqual(environmentNames({ ...given, metadata: filled }), names);
  }));
});

Deno.test("long names that differ anywhere give different namespaces", () => {
  const long = fc.stringMatching(/^[a-z0-9]{60}$/);
  fc.assert(fc.property(long, long, word, word, (team, project, a, b) => {
    fc.pre(generate(a) !== generate(b));
    const [one, other] = [a, b].map((environment) => namespaceFor({ team, project, environment }));
    assert.notEqual(one, other);
  }));
});

Deno.test("teamOf() takes the project's own namespace apart, and no other", () => {
  assert.equal(teamOf("acme", "shop"), "acme");
  assert.equal(teamOf("acme-shop", "shop"), "acme");
  assert.equal(teamOf("acme-shop", "my.shop"), "acme-shop");
  assert.equal(teamOf("shop", "shop"), "shop");
  assert.equal(teamOf("-shop", "shop"), "-shop");
  assert.equal(teamOf("a-my-shop", "my.shop"), "a");
});

const KEYS: Record<string, [given: Given, keys: string[]]> = {
  "the namespace that is written, alone": [
    environment({}, { projectRef: { name: "shop", namespace: "team" } }),
    ["team/shop"],
  ],
  "its own": [environment(), ["acme/shop"]],
  "its own before the team's": [environment({ namespace: "acme-shop" }), ["acme-shop/shop", "acme/shop"]],
  "whatever labels say": [environment({ labels: labels("victim", "shop", "dev") }), ["acme/shop"]],
};

for (const [sentence, [given, keys]] of Object.entries(KEYS)) {
  Deno.test(`projectKeys(): ${sentence}`, () => assert.deepEqual(projectKeys(given), keys));
}

const PROJECT = { metadata: { name: "shop", namespace: "acme" }, spec: { allowedNamespaces: ["friends"] } };
const USES: Record<string, [namespace: string, expected: boolean]> = {
  "from its own namespace": ["acme", true],
  "from the project's namespace": ["acme-shop", true],
  "from a namespace that it lists": ["friends", true],
  "not from any other": ["evil", false],
  "not from an environment's namespace": ["acme-shop-dev", false],
};

for (const [sentence, [namespace, expected]] of Object.entries(USES)) {
  Deno.test(`a Project may be used ${sentence}`, () => {
    assert.equal(mayUse(environment({ namespace }), PROJECT), expected);
    // Labels of the Environment open nothing and close nothing.
    assert.equal(mayUse(environment({ namespace, labels: labels("acme", "shop", "dev") }), PROJECT), expected);
  });
}

Deno.test("a Project opens itself to the namespace that its own labels name", () => {
  const project = { metadata: { name: "p", namespace: "projects", labels: labels("acme", "shop", "") } };
  assert.deepEqual(projectNames(project), { team: "acme", project: "shop" });
  assert.ok(mayUse(environment({ namespace: "acme-shop" }), project));
  assert.ok(!mayUse(environment({ namespace: "projects-p" }), project));
});

Deno.test("the branch is shown as a label value, and not where there is none", () => {
  const given = environment({}, { source: { branch: "feature/login:v2" } });
  assert.equal(namespaceLabels(given)["catalyst.dev/branch"], "feature-login-v2");
  for (const branch of [undefined, "日本"]) {
    assert.ok(!("catalyst.dev/branch" in namespaceLabels(environment({}, { source: { branch } }))));
  }
});
