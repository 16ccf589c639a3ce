/**
 * `maquette check`
 *
 * @module
 */
import { type CommandLine, UsageError } from "../lib/config.ts";
import { type Command, EXIT, type World } from "./command.ts";
import { FileSurroundings } from "./file_surroundings.ts";
import { type FileObject, readObjects } from "./files.ts";
import { judgeFileObject } from "./judge.ts";

/** Says what admission would say. */
export const checkCommand: Command = Object.freeze(
  {
    name: "check",
    summary: "say what the webhook would say to a file, for CI",
    extra: { file: { type: "string", short: "f" }, output: { type: "string", short: "o" } },
    extraHelp: [
      "-f, --file FILE               objects to check; - reads standard input",
      "-o, --output text|json        how to print the verdict (default text)",
    ],
    teaching: [
      "Needs no cluster. Every object is judged as if it were created. What only a cluster knows (a namespace that another",
      "object holds) is judged within the file. Exit code 0: all would pass; 1: at least one would be refused.",
      "",
      "Example:",
      "  maquette check -f preview.yaml --allowed-registries ghcr.io/acme",
    ],
    isConfigured: true,
    run: check,
  } satisfies Command,
);

interface Line {
  kind: string;
  name: string;
  allowed: boolean;
  problems: { field: string; message: string }[];
  warnings: string[];
}

async function check({ config, extra }: CommandLine, world: World): Promise<number> {
  const { output = "text" } = extra;
  if (output !== "text" && output !== "json") throw new UsageError(`--output: "${output}" must be text or json`);
  const { objects, others } = await readObjects(extra.file, world);
  for (const other of others) world.err(`Passed over, not a kind of ours: ${other}`);
  if (objects.length === 0) throw new UsageError("No object of our kinds in the file");
  const around = new FileSurroundings(objects, config.domain);
  const lines = objects.map((item) => {
    const { object, problems, warnings } = judgeFileObject(item, config, around);
    if (problems.length === 0) around.admit({ ...item, object });
    return { kind: item.kind.resource.kind, name: nameOf(item), allowed: problems.length === 0, problems, warnings };
  });
  if (output === "json") world.out(JSON.stringify(lines, null, 2));
  else for (const line of lines) world.out(textOf(line));
  return lines.every((line) => line.allowed) ? EXIT.good : EXIT.no;
}

function nameOf({ object }: FileObject): string {
  return object.metadata?.name ?? "";
}

function textOf({ kind, name, allowed, problems, warnings }: Line): string {
  return [
    `${kind} "${name}": ${allowed ? "would be admitted" : "would be refused"}`,
    ...problems.map(({ field, message }) => `  ${field ? `${field}: ` : ""}${message}`),
    ...warnings.map((warning) => `  Warning: ${warning}`),
  ].join("\n");
}
