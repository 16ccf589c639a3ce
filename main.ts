/**
 * The program `maquette`.
 *
 * @module
 */
import type { World } from "./cli/command.ts";
import { program } from "./cli/program.ts";
import { environment } from "./lib/config.ts";

const encoder = new TextEncoder();

function print(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let bytes = encoder.encode(`${text}\n`);
  while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
}

/** The real world. */
function createWorld(): World {
  return {
    env: environment(),
    out: (text) => print(Deno.stdout, text),
    err: (text) => print(Deno.stderr, text),
    readFile: (path) => Deno.readTextFile(path),
    readStdin: () => new Response(Deno.stdin.readable).text(),
  };
}

if (import.meta.main) Deno.exit(await program(Deno.args, createWorld()));
