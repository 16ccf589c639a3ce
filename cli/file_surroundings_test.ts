import assert from "node:assert/strict";
import type { KubeObject } from "../lib/api/object.ts";
import { kindOf } from "../lib/api/registry.ts";
import { environment, portfolioApp, preview } from "../webhook/testing.ts";
import { FileSurroundings } from "./file_surroundings.ts";

const DOMAIN = "preview.test";
const HOST = `pr-7.${DOMAIN}`;

function meeting(...objects: KubeObject[]): Record<string, string> {
  const items = objects.map((object) => ({ kind: kindOf(object)!, object }));
  const around = new FileSurroundings(items, DOMAIN);
  for (const item of items) around.admit(item);
  return Object.fromEntries([...around.hosts].map(([host, { kind }]) => [host, kind]));
}

Deno.test("of a file, what comes first has a host, and an Environment takes what is left", () => {
  const app = portfolioApp({ ingress: { enabled: true, host: HOST } });
  const dev = environment({}, { name: "pr-7" });
  assert.deepEqual(meeting(dev), { [HOST]: "Environment" });
  for (const first of [preview(), app]) {
    assert.deepEqual(meeting(first, dev), { [HOST]: first.kind, [`pr-7-shop-acme.${DOMAIN}`]: "Environment" });
  }
  assert.deepEqual(meeting(portfolioApp()), {});
});
