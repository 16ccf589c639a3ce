/**
 * What every command of the program is made of.
 *
 * @module
 */
import type { CommandLine, ExtraOptions } from "../lib/config.ts";

/** Exit codes (SPEC section 8). */
export const EXIT = Object.freeze({ good: 0, no: 1, usage: 2, unreachable: 3 });

/** The world that a command acts on; tests hand in their own. */
export interface World {
  env: Record<string, string>;
  /** Prints a text with a line's end. */
  out(text: string): void;
  /** Prints a text with a line's end where errors go. */
  err(text: string): void;
  readFile(path: string): Promise<string>;
  readStdin(): Promise<string>;
}

/** One command: `maquette <name>`. */
export interface Command {
  name: string;
  /** One sentence for the list of commands. */
  summary: string;
  /** Flags beside the shared ones. */
  extra: ExtraOptions;
  /** Lines that `--help` shows for {@link extra}. */
  extraHelp: readonly string[];
  /** What `--help` shows at the end: examples and exit codes. */
  teaching: readonly string[];
  /** Whether the options of the configuration mean anything to it. */
  isConfigured: boolean;
  /** @returns The exit code. */
  run(line: CommandLine, world: World): Promise<number> | number;
}
