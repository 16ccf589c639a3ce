/**
 * The command line as a function: arguments in, exit code out.
 *
 * @module
 */
import { readCommandLine, UsageError } from "../lib/config.ts";
import { checkCommand } from "./check.ts";
import { type Command, EXIT, type World } from "./command.ts";
import { Unreachable } from "./connect.ts";
import { crdsCommand } from "./crds.ts";
import { helpOf, overview } from "./help.ts";
import { manifestsCommand } from "./manifests.ts";
import { planCommand } from "./plan.ts";
import { runCommand } from "./run.ts";
import { versionCommand } from "./version.ts";

const COMMANDS: readonly Command[] = Object.freeze([
  runCommand,
  planCommand,
  checkCommand,
  manifestsCommand,
  crdsCommand,
  versionCommand,
]);

const HELP = new Set(["help", "--help", "-h"]);

/** @returns The exit code. Never throws. */
export async function program(args: readonly string[], world: World): Promise<number> {
  const [name = "", ...rest] = args;
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (HELP.has(name)) {
    const about = COMMANDS.find((candidate) => candidate.name === rest[0]);
    world.out(about ? helpOf(about) : overview(COMMANDS));
    return EXIT.good;
  }
  if (!command) {
    world.err(name ? `Unknown command "${name}"\n\n${overview(COMMANDS)}` : overview(COMMANDS));
    return EXIT.usage;
  }
  if (rest.some((argument) => argument === "--help" || argument === "-h")) {
    world.out(helpOf(command));
    return EXIT.good;
  }
  try {
    return await command.run(readCommandLine(rest, world.env, command.extra), world);
  } catch (error) {
    return failed(command, error, world);
  }
}

function failed(command: Command, error: unknown, world: World): number {
  const text = error instanceof Error ? error.message : String(error);
  world.err(error instanceof UsageError ? `${text}\n\nmaquette ${command.name} --help tells what there is` : text);
  if (error instanceof UsageError) return EXIT.usage;
  return error instanceof Unreachable ? EXIT.unreachable : EXIT.no;
}
