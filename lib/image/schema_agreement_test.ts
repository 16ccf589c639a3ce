/**
 * The CRD's rules about images and the parser that the webhook uses, against each other.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { PREVIEW_ENVIRONMENT } from "../api/preview_environment.ts";
import { schemaProblems } from "../api/validate.ts";
import { combine } from "./reference.ts";

const OTHERS = { pr_number: 7, branch_name: "main" };
const HEX = "0123456789abcdef";
const PIECES = [
  ..."/:@._-A",
  "__",
  "a",
  "acme",
  "ghcr.io",
  "localhost",
  "5000",
  "[::1]",
  "1.27",
  "sha256",
  "sha512",
  "md5",
  HEX.repeat(4),
  HEX.repeat(8),
  "a".repeat(240),
  "\n",
];

const image = fc.array(fc.constantFrom(...PIECES), { maxLength: 9 }).map((pieces) => pieces.join(""));
const wellFormed = fc.tuple(
  fc.constantFrom("", "localhost:5000/", "ghcr.io/", "[::1]/"),
  fc.constantFrom("shop", "acme/shop", "a".repeat(250), HEX.repeat(4)),
  fc.constantFrom("", ":1.27", ":1.26", ":v1.27"),
  fc.constantFrom("", `@sha256:${HEX.repeat(4)}`, `@sha256:${HEX.repeat(3)}`, `@sha512:${HEX.repeat(8)}`, "@md5:0"),
).map((parts) => parts.join(""));
const tag = fc.constantFrom(undefined, "1.27", "1.26", "-1", HEX.repeat(4), "x".repeat(129));

Deno.test("the schema and combine() refuse the same images and tags, at the same fields", () => {
  fc.assert(
    fc.property(fc.oneof(image, wellFormed), tag, (image, image_tag) => {
      // The parser alone counts the "library/" that Docker Hub puts before a name of one part.
      fc.pre(!/^[^/:@]{248,}/.test(image));
      const combined = combine(image, image_tag);
      const fields = combined.ok ? [] : combined.problems.map(({ field }) => `spec.${field}`);
      const problems = schemaProblems(PREVIEW_ENVIRONMENT, { spec: { ...OTHERS, image, image_tag } });
      assert.deepEqual(problems.map(({ field }) => field), fields);
    }),
    { numRuns: 5000 },
  );
});
