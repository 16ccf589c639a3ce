/**
 * `maquette crds`
 *
 * @module
 */
import { crdOf } from "../crds/crd.ts";
import { KINDS } from "../lib/api/registry.ts";
import { type Command, EXIT } from "./command.ts";
import { toYaml } from "./yaml.ts";

/** Prints the CustomResourceDefinitions. */
export const crdsCommand: Command = Object.freeze(
  {
    name: "crds",
    summary: "print the CustomResourceDefinitions",
    extra: {},
    extraHelp: [],
    teaching: ["Example:", "  maquette crds | kubectl apply --server-side -f -"],
    isConfigured: false,
    run(_line, world): number {
      world.out(toYaml(KINDS.map(crdOf)));
      return EXIT.good;
    },
  } satisfies Command,
);
