/**
 * The CustomResourceDefinitions as files: `deno task generate` writes them, `deno task verify` compares.
 *
 * @module
 */
import { stringify } from "yaml";
import { KINDS } from "../lib/api/registry.ts";
import { crdOf } from "./crd.ts";

const HEADER = "# GENERATED from the schemas in lib/api by crds/generate.ts. Do not edit: run `deno task generate`.\n";

/**
 * The generated files, the same on every machine.
 *
 * @returns path from the root of the repository → content
 */
export function generatedFiles(): Map<string, string> {
  const crds = KINDS.map(crdOf);
  return new Map(crds.map((crd) => [`crds/${crd.metadata.name}.yaml`, HEADER + yamlOf(crd)]));
}

/** Long texts stay on one line, and what is used twice is written twice: a diff then shows the field that changed. */
function yamlOf(object: unknown): string {
  return stringify(object, { lineWidth: 0, aliasDuplicateObjects: false });
}
