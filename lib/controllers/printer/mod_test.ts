import assert from "node:assert/strict";
import { Cache } from "../../runtime/cache.ts";
import { printer, SETTINGS } from "../../../tests/fixtures/printing.ts";
import { POD } from "../../api/resources.ts";
import { podShape } from "../../workload/pod_failure.ts";
import { PRINTER_PERMISSIONS, printerController } from "./mod.ts";

const NOTHING = { cache: (): Cache => new Cache() };

Deno.test("the definition names all that deletion must see gone, whatever the mode", () => {
  const { roots } = printerController(SETTINGS);
  for (const mode of ["Pod", "Job"] as const) {
    const found = roots(printer({ mode }), NOTHING).map(({ resource, namespace, name }) =>
      `${resource.kind} ${namespace}/${name}`
    );
    assert.deepEqual(found, ["Pod team/hello", "Job team/hello"]);
  }
});

Deno.test("every root is of a kind that the definition owns", () => {
  const { owns, roots } = printerController(SETTINGS);
  for (const root of roots(printer(), NOTHING)) assert.ok(owns.some((need) => need.resource === root.resource));
});

Deno.test("what is owned may be watched, made, marked and deleted, and nothing else may", () => {
  const verbs = ["list", "watch", "get", "create", "patch", "delete"];
  for (const { resource } of printerController(SETTINGS).owns) {
    const rule = PRINTER_PERMISSIONS.find((one) =>
      one.groups.includes(resource.group) && one.resources.includes(resource.plural)
    );
    assert.deepEqual([...rule!.verbs].sort(), [...verbs].sort());
  }
  assert.equal(PRINTER_PERMISSIONS.some(({ verbs, resources }) => [...verbs, ...resources].includes("*")), false);
});

Deno.test("Pods are cached in the shape that all kinds share, so that one watch serves them", () => {
  const need = printerController(SETTINGS).owns.find(({ resource }) => resource === POD);
  assert.equal(need?.shape, podShape);
});
