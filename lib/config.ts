/**
 * Configuration: flags over environment (`MAQUETTE_*`) over defaults, checked once at start, then frozen. The table
 * {@link OPTIONS} is the source of `--help`, of the README's table and of the container's arguments. This module is the
 * only reader of the environment.
 *
 * @module
 */
import { parseArgs } from "node:util";
import type { z } from "zod";
import { type Option, OPTIONS } from "./options.ts";

/** cert-manager refuses Certificates with a shorter duration. */
const SHORTEST_CERT_MANAGER_SECONDS = 3600;

/** Somebody used the program wrongly: exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

type Flag = keyof typeof OPTIONS;
type Camel<S extends string> = S extends `${infer Head}-${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : S;
/** The values of all options, by their flags in camel case. */
export type Config = Readonly<{ [F in Flag as Camel<F>]: z.output<(typeof OPTIONS)[F]["schema"]> }>;

/** `MAQUETTE_LOG_LEVEL` for `log-level`. */
export function variableOf(flag: string): string {
  return `MAQUETTE_${flag.toUpperCase().replaceAll("-", "_")}`;
}

/** The environment variables of this process. */
export function environment(): Record<string, string> {
  return Deno.env.toObject();
}

/** What a command takes beside {@link OPTIONS}. */
export type ExtraOptions = Record<string, { type: "string" | "boolean"; short?: string }>;

/** A parsed command line. */
export interface CommandLine {
  config: Config;
  extra: Record<string, string | boolean | undefined>;
}

/**
 * Reads a command's flags.
 *
 * @param env Environment variables.
 * @throws {UsageError} On unknown flags and bad values: all of them, each by its name.
 */
export function readCommandLine(args: string[], env: Record<string, string>, extra: ExtraOptions = {}): CommandLine {
  const values = parseFlags(args, extra);
  const config: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [flag, { schema, default: fallback }] of Object.entries(OPTIONS)) {
    const [text, source] = typeof values[flag] === "string"
      ? [values[flag] as string, `--${flag}`]
      : [env[variableOf(flag)] ?? fallback, variableOf(flag)];
    const parsed = (schema as z.ZodType).safeParse(text);
    if (parsed.success) config[camel(flag)] = parsed.data;
    else problems.push(`${source}: ${JSON.stringify(text)} ${parsed.error.issues[0]!.message}`);
  }
  problems.push(...unknownVariables(env));
  if (problems.length === 0) problems.push(...contradictions(config as Config));
  if (problems.length > 0) throw new UsageError(problems.join("\n"));
  return { config: Object.freeze(config) as Config, extra: values };
}

/** `--flag` alone says true, as people are used to. */
function spelledOut(argument: string): string {
  const known = OPTIONS[argument.slice(2) as Flag] as Option | undefined;
  return argument.startsWith("--") && known && /^(true|false)$/.test(known.default) ? `${argument}=true` : argument;
}

function parseFlags(args: string[], extra: ExtraOptions): Record<string, string | boolean | undefined> {
  const known = Object.fromEntries(Object.keys(OPTIONS).map((flag) => [flag, { type: "string" as const }]));
  try {
    return parseArgs({
      args: args.map(spelledOut),
      options: { ...known, ...extra },
      strict: true,
      allowPositionals: false,
    }).values as Record<
      string,
      string | boolean | undefined
    >;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** A misspelt variable would be passed over in silence. */
function unknownVariables(env: Record<string, string>): string[] {
  const known = new Set(Object.keys(OPTIONS).map(variableOf));
  return Object.keys(env).filter((name) => name.startsWith("MAQUETTE_") && !known.has(name))
    .map((name) => `${name}: no such option`);
}

function contradictions(config: Config): string[] {
  const { defaultTtlSeconds, maxTtlSeconds, webhookCertificates, webhookCertificateSeconds, webhookIssuer } = config;
  const problems: string[] = [];
  if (defaultTtlSeconds > maxTtlSeconds) {
    problems.push(
      `--default-ttl-seconds: ${defaultTtlSeconds} must not be more than --max-ttl-seconds ${maxTtlSeconds}`,
    );
  }
  if (webhookCertificates === "cert-manager" && webhookCertificateSeconds < SHORTEST_CERT_MANAGER_SECONDS) {
    problems.push(`--webhook-certificate-seconds: cert-manager issues for ${SHORTEST_CERT_MANAGER_SECONDS} at least`);
  }
  if (webhookCertificates === "own" && webhookIssuer) {
    problems.push(`--webhook-issuer: "${webhookIssuer}" means nothing without --webhook-certificates cert-manager`);
  }
  return problems;
}

function camel(flag: string): string {
  return flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** The flags that say this configuration, without those that are at their default. */
export function flagsOf(config: Config): string[] {
  return Object.entries(OPTIONS).flatMap(([flag, { default: fallback }]) => {
    const value = (config as Record<string, unknown>)[camel(flag)];
    const text = Array.isArray(value) ? value.join(",") : String(value);
    return text === fallback ? [] : [`--${flag}=${text}`];
  });
}
