/**
 * `maquette version`
 *
 * @module
 */
import { VERSION } from "../lib/version.ts";
import { type Command, EXIT } from "./command.ts";

/** Prints the version of the program and of what it runs on. */
export const versionCommand: Command = Object.freeze(
  {
    name: "version",
    summary: "print the version",
    extra: { output: { type: "string", short: "o" } },
    extraHelp: ["-o, --output text|json        how to print it (default text)"],
    teaching: [],
    isConfigured: false,
    run({ extra }, world): number {
      const { output = "text" } = extra;
      if (output !== "text" && output !== "json") {
        world.err(`--output: ${JSON.stringify(output)} must be text or json`);
        return EXIT.usage;
      }
      const { deno, v8 } = Deno.version;
      world.out(
        output === "json" ? JSON.stringify({ version: VERSION, deno, v8 }) : `maquette ${VERSION} (Deno ${deno})`,
      );
      return EXIT.good;
    },
  } satisfies Command,
);
