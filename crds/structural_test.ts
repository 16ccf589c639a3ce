import assert from "node:assert/strict";
import { z } from "zod";
import { freeForm, list, listMap, matching, quantity, setOf, text, time } from "../lib/api/fields.ts";
import { immutable, withKeywords, withRules } from "../lib/api/rules.ts";
import { structuralOf } from "./structural.ts";

const named = z.object({ name: text(1, 10).describe("Name.") });

const EXPRESSED: Record<string, [schema: z.ZodType, expected: unknown]> = {
  "a text with its bounds in characters": [text(1, 5), { type: "string", minLength: 1, maxLength: 5 }],
  "a pattern": [
    matching("^[a-z/]*$", { max: 5, message: "Must be letters" }),
    { type: "string", maxLength: 5, pattern: "^[a-z/]*$" },
  ],
  "a point in time": [time(), { type: "string", format: "date-time" }],
  "a whole number": [z.int().min(1).max(9), { type: "integer", format: "int64", minimum: 1, maximum: 9 }],
  "a number between bounds that it does not reach": [
    z.number().gt(0).lt(1),
    { type: "number", minimum: 0, exclusiveMinimum: true, maximum: 1, exclusiveMaximum: true },
  ],
  "a boolean": [z.boolean(), { type: "boolean" }],
  "an enumeration": [z.enum(["a", "b"]), { type: "string", enum: ["a", "b"] }],
  "one word": [z.literal("a"), { type: "string", enum: ["a"] }],
  "a default": [z.enum(["a", "b"]).default("b"), { type: "string", enum: ["a", "b"], default: "b" }],
  "an optional field as the field": [z.boolean().optional(), { type: "boolean" }],
  "a list that is replaced as a whole": [
    list(z.boolean(), 3),
    { type: "array", "x-kubernetes-list-type": "atomic", items: { type: "boolean" }, maxItems: 3 },
  ],
  "a list with a least length": [
    list(z.boolean(), 3).min(1),
    { type: "array", "x-kubernetes-list-type": "atomic", items: { type: "boolean" }, maxItems: 3, minItems: 1 },
  ],
  "a list whose items have a key": [
    listMap(named, { key: "name", max: 3 }),
    {
      type: "array",
      "x-kubernetes-list-type": "map",
      items: {
        type: "object",
        properties: { name: { description: "Name.", type: "string", minLength: 1, maxLength: 10 } },
        required: ["name"],
      },
      maxItems: 3,
      "x-kubernetes-list-map-keys": ["name"],
    },
  ],
  "a map with a bound": [
    withKeywords(z.record(z.string(), z.boolean()), {
      keywords: { maxProperties: 4 },
      broken: (map) => Object.keys(map).length > 4 ? [[]] : [],
      message: "Must have at most 4 entries",
    }),
    { type: "object", additionalProperties: { type: "boolean" }, maxProperties: 4 },
  ],
  "a map of anything with its nulls": [
    freeForm(4),
    { type: "object", "x-kubernetes-preserve-unknown-fields": true, maxProperties: 4 },
  ],
  "a list of texts that differ": [
    setOf(text(0, 9), 3),
    { type: "array", "x-kubernetes-list-type": "set", items: { type: "string", maxLength: 9 }, maxItems: 3 },
  ],
  "any value as a field that may be absent": [
    z.object({ a: z.unknown().describe("A.") }),
    { type: "object", properties: { a: { description: "A.", "x-kubernetes-preserve-unknown-fields": true } } },
  ],
  "any value": [z.unknown(), { "x-kubernetes-preserve-unknown-fields": true }],
  "a quantity as number or text": [
    quantity(),
    {
      "x-kubernetes-int-or-string": true,
      minimum: 0,
      maxLength: 32,
      pattern: "^([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][-+]?[0-9]{1,2})?$",
    },
  ],
  "a rule with its field and reason": [
    withRules(z.object({ a: z.boolean().default(true).describe("A.") }), {
      cel: "self.a",
      holds: ({ a }) => a,
      field: ["a"],
      message: "Must be true",
      reason: "FieldValueRequired",
    }),
    {
      type: "object",
      properties: { a: { description: "A.", type: "boolean", default: true } },
      "x-kubernetes-validations": [
        { rule: "self.a", message: "Must be true", reason: "FieldValueRequired", fieldPath: ".a" },
      ],
    },
  ],
};

for (const [sentence, [schema, expected]] of Object.entries(EXPRESSED)) {
  Deno.test(`structuralOf() expresses ${sentence}`, () => {
    assert.deepEqual(structuralOf(schema.describe("Field."), "spec.field"), {
      description: "Field.",
      ...expected as object,
    });
  });
}

Deno.test("structuralOf() puts the rule of an immutable field on its object, the field spelled as CEL needs it", () => {
  const schema = z.object({ namespace: immutable(z.boolean().optional()).describe("N. Immutable.") }).describe("Spec.");
  assert.deepEqual(structuralOf(schema, "spec")["x-kubernetes-validations"], [{
    rule: "has(self.__namespace__) == has(oldSelf.__namespace__) && " +
      "(!has(self.__namespace__) || self.__namespace__ == oldSelf.__namespace__)",
    message: 'Field "namespace" is immutable: delete the object and create it anew',
    reason: "FieldValueForbidden",
    fieldPath: ".namespace",
  }]);
});

