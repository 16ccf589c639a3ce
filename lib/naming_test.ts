import assert from "node:assert/strict";
import fc from "fast-check";
import { generate, isDnsLabel, isReservedNamespace, labelValue, sanitize } from "./naming.ts";

/** What the API server accepts as a label value (k8s.io/apimachinery, IsValidLabelValue). */
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const A63 = "a".repeat(63);

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.string({ unit: fc.constantFrom(..."aZ09-_./: é"), maxLength: 200 }),
);

const sanitized: Record<string, [input: string, expected: string]> = {
  "an empty text stays empty": ["", ""],
  "a clean name stays as it is": ["my-team", "my-team"],
  "capitals are lowered": ["My_Team", "my-team"],
  "slashes and dots become dashes": ["Feature/a.b", "feature-a-b"],
  "a mixed run becomes one dash": ["a -_/- b", "a-b"],
  "dashes in a row collapse": ["a---b", "a-b"],
  "dashes at both ends go": ["--a--", "a"],
  "other characters at both ends go": ["_a.", "a"],
  "only separators leave nothing": ["-_/ -", ""],
  "an emoji becomes a dash": ["a🚀b", "a-b"],
  "a combining sequence becomes one dash": ["ae\u0301b", "ae-b"],
  "the dotted capital I is no i": ["İstanbul", "stanbul"],
  "the Kelvin sign is no k": ["1\u212A2", "1-2"],
  "a sharp s is not spelled out": ["straße", "stra-e"],
  "a lone surrogate becomes a dash": ["a\ud800b", "a-b"],
  "newlines and NUL become dashes": ["a\n\0b", "a-b"],
};

for (const [name, [input, expected]] of Object.entries(sanitized)) {
  Deno.test(`sanitize(): ${name}`, () => assert.equal(sanitize(input), expected));
}

const generated: Record<string, [parts: string[], expected: string]> = {
  "short parts are joined": [["my-team", "my-project", "dev"], "my-team-my-project-dev"],
  "what is over 63 characters is cut and hashed": [
    ["my-super-long-team-name", "my-super-long-project-name", "feature-very-long-branch-name"],
    "my-super-long-team-name-my-super-long-project-name-featur-f61d3",
  ],
  "parts are sanitized": [["My_Team", "My/Project", "Feature.Branch"], "my-team-my-project-feature-branch"],
  "empty parts are dropped": [["team", "", "project"], "team-project"],
  "parts that sanitize to nothing are dropped": [["team", "🚀", "--", "project"], "team-project"],
  "no parts give nothing": [[], ""],
  "only empty parts give nothing": [["", "/", "é"], ""],
  "63 characters are kept": [[A63], A63],
  "two lists can give one name": [["a-b", "c"], generate("a", "b-c")],
};

for (const [name, [parts, expected]] of Object.entries(generated)) {
  Deno.test(`generate(): ${name}`, () => assert.equal(generate(...parts), expected));
}

Deno.test("generate() hashes 64 characters", () => {
  assert.match(generate(A63, "b"), /^a{57}-[0-9a-f]{5}$/);
  assert.match(generate(`${A63}a`), /^a{57}-[0-9a-f]{5}$/);
});

Deno.test("generate() leaves no double dash where the cut falls behind a dash", () => {
  assert.match(generate("a".repeat(56), "b".repeat(20)), /^a{56}-[0-9a-f]{5}$/);
});

Deno.test("generate() hashes the sanitized text, so that spelling alone makes no second name", () => {
  assert.equal(generate("A_".repeat(40)), generate("a-".repeat(40)));
});

Deno.test("generate() keeps long names apart that differ only behind the cut", () => {
  assert.notEqual(generate(A63, "one"), generate(A63, "two"));
});

