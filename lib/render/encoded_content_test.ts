import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { encodingProblems } from "./encoded_content.ts";
import { object } from "./test_objects.ts";

const GOOD: Record<string, unknown> = {
  "text": "aHVudGVyMg==",
  "one byte": "YQ==",
  "nothing": "",
  "nobody's value": null,
  "several lines": "aHVu\n  dGVy\nMg==\n",
  "a mebibyte": Buffer.alloc(1_048_576, 1).toString("base64"),
};

for (const [name, password] of Object.entries(GOOD)) {
  Deno.test(`encodingProblems() finds nothing in ${name}`, () => {
    assert.deepEqual(encodingProblems({ ...object("v1", "Secret", "db"), data: { password } }), []);
  });
}

const BAD: Record<string, unknown> = {
  "plain text": "hunter2!",
  "plain text of letters": "hunter",
  "a number": 5432,
  "base64 for URLs": "_-8=",
  "padding that is missing": "YQ",
  "padding within": "YQ==YQ==",
  "nothing but padding": "====",
  "a template that was not filled in": "{{ .password }}",
};

for (const [name, password] of Object.entries(BAD)) {
  Deno.test(`encodingProblems() finds ${name}, and does not show it`, () => {
    assert.deepEqual(encodingProblems({ ...object("v1", "Secret", "db"), data: { user: "YQ==", password } }), [
      'data "password" is not base64: plain text belongs into stringData',
    ]);
  });
}

Deno.test("encodingProblems() looks at what is in base64 alone", () => {
  const problem = 'binaryData "b" is not base64: plain text belongs into data';
  const content = { data: { a: "!" }, binaryData: { b: "!" } };
  assert.deepEqual(encodingProblems({ ...object("v1", "ConfigMap", "x"), ...content }), [problem]);
  assert.deepEqual(encodingProblems({ ...object("v1", "Secret", "x"), stringData: { a: "!" } }), []);
  assert.deepEqual(encodingProblems({ ...object("example.com/v1", "Secret", "x"), data: { a: "!" } }), []);
  assert.deepEqual(encodingProblems({ ...object("v1", "Secret", "x"), data: "odd" }), []);
});
