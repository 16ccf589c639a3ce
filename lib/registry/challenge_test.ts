import assert from "node:assert/strict";
import fc from "fast-check";
import { challenges } from "./challenge.ts";

type Read = [scheme: string, parameters: Record<string, string>];

function read(header: string): Read[] {
  return challenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);
}

const headers: Record<string, [header: string, expected: Read[]]> = {
  "nothing": ["", []],
  "a scheme alone": ["Negotiate", [["negotiate", {}]]],
  "quoted parameters": ['Bearer realm="https://a/token",service="r",scope="repository:a/b:pull,push"', [
    ["bearer", { realm: "https://a/token", service: "r", scope: "repository:a/b:pull,push" }],
  ]],
  "bare parameters": ["Bearer realm=https://a/token , service=r", [["bearer", {
    realm: "https://a/token",
    service: "r",
  }]]],
  "escapes": ['Basic realm="a \\"b\\" \\\\c"', [["basic", { realm: 'a "b" \\c' }]]],
  "names in any case": ["BASIC Realm=x", [["basic", { realm: "x" }]]],
  "several challenges": ['Basic realm="x", Bearer realm="y", Digest realm="z", nonce=1', [
    ["basic", { realm: "x" }],
    ["bearer", { realm: "y" }],
    ["digest", { realm: "z", nonce: "1" }],
  ]],
  "a scheme without parameters before another": ['Negotiate, Bearer realm="y"', [["negotiate", {}], ["bearer", {
    realm: "y",
  }]]],
  "empty list elements": [',, Bearer realm="y",,', [["bearer", { realm: "y" }]]],
  "the last of two of a name": ['Bearer realm="a", realm="b"', [["bearer", { realm: "b" }]]],
  "a scheme within a quoted text is none": ['Basic realm="Bearer realm=evil"', [["basic", {
    realm: "Bearer realm=evil",
  }]]],
  "nothing of a quote that does not end": ['Bearer realm="https://a', [["bearer", {}]]],
};

for (const [name, [header, expected]] of Object.entries(headers)) {
  Deno.test(`challenges() reads ${name}`, () => assert.deepEqual(read(header), expected));
}

Deno.test("challenges() reads back what is written by the grammar", () => {
  const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
  const written = fc.array(
    fc.tuple(word, fc.dictionary(word, fc.string({ unit: "binary-ascii", maxLength: 20 }), { noNullPrototype: true })),
    { maxLength: 4 },
  );
  fc.assert(fc.property(written, (all) => {
    const header = all.map(([scheme, parameters]) => {
      const list = Object.entries(parameters).map(([name, value]) => `${name}="${value.replace(/["\\]/g, "\\$&")}"`);
      return `${scheme} ${list.join(", ")}`;
    }).join(", ");
    // A newline cannot stand in a header.
    if (/[\r\n\0]/.test(header)) return;
    assert.deepEqual(read(header), all);
  }));
});

Deno.test("challenges() ends soon whatever a header holds", () => {
  const piece = fc.constantFrom("Bearer ", "realm=", '"', "\\", ",", " ", "=", "a", "é", "\t", 'service="x"');
  fc.assert(fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
    assert.ok(challenges(pieces.join("")).length <= pieces.length + 1);
  }));
  for (
    const hostile of [
      'Bearer a="'.repeat(9_000),
      ",".repeat(90_000),
      `Bearer ${"a".repeat(90_000)}`,
      "= ".repeat(90_000),
    ]
  ) {
    assert.ok(challenges(hostile).length <= 10_000);
  }
});