const REFUSED: Record<string, [field: z.ZodType, path: string, reason: RegExp]> = {
  "a field without a description": [z.object({ a: z.boolean() }), "spec.field.a", /has no description/],
  "a refinement that carries no CEL": [text(0, 9).refine(() => true), "spec.field", /"custom" has no form/],
  "a transformation": [text(0, 9).transform(Number), "spec.field", /type "pipe"/],
  "a trimmed text": [text(0, 9).trim(), "spec.field", /"overwrite"/],
  "a default that is computed from input": [z.boolean().prefault(true), "spec.field", /type "prefault"/],
  "a caught error": [z.boolean().catch(true), "spec.field", /type "catch"/],
  "a default that is an object": [z.object({}).default({}), "spec.field", /a default is a text/],
  "null": [z.boolean().nullable(), "spec.field", /type "nullable"/],
  "a length that zod counts otherwise": [z.string().max(5), "spec.field", /"max_length" has no form; use text\(\)/],
  "a pattern that zod checks itself": [text(0, 5).regex(/^a$/), "spec.field", /"string_format: regex"/],
  "a format that only zod knows": [z.email(), "spec.field", /"string_format: email"/],
  "a number of 32 bits": [z.int32(), "spec.field", /"number_format: int32"/],
  "a multiple": [z.int().multipleOf(5), "spec.field", /"multiple_of"/],
  "a pattern that RE2 reads otherwise": [
    matching("^\\s*$", { max: 5, message: "Must be blank" }),
    "spec.field",
    /RE2 .*"\\s"/,
  ],
  "two patterns": [
    withKeywords(matching("^a", { max: 5, message: "Must" }), {
      keywords: { pattern: "b$" },
      broken: () => [],
      message: "",
    }),
    "spec.field",
    /"pattern" is given twice/,
  ],
  "a text without a bound": [z.string(), "spec.field", /longest length/],
  "a list without a bound": [z.array(z.boolean()), "spec.field", /largest number of items/],
  "a map without a bound": [z.record(z.string(), z.boolean()), "spec.field", /largest number of entries/],
  "a map with keys of one form": [z.record(text(1, 9), z.boolean()), "spec.field", /keys of a map/],
  "a text without a bound in a list in an object": [
    z.object({ a: list(z.object({ b: z.string().describe("B.") }), 3).describe("A.") }),
    "spec.field.a[].b",
    /longest length/,
  ],
  "a text without a bound in a map": [z.record(z.string(), z.string()), "spec.field.*", /longest length/],
  "an object that refuses unknown fields": [z.strictObject({}), "spec.field", /neither strict nor loose/],
  "an object that takes unknown fields": [z.looseObject({}), "spec.field", /neither strict nor loose/],
  "a union of objects": [z.union([named, z.object({})]), "spec.field", /union is z\.int\(\) or z\.string\(\)/],
  "a union of three": [z.union([z.int(), text(0, 9), text(0, 8)]), "spec.field", /union/],
  "a rule on a union of objects": [
    z.discriminatedUnion("t", [z.object({ t: z.literal("a").describe("T.") })]),
    "spec.field",
    /union/,
  ],
  "an enumeration of numbers": [z.literal([1, 2]), "spec.field", /values of an enumeration are texts/],
  "a mark that nobody reads": [z.boolean().meta({ title: "Field" }), "spec.field", /mark "title"/],
  "a check behind a wrapper": [text(0, 9).optional().refine(() => true), "spec.field", /inside of optional\(\)/],
  "a rule behind a default": [
    withRules(text(0, 9).default("a"), { cel: "self != 'b'", holds: (value) => value !== "b", message: "Must" }),
    "spec.field",
    /inside of default\(\)/,
  ],
  "a type that is made of another": [z.coerce.number(), "spec.field", /does not turn types/],
  "a time without a zone": [z.iso.datetime({ local: true }), "spec.field", /"string_format: datetime"/],
  "a rule on one side of a union": [
    z.union([z.int(), withRules(text(0, 9), { cel: "self != ''", holds: (value) => value !== "", message: "Must" })]),
    "spec.field",
    /would bind the other/,
  ],
  "an immutable object that is no field": [immutable(named), "spec.field", /only a field of an object/],
  "an immutable item of a list": [list(immutable(text(0, 9)), 3), "spec.field[]", /only a field of an object/],
  "an immutable field of an item of a list": [
    list(z.object({ a: immutable(z.boolean()).describe("A.") }), 3),
    "spec.field[].a",
    /nothing in a list/,
  ],
  "a date": [z.date(), "spec.field", /type "date"/],
  "a tuple": [z.tuple([z.boolean()]), "spec.field", /type "tuple"/],
};

for (const [sentence, [field, path, reason]] of Object.entries(REFUSED)) {
  Deno.test(`structuralOf() refuses ${sentence}, naming the field`, () => {
    assert.throws(() => structuralOf(field.describe("Field."), "spec.field"), (error: Error) => {
      assert.equal(error.name, "InexpressibleError");
      assert.ok(error.message.startsWith(`Cannot express ${path} in a CRD: `), error.message);
      assert.match(error.message, reason);
      return true;
    });
  });
}
