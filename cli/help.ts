/**
 * Texts of `--help`.
 *
 * @module
 */
import { variableOf } from "../lib/config.ts";
import { type Option, OPTIONS } from "../lib/options.ts";
import type { Command } from "./command.ts";

const WIDTH = 30;

/** The list of commands. */
export function overview(commands: readonly Command[]): string {
  return [
    "Maquette gives every pull request its own environment on Kubernetes.",
    "",
    "Usage: maquette <command> [flags]",
    "",
    "Commands:",
    ...commands.map(({ name, summary }) => `  ${name.padEnd(12)}${summary}`),
    "",
    "maquette <command> --help tells the flags of a command.",
    "Exit codes: 0 good, 1 the answer is no, 2 wrong use, 3 the cluster could not be reached.",
  ].join("\n");
}

/** The help of one command. */
export function helpOf(command: Command): string {
  return [
    `maquette ${command.name}: ${command.summary}`,
    "",
    `Usage: maquette ${command.name} [flags]`,
    ...(command.extraHelp.length ? ["", "Flags:", ...command.extraHelp.map((line) => `  ${line}`)] : []),
    ...(command.isConfigured ? configurationHelp() : []),
    "",
    ...command.teaching,
  ].join("\n").trimEnd();
}

function configurationHelp(): string[] {
  const groups = Map.groupBy(Object.entries(OPTIONS) as [string, Option][], ([, { group }]) => group);
  const lines = [...groups].flatMap(([group, options]) => ["", `${group}:`, ...options.map(optionLine)]);
  return [
    ...lines,
    "",
    `Each flag is also read from the environment: --log-level from ${variableOf("log-level")}. Flags win.`,
  ];
}

function optionLine([flag, { default: fallback, help }]: [string, Option]): string {
  return `  ${`--${flag}`.padEnd(WIDTH)}${help}${fallback === "" ? "" : ` (default ${fallback})`}`;
}

/** The table of the README. */
export function configurationTable(): string {
  const rows = (Object.entries(OPTIONS) as [string, Option][]).map(([flag, { default: fallback, help }]) => {
    const cells = [`\`--${flag}\``, `\`${variableOf(flag)}\``, fallback && `\`${fallback}\``, escaped(help)];
    return `| ${cells.join(" | ")} |`;
  });
  return ["| flag | environment | default | meaning |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

/** Markdown would take them for a cell's end and for HTML. */
function escaped(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
}