const labelValues: Record<string, [input: string, expected: string]> = {
  "an empty text stays empty": ["", ""],
  "slash and colon become dashes": ["feature/login:v2", "feature-login-v2"],
  "case, dots and underscores stay": ["Release_1.2", "Release_1.2"],
  "other characters are dropped": ["a b+c#d", "abcd"],
  "unicode is dropped": ["héllo🚀", "hllo"],
  "edges are trimmed": ["/-_.a._-/", "a"],
  "nothing left gives an empty value": ["///", ""],
  "edges are trimmed before the cut": [`${"-".repeat(70)}a`, "a"],
  "64 characters are cut": [`${A63}b`, A63],
  "a dash bared by the cut is trimmed": [`${"a".repeat(61)}--b`, "a".repeat(61)],
};

for (const [name, [input, expected]] of Object.entries(labelValues)) {
  Deno.test(`labelValue(): ${name}`, () => assert.equal(labelValue(input), expected));
}

const dnsLabels: Record<string, [input: string, expected: boolean]> = {
  "one letter is a label": ["a", true],
  "a digit may come first": ["1a", true],
  "dashes inside are fine": ["a--b", true],
  "63 characters are fine": [A63, true],
  "64 characters are too many": [`${A63}a`, false],
  "empty is none": ["", false],
  "a dash in front is none": ["-a", false],
  "a dash behind is none": ["a-", false],
  "capitals are none": ["A", false],
  "a dot is none": ["a.b", false],
  "an underscore is none": ["a_b", false],
  "a newline behind is none": ["a\n", false],
};

for (const [name, [input, expected]] of Object.entries(dnsLabels)) {
  Deno.test(`isDnsLabel(): ${name}`, () => assert.equal(isDnsLabel(input), expected));
}

const reservedNamespaces: Record<string, [name: string, reserved: string[], expected: boolean]> = {
  "default is reserved": ["default", [], true],
  "kube-system is reserved": ["kube-system", [], true],
  "a name that only starts with default is free": ["default-shop", [], false],
  "a name that only starts with kube is free": ["kubernetes", [], false],
  "a listed name is reserved": ["maquette-system", ["maquette-system"], true],
  "a listed name is exact": ["maquette-system-2", ["maquette-system"], false],
  "a trailing star is a prefix": ["openshift-ingress", ["openshift-*"], true],
  "a star reserves its bare prefix too": ["openshift-", ["openshift-*"], true],
  "a prefix does not match inside": ["my-openshift-x", ["openshift-*"], false],
  "a dot in an entry is a dot": ["axb", ["a.b"], false],
};

for (const [name, [namespace, reserved, expected]] of Object.entries(reservedNamespaces)) {
  Deno.test(`isReservedNamespace(): ${name}`, () => {
    assert.equal(isReservedNamespace(namespace, reserved), expected);
  });
}

Deno.test("generate() always gives a DNS label or nothing, and the same one again", () => {
  fc.assert(fc.property(fc.array(text, { maxLength: 6 }), (parts) => {
    const name = generate(...parts);
    assert.ok(name === "" || isDnsLabel(name), name);
    assert.equal(generate(...parts), name);
    assert.equal(name === "", parts.every((part) => sanitize(part) === ""));
  }));
});

Deno.test("generate() keeps different long names different", () => {
  const long = fc.stringMatching(/^[a-z0-9]{64,120}$/);
  fc.assert(fc.property(long, long, (a, b) => {
    fc.pre(a !== b);
    assert.notEqual(generate(a), generate(b));
  }));
});

Deno.test("sanitize() is idempotent and gives only letters, digits and single dashes inside", () => {
  fc.assert(fc.property(text, (input) => {
    const once = sanitize(input);
    assert.equal(sanitize(once), once);
    assert.match(once, /^(?:[a-z0-9]+(?:-[a-z0-9]+)*)?$/);
  }));
});

Deno.test("labelValue() always gives a value that the API server accepts, and is idempotent", () => {
  fc.assert(fc.property(text, (input) => {
    const value = labelValue(input);
    assert.ok(value.length <= 63);
    assert.match(value, LABEL_VALUE);
    assert.equal(labelValue(value), value);
  }));
});

Deno.test("names of 100,000 hostile characters are answered", () => {
  const dashes = `a${"-".repeat(100_000)}a`;
  assert.equal(sanitize(dashes), "a-a");
  assert.equal(labelValue(dashes), "a");
  assert.equal(isDnsLabel(dashes), false);
});
