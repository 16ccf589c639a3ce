import assert from "node:assert/strict";
import { BAD_OBJECTS, GOOD_OBJECTS, UPDATES } from "../../tests/fixtures/objects.ts";
import { immutabilityProblems, schemaProblems, unknownFields } from "./validate.ts";

for (const [sentence, { kind, object }] of Object.entries(GOOD_OBJECTS)) {
  Deno.test(`schemaProblems() takes it: ${sentence}`, () => {
    assert.deepEqual(schemaProblems(kind, object), []);
    assert.deepEqual(unknownFields(kind, object), []);
  });
}

for (const [sentence, { kind, object, field }] of Object.entries(BAD_OBJECTS)) {
  Deno.test(`schemaProblems() refuses otherwise: ${sentence}`, () => {
    const problems = schemaProblems(kind, object);
    assert.deepEqual(problems.map((problem) => problem.field), [field]);
    for (const { message } of problems) {
      assert.match(message, /^(Must |Is required)/);
      assert.ok(!message.endsWith("."), message);
    }
  });
}

for (const [sentence, { kind, old, object, field }] of Object.entries(UPDATES)) {
  Deno.test(`immutabilityProblems() knows: ${sentence}`, () => {
    const problems = immutabilityProblems(kind, object, old);
    assert.deepEqual(problems.map((problem) => problem.field), field === undefined ? [] : [field]);
    assert.deepEqual(schemaProblems(kind, object), []);
  });
}
