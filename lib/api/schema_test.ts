import assert from "node:assert/strict";
import { z } from "zod";
import { immutable } from "./rules.ts";
import { fieldPath, marksOf, schemaAt, withoutNulls } from "./schema.ts";

Deno.test("fieldPath() writes paths as Kubernetes does", () => {
  assert.equal(fieldPath(["spec", "env", 0, "name"]), "spec.env[0].name");
  assert.equal(fieldPath(["spec", "limits", "ephemeral-storage"]), "spec.limits.ephemeral-storage");
  assert.equal(fieldPath(["metadata", "labels", "app.io/x"]), "metadata.labels[app.io/x]");
  assert.equal(fieldPath([]), "");
});

Deno.test("marksOf() finds marks and descriptions on both sides of a wrapper", () => {
  assert.deepEqual(marksOf(immutable(z.int()).optional().describe("N.")), { immutable: true, description: "N." });
  assert.deepEqual(marksOf(immutable(z.int().describe("N.").default(1))), { immutable: true, description: "N." });
});

Deno.test("schemaAt() knows fields, items and entries, and no inherited name", () => {
  const schema = z.object({ list: z.array(z.boolean()).optional(), map: z.record(z.string(), z.int()).default({}) });
  assert.equal(schemaAt(schemaAt(schema, "list")!, 0)?._zod.def.type, "boolean");
  assert.equal(schemaAt(schemaAt(schema, "map")!, "any")?._zod.def.type, "number");
  assert.equal(schemaAt(schemaAt(schema, "list")!, "length"), undefined);
  assert.equal(schemaAt(schemaAt(schema, "map")!, 0), undefined);
  assert.equal(schemaAt(schema, "constructor"), undefined);
});

Deno.test("withoutNulls() drops a null where it means no field, and keeps it where it is a value", () => {
  const schema = z.object({
    gone: z.int().optional(),
    list: z.array(z.object({ a: z.int() })),
    map: z.record(z.string(), z.int()),
    free: z.record(z.string(), z.unknown()),
  });
  assert.deepEqual(
    withoutNulls(schema, {
      gone: null,
      list: [{ a: null }, null],
      map: { x: null, y: 1 },
      free: { z: null },
      other: null,
    }),
    { list: [{}, null], map: { y: 1 }, free: { z: null }, other: null },
  );
});
