import assert from "node:assert/strict";
import { crdOf } from "./crd.ts";
import { re2Problem } from "./re2.ts";
import { KINDS } from "../lib/api/registry.ts";

const SAME: Record<string, string> = {
  "anchors, groups and alternatives": "^(a|(?:b|c))*$",
  "classes with ranges and a dash at the start": "^[-._a-zA-Z0-9]+$",
  "a negated class with an escaped NUL": "^[^\\x00]*$",
  "digits and word characters": "^\\d+\\w?$",
  "escaped punctuation": "\\.\\/\\[\\]\\(\\)\\*\\+\\?\\{\\}\\^\\$\\|\\\\",
  "a repetition of a thousand": "a{1,1000}",
  "an open repetition": "a{32,}",
  "a bracket behind an escaped one": "[\\]a]",
  "a lone brace": "a{",
};

const DIFFERENT: Record<string, [pattern: string, construct: string]> = {
  "a dot": ["^a.b$", "."],
  "a positive look-ahead": ["a(?=b)", "(?="],
  "a negative look-ahead": ["a(?!b)", "(?!"],
  "a positive look-behind": ["(?<=a)b", "(?<="],
  "a negative look-behind": ["(?<!a)b", "(?<!"],
  "a named group": ["(?<name>a)", "(?<"],
  "a back-reference": ["(a)\\1", "\\1"],
  "white space": ["^\\s*$", "\\s"],
  "white space in a class": ["^[^\\s]*$", "[^\\s]"],
  "a word boundary": ["\\bword\\b", "\\b"],
  "a Unicode escape": ["\\u00e9", "\\u"],
  "a control character": ["\\cA", "\\c"],
  "a hexadecimal escape of one digit": ["\\x0", "\\x"],
  "a property": ["\\p", "\\p"],
  "any character": ["[^]", "[^]"],
  "an empty class": ["a[]", "[]"],
  "what RE2 reads as the name of a class": ["[[:alpha:]]", "[[:alpha:]"],
  "more than a thousand repetitions": ["a{1,1024}", "{1,1024}"],
};

for (const [sentence, pattern] of Object.entries(SAME)) {
  Deno.test(`re2Problem() takes ${sentence}`, () => assert.equal(re2Problem(pattern), undefined));
}

for (const [sentence, [pattern, construct]] of Object.entries(DIFFERENT)) {
  Deno.test(`re2Problem() quotes ${sentence}`, () => {
    new RegExp(pattern);
    assert.ok(re2Problem(pattern)?.endsWith(`: "${construct}"`), re2Problem(pattern));
  });
}

Deno.test("the patterns in the kinds' CEL rules mean the same in RE2", () => {
  const rules = JSON.stringify(KINDS.map(crdOf)).matchAll(/matches\(r?'((?:[^'])*)'\)/g);
  const patterns = [...rules].map(([, pattern]) => JSON.parse(`"${pattern}"`));
  assert.ok(patterns.length >= 6);
  for (const pattern of patterns) assert.equal(re2Problem(pattern), undefined);
});
