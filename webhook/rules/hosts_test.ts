import assert from "node:assert/strict";
import type { KubeObject } from "../../lib/api/object.ts";
import { contextWith, environment, portfolioApp, preview } from "../testing.ts";
import { verdict } from "../verdict.ts";
import { ALL_RULES, type NamespaceOwner } from "./mod.ts";

const HOST = "pr-7.preview.test";
/** The one that an Environment takes where the other is taken. */
const LONG = "pr-7-shop-acme.preview.test";

const CASES: Record<string, { object: KubeObject; field: string; takes: string }> = {
  PreviewEnvironment: { object: preview({ pr_number: 7 }), field: "spec.pr_number", takes: HOST },
  Environment: { object: environment({}, { name: "pr-7" }), field: "metadata.name", takes: LONG },
  PortfolioApp: {
    object: portfolioApp({ ingress: { enabled: true, host: HOST } }),
    field: "spec.ingress.host",
    takes: HOST,
  },
};

function problems(object: KubeObject, holders: Record<string, NamespaceOwner>, old?: KubeObject): string[] {
  const rules = ALL_RULES.find(({ kind }) => kind.resource.kind === object.kind)!;
  return verdict(rules, object, old, contextWith({ holderOf: (host) => holders[host] })).problems
    .map(({ field, message }) => `${field}: ${message}`);
}

for (const [kind, { object, field, takes }] of Object.entries(CASES)) {
  for (const holding of Object.keys(CASES)) {
    const holder = { kind: holding, key: "theirs/first", uid: "1" };
    Deno.test(`a ${kind} is refused whose host a ${holding} has`, () => {
      const said = `${field}: Host "${takes}" belongs to another ${holding} already: "theirs/first"`;
      assert.deepEqual(problems(object, { [HOST]: holder, [LONG]: holder }), [said]);
    });
  }

  Deno.test(`a ${kind} is not kept from the host that it has itself, and may be changed otherwise`, () => {
    const { namespace, name } = object.metadata;
    const own = { kind, key: `${namespace}/${name}`, uid: "1" };
    assert.deepEqual(problems(object, { [HOST]: own, [LONG]: own }), []);
    const other = { kind, key: "theirs/first", uid: "1" };
    const changed = { ...object, metadata: { ...object.metadata, labels: { a: "b" } } };
    assert.deepEqual(problems(changed, { [HOST]: other, [LONG]: other }, object), []);
  });
}

Deno.test("an Environment is let in while one of its hosts is free", () => {
  const holder = { kind: "PortfolioApp", key: "theirs/first", uid: "1" };
  for (const host of [HOST, LONG]) assert.deepEqual(problems(CASES.Environment!.object, { [host]: holder }), []);
});

Deno.test("an application that takes a host later is refused likewise", () => {
  const { object } = CASES.PortfolioApp!;
  const holder = { kind: "Environment", key: "theirs/first", uid: "1" };
  const before = { ...object, spec: { ...object.spec, ingress: { enabled: false, host: HOST } } };
  assert.equal(problems(object, { [HOST]: holder }, before).length, 1);
});
